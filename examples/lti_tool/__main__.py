"""The command: ``python -m examples.lti_tool``. It runs the tool and the course on two ports."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence

from async_oauth1.serve.listening import ListenError, listen, serve_socket, url_of
from async_oauth1.stores import StoreError

from .consumer import create_course
from .launches import Course
from .settings import Settings, read_settings
from .storage import open_storage
from .tool import create_tool

HOST = "127.0.0.1"
log = logging.getLogger("lti_tool")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status, 2 if it could not start."""
    settings = read_settings(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(settings))
    except (ListenError, StoreError) as error:
        print(f"lti_tool: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = listen(HOST, settings.port)
    tool_url = settings.public_url or url_of(listener)
    async with open_storage(settings) as storage, asyncio.TaskGroup() as served:
        log.info("The tool is listening on port %d", listener.getsockname()[1])
        served.create_task(serve_socket(create_tool(settings, storage), listener, stop))
        print(f"tool: {tool_url}", flush=True)
        if settings.course_port is not None:
            _serve_course(settings, tool_url, stop, served)


def _serve_course(settings: Settings, tool_url: str, stop: asyncio.Event, served: asyncio.TaskGroup) -> None:
    listener = listen(HOST, settings.course_port or 0)
    # Another host name than the tool's makes it another site, as in real life: cookies are third-party ones.
    url = f"http://localhost:{listener.getsockname()[1]}"
    course = Course(url, f"{tool_url}/launch", settings.secret)
    served.create_task(serve_socket(create_course(course), listener, stop))
    print(f"course: {url}", flush=True)
    print("Open the course in a browser, and launch the tool. Ctrl-C ends both.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
