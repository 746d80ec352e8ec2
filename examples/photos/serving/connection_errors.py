"""What hypercorn's connections raise, in one line each: it fails on some requests of a hundred octets.

In HTTP/2 these are a CONNECT without a path, octets beyond ASCII in the method or path, and DATA for a stream that has
been answered; in HTTP/1.1 malformed HTTP2-Settings and Sec-WebSocket-Extensions. hypercorn closes the connection, and
asyncio would write a traceback of 3 kB each time.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from .connections import is_accept_error, report

__all__ = ["log_in_one_line"]

log = logging.getLogger("photos")


def log_in_one_line(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's exception handler.

    Args:
        loop: whose handler this is.
        context: what asyncio knows of the exception.
    """
    error = context.get("exception")
    if is_accept_error(context):
        report(f"cannot accept connections: {error}")
        return
    if isinstance(error, asyncio.CancelledError):
        return  # before Python 3.13, asyncio takes a connection that is cut off at the end for an error
    if error is None or not _comes_from_connection(context):
        loop.default_exception_handler(context)
        return
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    # The type alone: the text may hold what the client has sent.
    log.warning("A connection failed and was closed: %s", type(error).__name__)


def _comes_from_connection(context: dict[str, Any]) -> bool:
    task = context.get("task") or context.get("future")
    return "client_connected_cb" in context["message"] or "_server_callback" in repr(task)
