"""Middleware that lets a client read an early response while it is still sending a body."""

from __future__ import annotations

import asyncio
from typing import Any

from .requests import ASGIApp, Message, Receive

__all__ = ["LingeringMiddleware"]


#: Octets of a refused body that are received without a break.
_BURST = 256 * 1024
#: The length of a break, as a part of the pause.
_BREAK = 0.1


class LingeringMiddleware:
    """Lets a client read an early response while it is still sending a body.

    The response to a body that is too large is sent before all of the body has arrived. If the server then closes the
    connection, TCP resets it, and a client that reads only after writing never sees the response (RFC 9112 section
    9.6). This middleware sends the response at once, but delays its end as long as the body keeps arriving, within
    limits. The rest of the body is dropped. It is received at a limited rate, about 12 MB a second with the default
    pause, so that it does not delay other requests.

    It works with frameworks that go on receiving while they respond, as Quart does.
    """

    def __init__(self, app: ASGIApp, *, pause: float = 0.2, longest: float = 5.0) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            pause: seconds without new data after which the response ends. A break takes a tenth of it.
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
        body = _Body(receive, self.pause)

        async def send_and_linger(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and not body.ended:
                await send({**message, "more_body": True})
                await body.linger(self.longest)
                message = {"type": "http.response.body"}
            await send(message)

        await self.app(scope, body.receive, send_and_linger)


class _Body:
    """Watches a request's body arrive."""

    __slots__ = ("_end", "_is_in_break", "_last", "_pause", "_receive", "_since_break", "ended")

    def __init__(self, receive: Receive, pause: float) -> None:
        self.ended = False
        self._receive = receive
        self._pause = pause
        self._end: asyncio.Future[None] | None = None  # while it lingers
        self._is_in_break = False
        self._last = 0.0
        self._since_break = 0

    async def receive(self) -> Message:
        if self._end is not None and self._since_break >= _BURST:
            await self._take_break()
        message = await self._receive()
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)
        if self._end is not None:
            self._note_arrival(self._end, len(message.get("body", b"")))
        return message

    async def linger(self, longest: float) -> None:
        """Wait until the body has ended or paused, for at most that many seconds."""
        loop = asyncio.get_running_loop()
        end = self._end = loop.create_future()
        self._last = loop.time()
        deadline = self._last + longest
        timer: asyncio.TimerHandle

        # One timer that looks now and then costs less than one that starts anew with each piece of the body.
        def look() -> None:
            nonlocal timer
            now = loop.time()
            due = now + self._pause if self._is_in_break else self._last + self._pause
            if now < min(due, deadline):
                timer = loop.call_at(min(due, deadline), look)
            elif not end.done():
                end.set_result(None)

        timer = loop.call_at(min(self._last + self._pause, deadline), look)
        try:
            await end
        finally:
            timer.cancel()
            self._end = None

    def _note_arrival(self, end: asyncio.Future[None], octets: int) -> None:
        self._last = end.get_loop().time()
        self._since_break += octets
        if self.ended and not end.done():
            end.set_result(None)

    async def _take_break(self) -> None:
        self._since_break, self._is_in_break = 0, True
        try:
            await asyncio.sleep(self._pause * _BREAK)
        finally:
            self._is_in_break = False
            self._last = asyncio.get_running_loop().time()
