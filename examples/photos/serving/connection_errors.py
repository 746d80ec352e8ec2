"""Logging an exception in a connection as one line instead of a traceback.

Some small requests make hypercorn raise: in HTTP/2, a CONNECT without a path, octets beyond ASCII in the method or
path, and DATA for a stream that has been answered; in HTTP/1.1, malformed HTTP2-Settings and
Sec-WebSocket-Extensions. hypercorn then closes the connection, and asyncio would log a traceback of 3 kB for each.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from .connections import is_accept_error, report

__all__ = ["log_in_one_line"]

log = logging.getLogger("photos")


def log_in_one_line(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle an exception of the event loop.

    Args:
        loop: the event loop.
        context: the exception and its circumstances, as asyncio passes them.
    """
    error = context.get("exception")
    if is_accept_error(context):
        report(f"cannot accept connections: {error}")
        return
    if isinstance(error, asyncio.CancelledError):
        return  # before Python 3.13, asyncio reports a connection that is cancelled at shutdown
    if error is None or not _comes_from_connection(context):
        loop.default_exception_handler(context)
        return
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    # Only the type: the text may contain data from the client.
    log.warning("A connection failed and was closed: %s", type(error).__name__)


def _comes_from_connection(context: dict[str, Any]) -> bool:
    task = context.get("task") or context.get("future")
    return "client_connected_cb" in context["message"] or "_server_callback" in repr(task)
