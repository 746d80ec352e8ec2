"""Stopping without losing a request: no new connections, a last answer on each of those that are there.

hypercorn closes idle connections the moment that it is asked to stop, and no answer before that has told the client. So
a request that was on its way is lost, some after they have been carried out.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["GracefulStop"]

#: Seconds without a new request after which the connections that are left count as idle.
QUIET = 0.25
#: Seconds after which they do in any case.
LONGEST = 2.0

_UNAVAILABLE = {
    "type": "http.response.start",
    "status": 503,
    "headers": [(b"content-length", b"0"), (b"connection", b"close"), (b"retry-after", b"1")],
}


class GracefulStop:
    """ASGI middleware, outermost: once the provider is stopping, each answer is the last on its connection."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        """Wrap an ASGI application."""
        self.app = app
        self._stopping = False
        self._stopped = False
        self._last_request = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._stopped:  # its connection is being closed: nothing must be done that cannot be answered
            await send(_UNAVAILABLE)
            await send({"type": "http.response.body"})
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_and_tell(message: Any) -> None:
            if self._stopping and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        self._last_request = asyncio.get_running_loop().time()
        # HTTP/2 has no such header: hypercorn ends its connections by a frame.
        await self.app(scope, receive, send_and_tell if scope["http_version"].startswith("1") else send)

    async def drain(self, listener: int) -> None:
        """Return when the server can close what is left: nobody has sent a request for a moment.

        Args:
            listener: descriptor of the socket on which this loop accepts connections; no longer one that listens
                afterwards.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + LONGEST
        self._stopping = True
        await _stop_listening(listener, end)
        self._last_request = loop.time()  # what has just been accepted has not sent anything yet
        while (left := min(self._last_request + QUIET, end) - loop.time()) > 0:  # noqa: ASYNC110 - no event: a pause
            await asyncio.sleep(left)
        self._stopped = True


async def _stop_listening(listener: int, end: float) -> None:
    """Accept the connections that the kernel has completed already, which it would reset, and none after them."""
    loop = asyncio.get_running_loop()
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll(0) and loop.time() < end:  # noqa: ASYNC110 - the loop accepts them meanwhile
        await asyncio.sleep(0)
    loop.remove_reader(listener)
    # The server will close this descriptor: until then it must not become that of another file.
    with socket.socket() as placeholder:
        os.dup2(placeholder.fileno(), listener, inheritable=False)
