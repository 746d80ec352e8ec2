"""The program's own log: starts, restarts and the stop of workers, and stores that fail or recover."""

from __future__ import annotations

import logging

__all__ = ["log", "write_to_stderr"]

log = logging.getLogger("photos")


def write_to_stderr() -> None:
    """Print this log as lines on stderr, unless logging is configured already."""
    log.setLevel(logging.INFO)
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("photos: %(message)s"))
        log.addHandler(handler)
