"""ASGI: from a scope to an `OAuth1Request`, and middleware for what must be settled before any framework looks."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from ._asgi import ASGIApp, Message, Receive, Scope, refuse, request_from_scope, send_response, snapshot
from ._hosts import normalize_host
from ._origin import single_host, with_path
from ._verifying import OAuth1Middleware
from .errors import InvalidRequestError, OAuth1Error
from .policy import Policy
from .responses import resource_error_response

__all__ = [
    "LingeringMiddleware",
    "OAuth1Middleware",
    "RequestTargetMiddleware",
    "request_from_scope",
    "send_response",
]

_ASCII = bytes(range(128)).decode()


class RequestTargetMiddleware:
    """Hands on what a framework can route: origin-form targets (RFC 9112 section 3.2) and well-formed hosts.

    Frameworks expect a path. Given ``GET http://host/path``, ``GET ?a=b`` or ``GET http://[`` they route by the wrong
    path, or fail; so they do on ``Host: a..b``. The own authority in absolute-form becomes origin-form; another's is
    421, everything else 400. Header fields that a server adds later, from the trailers of a chunked body, stay outside.
    """

    def __init__(self, app: ASGIApp, policy: Policy | None = None) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            policy: says which host is this provider's own, where proxies or an external base URL do.
        """
        self.app = app
        self.policy = policy or Policy()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            scope = snapshot(scope)
            try:
                scope = self._routable(scope)
            except OAuth1Error as error:
                await refuse(resource_error_response(error, realm=self.policy.realm), receive, send)
                return
        elif scope["type"] == "websocket" and not self._can_be_routed(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    def _can_be_routed(self, scope: Scope) -> bool:
        """Of a WebSocket: it is refused by closing it, whatever is wrong."""
        try:
            host = single_host(scope["headers"])
            if host:
                normalize_host(host, "https" if scope.get("scheme") == "wss" else "http")
        except OAuth1Error:
            return False
        path: str = scope["path"]
        return path.startswith("/")

    def _routable(self, scope: Scope) -> Scope:
        host = single_host(scope["headers"])
        if host:  # HTTP/1.0 may have none, and a health check needs none
            normalize_host(host, scope.get("scheme", "http"))
        if scope["method"] == "CONNECT":
            # Its target is never a path (RFC 9112 section 3.2.3), and a route's 200 would turn the connection into a
            # tunnel, at which hypercorn fails.
            raise InvalidRequestError("CONNECT asks for a tunnel, and this provider opens none.")
        scope = with_path(scope, self.policy)
        if not scope["query_string"].isascii():
            # HTTP/2 lets raw octets pass, and frameworks expect UTF-8. Escaped, they are the same to the signature.
            scope = {**scope, "query_string": quote(scope["query_string"], safe=_ASCII).encode()}
        return scope


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
