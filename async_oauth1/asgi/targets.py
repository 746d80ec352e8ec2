"""Middleware that hands on only those request targets and hosts that a framework can route."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.hosts import normalize_host
from async_oauth1.provider.responses import resource_error_response

from .origin import single_host, with_path
from .requests import ASGIApp, Message, Receive, Scope, has_unannounced_length, refuse, snapshot

__all__ = ["RECEIVED_KEY", "ReceivedOctets", "RequestTargetMiddleware"]

#: Where the scope counts the octets of a body whose length is not announced.
RECEIVED_KEY = "async_oauth1.received"

_ASCII = bytes(range(128)).decode()


class ReceivedOctets:
    """Counts the octets of a body as the application receives them, whoever in the application asks for them.

    Frameworks do not tell whether a body is empty or was read before and thrown away. Content-Length tells; for a
    chunked body, or one over HTTP/2 without a length, this does.
    """

    def __init__(self, receive: Receive) -> None:
        """Start at zero."""
        self.count = 0
        self._receive = receive

    async def receive(self) -> Message:
        """Receive a message, and count its octets."""
        message = await self._receive()
        self.count += len(message.get("body", b""))
        return message


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
            if has_unannounced_length(scope):
                received = ReceivedOctets(receive)
                scope, receive = {**scope, RECEIVED_KEY: received}, received.receive
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
