"""Middleware that lets a client read an early response while it is still sending a body."""

from __future__ import annotations

import asyncio
from typing import Any

from .requests import ASGIApp, Message, Receive

__all__ = ["LingeringMiddleware"]


class LingeringMiddleware:
    """Lets a client read an early response while it is still sending a body.

    The response to a body that is too large is sent before all of the body has arrived. If the server then closes the
    connection, TCP resets it, and a client that reads only after writing never sees the response (RFC 9112 section
    9.6). This middleware sends the response at once, but delays its end as long as the body keeps arriving, within
    limits. The rest of the body is dropped.

    It works with frameworks that go on receiving while they respond, as Quart does.
    """

    def __init__(self, app: ASGIApp, *, pause: float = 0.2, longest: float = 5.0) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            pause: seconds without new data after which the response ends.
            longest: seconds after which the response ends in any case.
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
