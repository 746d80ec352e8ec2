"""Middleware that lets a client that is still sending a body read why it was refused."""

from __future__ import annotations

import asyncio
from typing import Any

from .requests import ASGIApp, Message, Receive

__all__ = ["LingeringMiddleware"]


class LingeringMiddleware:
    """Lets a client that is still sending a body read why it was refused.

    A body that is too large is answered before it has arrived. Servers then close a connection on which data is still
    coming in, TCP resets it, and a client that writes first and reads afterwards never sees the answer (RFC 9112
    section 9.6). So the answer goes out at once, but its end waits for the body: as long as more of it keeps coming,
    and not for long. What comes is dropped.

    For frameworks that go on receiving while they answer, as Quart does.
    """

    def __init__(self, app: ASGIApp, *, pause: float = 0.2, longest: float = 5.0) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            pause: seconds without more of the body that end the waiting.
            longest: seconds that end it in any case.
        """
        self.app = app
        self.pause = pause
        self.longest = longest

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive)

        async def send_and_linger(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and not body.ended:
                await send({**message, "more_body": True})
                await body.wait(self.pause, self.longest)
                message = {"type": "http.response.body"}
            await send(message)

        await self.app(scope, body.receive, send_and_linger)


class _Body:
    """Watches a request's body arrive."""

    def __init__(self, receive: Receive) -> None:
        self.ended = False
        self._receive = receive
        self._arrived = asyncio.Event()

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        self._arrived.set()
        return message

    async def wait(self, pause: float, longest: float) -> None:
        try:
            async with asyncio.timeout(longest):
                while not self.ended:
                    self._arrived.clear()
                    await asyncio.wait_for(self._arrived.wait(), pause)
        except TimeoutError:
            pass
