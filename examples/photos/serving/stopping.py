"""Stopping without losing a request: no new connections, and ``Connection: close`` on the open ones.

hypercorn alone closes idle connections as soon as it is told to stop, without having announced that to the client. A
request that is on its way at that moment is lost, and may have been processed already.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["GracefulStop"]

#: Seconds without a new request after which the remaining connections are idle.
QUIET = 0.25
#: Seconds after which they are closed in any case.
LONGEST = 2.0
#: Seconds between two looks at the clock. If the process stood still meanwhile, the pause was its own.
TICK = 0.05

_UNAVAILABLE = {
    "type": "http.response.start",
    "status": 503,
    "headers": [(b"content-length", b"0"), (b"connection", b"close"), (b"retry-after", b"1")],
}


class GracefulStop:
    """Outermost ASGI middleware: while the provider stops, each response closes its connection."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        """Wrap an ASGI application."""
        self.app = app
        self._stopping = False
        self._stopped = False
        self._last_request = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._stopped:  # the connection is being closed, so a response might be lost: do not process the request
            await send(_UNAVAILABLE)
            await send({"type": "http.response.body"})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_close(message: Any) -> None:
            if self._stopping and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        self._last_request = asyncio.get_running_loop().time()
        # HTTP/2 has no such header; hypercorn sends a GOAWAY frame instead.
        await self.app(scope, receive, send_with_close if scope["http_version"].startswith("1") else send)

    async def drain(self, listener: int) -> None:
        """Stop listening, and wait until the remaining connections are idle, so that the server can close them.

        Args:
            listener: descriptor of the listening socket; afterwards it refers to a socket that does not listen.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        self._stopping = True
        await _stop_listening(listener, end)
        self._last_request = loop.time()  # connections that were just accepted have not sent a request yet
        while (left := min(self._last_request + QUIET, end) - (now := loop.time())) > 0:
            await asyncio.sleep(min(left, TICK))
            if loop.time() - now > 2 * TICK:  # requests may have arrived that have not been read
                self._last_request = loop.time()
        self._stopped = True


async def _stop_listening(listener: int, end: float) -> None:
    """Accept the connections in the backlog, which the kernel would otherwise reset, and then close the listener."""
    loop = asyncio.get_running_loop()
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll(0) and loop.time() < end:  # noqa: ASYNC110 - the loop accepts them meanwhile
        await asyncio.sleep(0)
    loop.remove_reader(listener)
    # hypercorn will close this descriptor. Until then a placeholder keeps the number from being reused.
    with socket.socket() as placeholder:
        os.dup2(placeholder.fileno(), listener, inheritable=False)
