"""ASGI: from a scope to an `OAuth1Request`, and middleware for what must be settled before any framework looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from ._origin import origin_form, peer_address, request_origin, single_host
from .errors import InvalidRequestError, OAuth1Error
from .policy import Policy
from .request import OAuth1Request, normalize_host
from .responses import OAuth1Response, resource_error_response

__all__ = ["LingeringMiddleware", "RequestTargetMiddleware", "request_from_scope", "request_parts", "send_response"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
#: Any ASGI application: frameworks disagree about the types of the three.
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

_ASCII = bytes(range(128)).decode()


def request_from_scope(scope: Scope, policy: Policy, body: bytes | None = None) -> OAuth1Request:
    """Read an ASGI scope.

    Args:
        scope: of type ``http``.
        policy: its limits, and where the client thinks it is.
        body: the octets of a form; ``None`` where the body is no form and was not read.

    Raises:
        OAuth1Error: the request is malformed or too large.
    """
    return OAuth1Request(**request_parts(scope, policy, body))


def request_parts(scope: Scope, policy: Policy, body: bytes | None = None) -> dict[str, Any]:
    """What `OAuth1Request` is made of; see `request_from_scope`."""
    path = origin_form(scope, policy)
    origin = request_origin(scope, policy)
    return {
        "method": scope["method"],
        "scheme": origin.scheme,
        "host": origin.host,
        "raw_path": origin.prefix.encode() + path,
        "raw_query": scope["query_string"],
        "headers": scope["headers"],
        "body": body,
        "peer": peer_address(scope),
        "max_parameters": policy.max_parameters,
        "max_header_bytes": policy.max_header_bytes,
        "max_query_bytes": policy.max_query_bytes,
        "max_form_bytes": policy.max_form_bytes,
    }


async def send_response(response: OAuth1Response, send: Send) -> None:
    """Send a whole response over ASGI."""
    body = response.body.encode()
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class RequestTargetMiddleware:
    """Hands on what a framework can route: origin-form targets (RFC 9112 section 3.2) and well-formed hosts.

    Frameworks expect a path. Given ``GET http://host/path``, ``GET ?a=b`` or ``GET http://[`` they route by the wrong
    path, or fail; so they do on ``Host: a..b``. The own authority in absolute-form becomes origin-form; another's is
    421, everything else 400.
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
            try:
                scope = self._routable(scope)
            except OAuth1Error as error:
                await _refuse(resource_error_response(error, realm=self.policy.realm), receive, send)
                return
        await self.app(scope, receive, send)

    def _routable(self, scope: Scope) -> Scope:
        host = single_host(scope["headers"])
        if host:  # HTTP/1.0 may have none, and a health check needs none
            normalize_host(host, scope.get("scheme", "http"))
        if scope["method"] == "CONNECT":
            # Its target is never a path (RFC 9112 section 3.2.3), and a route's 200 would turn the connection into a
            # tunnel, at which hypercorn fails.
            raise InvalidRequestError("CONNECT asks for a tunnel, and this provider opens none.")
        if not scope["path"].startswith("/"):
            target = origin_form(scope, self.policy)
            scope = {**scope, "raw_path": target, "path": unquote(target.decode("latin-1"))}
        if not scope["query_string"].isascii():
            # HTTP/2 lets raw octets pass, and frameworks expect UTF-8. Escaped, they are the same to the signature.
            scope = {**scope, "query_string": quote(scope["query_string"], safe=_ASCII).encode()}
        return scope


async def _refuse(response: OAuth1Response, receive: Receive, send: Send) -> None:
    """Answer while the body is received and dropped, as a framework would: `LingeringMiddleware` sees it end."""

    async def drop() -> None:
        while (await receive()).get("more_body", False):
            pass

    dropping = asyncio.ensure_future(drop())
    try:
        await send_response(response, send)
    finally:
        dropping.cancel()


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
