"""Middleware that verifies requests before a framework handles them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple, TypeAlias

from async_oauth1.credentials import ClientLike, TokenCredentialLike
from async_oauth1.errors import OAuth1Error, UnsignedRequestError
from async_oauth1.explaining import observe_on_loop
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request, is_form
from async_oauth1.provider.resource_protector import ResourceProtector

from .covered_paths import CoveredPaths, Layout, applications_behind, layout_of
from .current import verified_request
from .origin import with_path
from .preflights import is_preflight
from .received import ClientHasLeftError, ReceivedBody, check_length
from .requests import (
    ASGIApp,
    Scope,
    application_behind,
    content_type_of,
    refuse,
    refuse_websocket,
    request_from_scope,
    snapshot,
)
from .startup import run_lifespan

#: A protector of any models.
AnyProtector: TypeAlias = ResourceProtector[ClientLike, TokenCredentialLike]
#: The key of the scope under which `Verified` is found.
SCOPE_KEY = "async_oauth1.verified"

_WEBSOCKET = "WebSockets are not accepted here, because nothing signs their messages."


class Verified(NamedTuple):
    """A request that was verified.

    Attributes:
        protector: the protector that verified it.
        request: the request, with ``client`` and ``credential`` set.
        policy: the rules by which it was verified.
    """

    protector: AnyProtector
    request: OAuth1Request
    policy: Policy

    @property
    def body_protection(self) -> Literal["form", "hash", "none"]:
        """What protects the body: see `OAuth1Request.body_protection`."""
        return self.request.body_protection


class OAuth1Middleware:
    """Verifies every request under some path prefixes, and refuses those without a valid signature.

        app.asgi_app = OAuth1Middleware(app.asgi_app, require_oauth, prefixes=["/photos"])

    Refusing a request here takes less time than any response of a framework, which helps against floods of bad
    requests. Every view under the prefixes is protected, in any framework, and finds `Verified` in
    ``scope["async_oauth1.verified"]``. A view decorated with the same protector's ``@require_oauth`` uses this result
    and checks its own requirements: the scope, the token, and the signed body.

    WebSockets under a prefix are refused, because nothing signs their messages.

    If the protector serves several Quart applications, the configuration of the wrapped one counts: the one at the end
    of the chain of ``app`` attributes.
    """

    def __init__(
        self,
        app: ASGIApp,
        protector: AnyProtector,
        prefixes: Collection[str],
        *,
        mounts: Collection[str] = (),
        two_legged: bool = False,
        body_hash_required: bool = False,
        cors_preflight: bool = False,
        max_body_bytes: int = 16 * 1024 * 1024,
        body_timeout: float = 60.0,
    ) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application, such as ``app.asgi_app``.
            protector: verifies the requests. No other protector may protect views under the prefixes, because the
                nonce of each request is used here.
            prefixes: decoded paths below the server's ``root_path``. Each covers itself and what is below it, in every
                spelling that some framework could route there: ``/photos`` covers ``/photos``, ``/photos/1``,
                ``//Photos`` and ``/x/../photos``, but not ``/photostream``. ``/`` covers everything. If there is a
                ``root_path``, whole paths that begin with a prefix are covered, too.
            mounts: decoded paths that the application takes off without looking for a slash, so that a mount at
                ``/mount`` also gets ``/mountx``. The mounts of Litestar and BlackSheep are found at the first request,
                through any middleware that keeps what it wraps as ``app``. Name them if the application is wrapped
                otherwise, and name the prefixes of Falcon's sinks.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``, as the
                decorators do. ``Policy(require_signed_body=True)`` also lets requests without a body pass.
            cors_preflight: let CORS preflights pass unverified: OPTIONS requests with ``Origin`` and
                ``Access-Control-Request-Method`` and without ``Authorization``. The application must answer them
                without running anything that needs protection. CORS middleware in front of this one needs no such
                exception, and also adds its headers to refusals.
            max_body_bytes: of a body that is hashed for ``oauth_body_hash``; for forms the policy's limit counts.
            body_timeout: seconds in which a form, or a body that is hashed, must have arrived.

        Raises:
            TypeError: one string was given where several are expected.
            ValueError: a prefix does not begin with a slash, or holds ``..``, ``;``, ``?``, ``#`` or NUL.
        """
        self._covered = CoveredPaths(prefixes)
        self._mounts = mounts
        self._layout: Layout | None = None
        self.app = app
        *_, self._application = applications_behind(app)
        self.protector = protector
        observe_on_loop(protector)
        self.two_legged = two_legged
        self.body_hash_required = body_hash_required
        self.cors_preflight = cors_preflight
        self.max_body_bytes = max_body_bytes
        self.body_timeout = body_timeout

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(self.app, [self.protector], scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # It is unknown how a framework routes a target that is not a path.
            if self._is_protected(scope) or not scope["path"].startswith("/"):
                await refuse_websocket(UnsignedRequestError(_WEBSOCKET), scope, send)
            else:
                await self.app(scope, receive, send)
            return
        scope = snapshot(scope)
        body = ReceivedBody(receive, self.body_timeout)
        before = application_behind.set(self._application)
        try:
            scope = with_path(scope, self.protector.policy)
            verified = await self._verify(scope, body) if self._wants_signature(scope) else None
        except OAuth1Error as error:
            await refuse(error, self.protector.policy, scope, receive, send)
            return
        except ClientHasLeftError:
            return
        finally:
            application_behind.reset(before)
        if verified is not None:
            scope = {**scope, SCOPE_KEY: verified}
        receive = body.receive_again if body.received else receive
        if verified is None:
            await self.app(scope, receive, send)
            return
        current = verified_request.set(verified.request)
        try:
            await self.app(scope, receive, send)
        finally:
            verified_request.reset(current)

    def _is_protected(self, scope: Scope) -> bool:
        if self._layout is None:  # at the first request: routes may be added after the application was wrapped
            self._layout = layout_of(self.app, self._mounts)
        return self._covered.cover(scope, self._layout)

    def _wants_signature(self, scope: Scope) -> bool:
        if not self._is_protected(scope):
            return False
        names = (name.decode("latin-1") for name, _ in scope["headers"])
        return not (self.cors_preflight and is_preflight(scope["method"], names))

    async def _verify(self, scope: Scope, body: ReceivedBody) -> Verified:
        policy, content_type = self.protector.policy, content_type_of(scope)
        form = None
        if content_type and is_form(content_type):
            form = await body.read_form(policy)
            check_length(scope, len(form))
        request = request_from_scope(scope, policy, form)
        request.read_body = lambda: body.read("body", self.max_body_bytes)
        await self.protector.validate_request(
            request, two_legged=self.two_legged, body_hash_required=self.body_hash_required
        )
        return Verified(self.protector, request, policy)
