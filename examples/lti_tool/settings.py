"""The settings of the tool and the course: the command line, and the secret from the environment."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["KEY", "Settings", "read_settings"]

#: The course's key.
KEY = "botany-101"
TOOL_PORT, COURSE_PORT = 8100, 8101


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes:
        port: of the tool.
        course_port: of the course; ``None`` if it is not to run.
        store: URL of the store with the consumers.
        redis: URL of the Redis with nonces and sessions; empty to keep them in this process.
        public_url: the tool's URL as browsers see it, if a proxy or several workers are behind it.
        debug: show on the page why a launch was refused.
        secret: of the course's key.
    """

    port: int
    course_port: int | None
    store: str
    redis: str
    public_url: str
    debug: bool
    secret: str = field(repr=False)


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """Read the command line.

    ``LTI_DEMO_SECRET`` is the course's secret; without it, and without a lasting store, it is a new random one.
    """
    parser = argparse.ArgumentParser(prog="lti_tool", description="A learning tool, and a course that launches it.")
    parser.add_argument("--port", type=int, default=TOOL_PORT, help="of the tool; 0 for a free one")
    parser.add_argument("--course-port", type=int, default=COURSE_PORT, help="of the course; 0 for a free one")
    parser.add_argument("--tool-only", action="store_true", help="run the tool without the course")
    parser.add_argument("--store", default="memory://", help="URL of the store with the consumers")
    parser.add_argument("--redis", default="", help="URL of a Redis for nonces and sessions")
    parser.add_argument("--public-url", default="", help="the tool's URL as browsers see it")
    parser.add_argument("--debug", action="store_true", help="show why a launch was refused; never in production")
    given = parser.parse_args(arguments)
    secret = os.environ.get("LTI_DEMO_SECRET", "")
    if not secret and (given.store != "memory://" or given.tool_only):
        parser.error("set LTI_DEMO_SECRET: the course and all workers need the same secret, today and tomorrow")
    return Settings(
        port=given.port,
        course_port=None if given.tool_only else given.course_port,
        store=given.store,
        redis=given.redis,
        public_url=given.public_url.rstrip("/"),
        debug=given.debug,
        secret=secret or secrets.token_urlsafe(32),
    )
