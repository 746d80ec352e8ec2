"""Middleware that verifies requests before any framework looks at them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from ._asgi import ASGIApp, Message, Receive, Scope, content_type_of, refuse, request_from_scope, snapshot
from ._origin import with_path
from .errors import InvalidRequestError, OAuth1Error, RequestTooLargeError
from .policy import Policy
from .request import OAuth1Request, is_form
from .resource_protector import ResourceProtector
from .responses import resource_error_response

_SLASHES = re.compile("//+")
#: Where the scope tells what was verified.
SCOPE_KEY = "async_oauth1.verified"


class Verified(NamedTuple):
    """A request that holds.

    Attributes:
        protector: who has verified it.
        request: with ``client`` and ``credential`` set.
    """

    protector: ResourceProtector
    request: OAuth1Request


class OAuth1Middleware:
    """Lets nothing pass under some path prefixes that is not signed well.

    A refusal costs less than a framework takes to answer anything, so that a flood of bad requests leaves more time for
    the good ones. Views that are decorated with the same protector's ``@require_oauth`` take the verified request from
    here, and check what is theirs: the scope, whether a token is there, whether the body is signed. Views that are not
    are protected all the same, of whatever framework; they find `Verified` in ``scope["async_oauth1.verified"]``.

        app.asgi_app = OAuth1Middleware(app.asgi_app, require_oauth, prefixes=["/photos"])

    WebSockets under a prefix are refused: nothing signs what they carry.
    """

    def __init__(
        self,
        app: ASGIApp,
        protector: ResourceProtector,
        prefixes: Collection[str],
        *,
        two_legged: bool = False,
        max_body_bytes: int = 16 * 1024 * 1024,
        body_timeout: float = 60.0,
    ) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            protector: verifies; no other one may protect views under the prefixes, for the nonce is used here.
            prefixes: decoded paths below the server's ``root_path``, each standing for itself and for what is below it:
                ``/photos`` for ``/photos`` and ``/photos/1``, not for ``/photostream``; ``/`` for everything. Where
                there is a ``root_path``, whole paths that begin so are protected, too.
            two_legged: accept the client's signature without a token.
            max_body_bytes: of a body that is hashed for ``oauth_body_hash``; for forms the policy's limit counts.
            body_timeout: seconds in which a form, or a body that is hashed, must have arrived.

        Raises:
            TypeError: one string where several are meant.
            ValueError: a prefix that is no path.
        """
        if isinstance(prefixes, str):
            raise TypeError("prefixes is a collection of paths, not one string")
        for prefix in prefixes:
            if not prefix.startswith("/"):
                raise ValueError(f"a prefix begins with a slash, not like {prefix!r}")
        self.app = app
        self.protector = protector
        self.two_legged = two_legged
        self.max_body_bytes = max_body_bytes
        self.body_timeout = body_timeout
        self._exact = frozenset(prefix.rstrip("/") or "/" for prefix in prefixes)
        self._below = tuple(f"{prefix.rstrip('/')}/" for prefix in prefixes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # Of a target that is no path nobody knows where a framework routes it.
            if self._is_protected(scope) or not scope["path"].startswith("/"):
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self.app(scope, receive, send)
            return
        scope = snapshot(scope)
        body = _Body(receive, self.body_timeout)
        try:
            scope = with_path(scope, self.protector.policy)
            request = await self._verify(scope, body) if self._is_protected(scope) else None
        except OAuth1Error as error:
            await refuse(resource_error_response(error, realm=self.protector.policy.realm), receive, send)
            return
        except _ClientHasLeftError:
            return
        if request is not None:
            scope = {**scope, SCOPE_KEY: Verified(self.protector, request)}
        await self.app(scope, body.receive_again if body.received else receive, send)

    def _is_protected(self, scope: Scope) -> bool:
        """Whether any framework could route the request to what is protected.

        They differ in what they take ``root_path`` off, and route ``//photos`` as ``/photos``.
        """
        path: str = scope["path"]
        return self._covers(path) or self._covers(path.removeprefix(scope.get("root_path", "")))

    def _covers(self, path: str) -> bool:
        path = _SLASHES.sub("/", f"/{path}")
        return path in self._exact or path.startswith(self._below)

    async def _verify(self, scope: Scope, body: _Body) -> OAuth1Request:
        content_type = content_type_of(scope)
        form = None
        if content_type and is_form(content_type):
            form = await body.read_form(self.protector.policy)
        request = request_from_scope(scope, self.protector.policy, form)
        request.read_body = lambda: body.read(self.max_body_bytes, "body")
        return await self.protector.validate_request(request, two_legged=self.two_legged)


class _ClientHasLeftError(Exception):
    """There is nobody to answer."""


class _Body:
    """A body that is read here, and then once more by the application."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self.received = False
        self._receive = receive
        self._seconds = seconds
        self._octets = b""

    async def read_form(self, policy: Policy) -> bytes:
        separators = 0

        def count(piece: bytes) -> None:
            nonlocal separators
            separators += piece.count(b"&")
            if separators >= policy.max_parameters:  # the rest of them would only be received to be refused
                raise InvalidRequestError(f"The request has more than {policy.max_parameters} parameters.")

        return await self.read(policy.max_form_bytes, "form", count)

    async def read(self, limit: int, what: str, look_at: Callable[[bytes], None] = lambda _: None) -> bytes:
        octets = bytearray()
        self.received = True
        try:
            async with asyncio.timeout(self._seconds):
                more = True
                while more:
                    message = await self._receive()
                    if message["type"] != "http.request":
                        raise _ClientHasLeftError
                    piece: bytes = message.get("body", b"")
                    look_at(piece)
                    octets += piece
                    more = message.get("more_body", False)
                    if len(octets) > limit:
                        raise RequestTooLargeError(f"The {what} is larger than {limit} bytes.")
        except TimeoutError:
            raise InvalidRequestError(f"The {what} did not arrive in time.", status_code=408) from None
        self._octets = bytes(octets)
        return self._octets

    async def receive_again(self) -> Message:
        """The body in one message, and then whatever the server says."""
        if self.received:
            self.received = False
            return {"type": "http.request", "body": self._octets, "more_body": False}
        return await self._receive()
