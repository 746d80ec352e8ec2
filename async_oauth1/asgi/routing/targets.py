"""Middleware that refuses request targets and hosts which a framework cannot route."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.hosts import normalize_host

from ..origin import single_host, with_path
from ..requests import ASGIApp, Message, Receive, Scope, has_unannounced_length, refuse, refuse_websocket, snapshot

__all__ = ["ReceivedOctets", "RequestTargetMiddleware", "check_received", "received_octets"]

# The key of the scope under which `ReceivedOctets` is found, if the length of the body is not announced.
_RECEIVED_KEY = "async_oauth1.received"

_ASCII = bytes(range(128)).decode()


class ReceivedOctets:
    """Counts the octets of a body while any part of the application receives them.

    In a framework, an empty body looks the same as one that was read before and thrown away. If there is a
    Content-Length, it shows the difference. For chunked bodies, and over HTTP/2 without a length, this count does.
    """

    def __init__(self, receive: Receive) -> None:
        """Start at zero."""
        self.count = 0
        self._receive = receive

    async def receive(self) -> Message:
        """Receive a message, and add its octets to the count."""
        message = await self._receive()
        self.count += len(message.get("body", b""))
        return message


def received_octets(scope: Scope) -> ReceivedOctets | None:
    """The count of a body of unannounced length; ``None`` for any other body."""
    found: ReceivedOctets | None = scope.get(_RECEIVED_KEY)
    return found


def check_received(received: ReceivedOctets | None, length: int) -> None:
    """Refuse a body of unannounced length of which another middleware has kept a part.

    Args:
        received: see `received_octets`.
        length: of the body, as it was read.

    Raises:
        InvalidRequestError: another number of octets has arrived.
    """
    if received is not None and length != received.count:
        raise InvalidRequestError(
            "The body has been read before, at least in part. Protect the view before anything else reads the body."
        )


class RequestTargetMiddleware:
    """Lets requests pass that a framework can route: with a path as target and a well-formed host.

    Frameworks expect a path (origin-form, RFC 9112 section 3.2). Given ``GET http://host/path``, ``GET ?a=b`` or ``GET
    http://[``, they use the wrong path or fail; they also fail on ``Host: a..b``. This middleware converts a URL with
    the provider's own authority to its path. It answers 421 for another authority, and 400 for everything else. It
    also hides header fields that the server adds later, from the trailers of a chunked body.
    """

    def __init__(self, app: ASGIApp, policy: Policy | None = None) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            policy: determines the provider's own host, by trusted proxies or an external base URL.
        """
        self.app = app
        self.policy = policy or Policy()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            scope = snapshot(scope)
            try:
                self._make_routable(scope)
            except OAuth1Error as error:
                await refuse(error, self.policy, scope, receive, send)
                return
            if has_unannounced_length(scope):
                received = ReceivedOctets(receive)
                scope[_RECEIVED_KEY], receive = received, received.receive
        elif scope["type"] == "websocket":
            try:
                _check_websocket(scope)
            except OAuth1Error as error:
                await refuse_websocket(error, self.policy, {**scope, "extensions": {}}, send)  # closed: a 403
                return
        await self.app(scope, receive, send)

    def _make_routable(self, scope: Scope) -> None:
        """Check a scope, and change what a framework could not route."""
        _check_host(scope, scope.get("scheme", "http"))
        if scope["method"] == "CONNECT":
            # Its target is never a path (RFC 9112 section 3.2.3). If a route answered 200, the connection would become
            # a tunnel, and hypercorn would fail.
            raise InvalidRequestError("The method CONNECT is not supported: this provider does not open tunnels.")
        if not scope["path"].startswith("/"):
            scope.update(with_path(scope, self.policy))
        if not scope["query_string"].isascii():
            # HTTP/2 allows raw octets, but frameworks expect UTF-8. Escaping them does not change the base string.
            scope["query_string"] = quote(scope["query_string"], safe=_ASCII).encode()


def _check_host(scope: Scope, scheme: str) -> None:
    """Refuse a malformed host; HTTP/1.0 requests and health checks may come without one."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    host = hosts[0].decode("latin-1").strip() if len(hosts) == 1 else single_host(scope["headers"])
    if host:
        normalize_host(host, scheme)


def _check_websocket(scope: Scope) -> None:
    """Refuse a WebSocket without a path or a well-formed host: it is closed without a response."""
    _check_host(scope, "https" if scope.get("scheme") == "wss" else "http")
    if not scope["path"].startswith("/"):
        raise InvalidRequestError("The target of the WebSocket is not a path.")
