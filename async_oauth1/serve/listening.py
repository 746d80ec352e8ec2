"""Listening sockets, and serving one of them under hypercorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

__all__ = ["LARGEST_HEAD", "ListenError", "listen", "serve_socket", "url_of"]

#: Bytes of a request's head: an Authorization header and a query of 64 KiB each, in any number of packets.
LARGEST_HEAD = 256 * 1024
#: Connections that the kernel queues.
BACKLOG = 1024
#: Seconds for requests in flight to finish when it stops.
GRACE = 2.0


class ListenError(Exception):
    """The address is in use, or does not belong to this machine."""


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Connections wait in its backlog until they are accepted.

    Args:
        host: name or address.
        port: 0 for a free one.

    Raises:
        ListenError: the address is in use, or does not belong to this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(cast("tuple[str, int]", address), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise ListenError(f"cannot listen on {host}, port {port}: {reason}") from error


def url_of(listener: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve_socket(
    app: Callable[[Any, Any, Any], Awaitable[None]],
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    grace: float = GRACE,
) -> None:
    """Serve an ASGI application until the event is set.

    Args:
        app: the application.
        listener: the listening socket; closed at the end.
        stop: ends the server.
        grace: seconds for requests in flight to finish.
    """
    from hypercorn import asyncio as hypercorn
    from hypercorn.config import Config

    async def stopped(*_: Any) -> None:
        await stop.wait()
        # From Python 3.12 on, hypercorn waits for all connections without a time-out.
        asyncio.get_running_loop().call_later(grace + 0.5, serving.cancel)

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = grace
    config.h11_max_incomplete_size = LARGEST_HEAD
    config.h2_max_header_list_size = LARGEST_HEAD
    config.loglevel = "WARNING"
    serving = asyncio.ensure_future(cast("Any", hypercorn).serve(app, config, shutdown_trigger=stopped))
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
