"""Middleware that verifies requests before a framework handles them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple, TypeAlias

from async_oauth1.credentials import ClientLike, TokenCredentialLike
from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.explaining import observe_on_loop
from async_oauth1.policy import Policy
from async_oauth1.protocol.header_fields import announces_body
from async_oauth1.protocol.request import OAuth1Request, is_form
from async_oauth1.provider.resource_protector import ResourceProtector

from .bodies.early import EarlyDelivery
from .bodies.received import ClientHasLeftError, ReceivedBody, check_length
from .current import verified_request
from .origin import with_path
from .requests import (
    ASGIApp,
    Receive,
    Scope,
    Send,
    application_behind,
    content_type_of,
    has_unannounced_length,
    refuse,
    request_from_scope,
    snapshot,
)
from .routing.covered_paths import CoveredPaths, ExcludedPaths, Layout, applications_behind, layout_of
from .routing.preflights import is_preflight
from .startup import run_lifespan
from .users import with_user

#: A protector of any models.
AnyProtector: TypeAlias = ResourceProtector[ClientLike, TokenCredentialLike]
#: The key of the scope under which `Verified` is found.
SCOPE_KEY = "async_oauth1.verified"


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

        app = OAuth1Middleware(app, protector, prefixes=["/photos"], exclude=["/photos/health"])

    Refusing a request here takes less time than any response of a framework, which helps against floods of bad
    requests. Every view under the prefixes is protected, in any framework, and finds `Verified` in
    ``scope["async_oauth1.verified"]``. Another middleware with the same protector, and a view decorated with its
    ``@require_oauth``, use this result and check their own requirements: the scope, the token, and the signed body.

    The handshake of a WebSocket is verified as a GET. Its signature may be over ``http`` or ``https``, or over ``ws``
    or ``wss``, as the connection is. Nothing signs the messages.

    If the protector serves several Quart applications, the configuration of the wrapped one counts: the one at the end
    of the chain of ``app`` attributes.
    """

    def __init__(
        self,
        app: ASGIApp,
        protector: AnyProtector,
        prefixes: Collection[str],
        *,
        exclude: Collection[str] = (),
        mounts: Collection[str] = (),
        scope: str | None = None,
        two_legged: bool = False,
        early: bool = False,
        users: bool = False,
        body_hash_required: bool = False,
        cors_preflight: bool = False,
        memory_limit: int = 1024 * 1024,
        max_body_bytes: int | None = None,
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
            exclude: paths that need no signature although a prefix covers them, with what is below them. Only the
                plain spelling is excluded: ``/health`` excludes ``/health/live``, but neither ``/Health`` nor
                ``/health/../photos``.
            mounts: decoded paths that the application takes off without looking for a slash, so that a mount at
                ``/mount`` also gets ``/mountx``. The mounts of Litestar and BlackSheep are found at the first request,
                through any middleware that keeps what it wraps as ``app``. Name them if the application is wrapped
                otherwise, and name the prefixes of Falcon's sinks.
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            early: call the application before a body with ``oauth_body_hash`` has arrived. It receives the body as it
                comes, and the last piece once the hash holds. Otherwise it receives ``http.disconnect``, nothing that
                it sends then goes out, and the client gets 401, or a broken connection if a response had begun.
            users: set ``scope["user"]`` and ``scope["auth"]``, as Starlette's authentication does.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``, as the
                decorators do. ``Policy(require_signed_body=True)`` also lets requests without a body pass.
            cors_preflight: let CORS preflights pass unverified: OPTIONS requests with ``Origin`` and
                ``Access-Control-Request-Method`` and without ``Authorization``. The application must answer them
                without running anything that needs protection. CORS middleware in front of this one needs no such
                exception, and also adds its headers to refusals.
            memory_limit: octets of a body that are kept in memory until its hash holds. A longer one goes to a
                temporary file, which is removed afterwards.
            max_body_bytes: of a body that is hashed for ``oauth_body_hash``; ``None`` for no limit. It is received
                after the signature holds. For forms the policy's limit counts.
            body_timeout: seconds in which a form must have arrived, and the longest pause in a body that is hashed.

        Raises:
            TypeError: one string was given where several are expected.
            ValueError: a prefix does not begin with a slash, or holds ``..``, ``;``, ``?``, ``#`` or NUL; an excluded
                path is not plain, or a prefix is below it.
        """
        self._covered = CoveredPaths(prefixes)
        self._excluded = ExcludedPaths(exclude, prefixes)
        self._mounts = mounts
        self._layout: Layout | None = None
        self.app = app
        *_, self._application = applications_behind(app)
        self.protector = protector
        observe_on_loop(protector)
        self.scope = scope
        self.two_legged = two_legged
        self.early = early
        self.users = users
        self.body_hash_required = body_hash_required
        self.cors_preflight = cors_preflight
        self.memory_limit = memory_limit
        self.max_body_bytes = max_body_bytes
        self.body_timeout = body_timeout

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(self.app, [self.protector], scope, receive, send)
        elif scope["type"] in ("http", "websocket"):
            body = ReceivedBody(
                receive, self.body_timeout, memory_limit=self.memory_limit, max_bytes=self.max_body_bytes
            )
            try:
                await self._serve(snapshot(scope), body, receive, send)
            finally:
                body.close()
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, body: ReceivedBody, receive: Receive, send: Send) -> None:
        before = application_behind.set(self._application)
        try:
            scope = self._routable(scope)
            verified = await self._verify(scope, body) if self._wants_signature(scope) else None
            if self.users:
                scope = await with_user(scope, verified and verified.request)
        except OAuth1Error as error:
            await refuse(error, self.protector.policy, scope, receive, send)
            return
        except ClientHasLeftError:
            return
        finally:
            application_behind.reset(before)
        if verified is None:
            await self.app(scope, receive, send)
        else:
            await self._call_verified(verified, scope, body, receive, send)

    async def _call_verified(
        self, verified: Verified, scope: Scope, body: ReceivedBody, receive: Receive, send: Send
    ) -> None:
        request, scope = verified.request, {**scope, SCOPE_KEY: verified}
        current = verified_request.set(request)
        try:
            if request.body_hash_follows and not body.received and not request.body_hash_holds:
                await self._deliver_early(request, scope, body, receive, send)
            else:
                await self.app(scope, body.receive_again if body.received else receive, send)
        finally:
            verified_request.reset(current)

    async def _deliver_early(
        self, request: OAuth1Request, scope: Scope, body: ReceivedBody, receive: Receive, send: Send
    ) -> None:
        async def refuse_early(error: OAuth1Error, has_answered: bool) -> None:  # noqa: FBT001 - `Refuse` passes it by position
            self.protector.report_refusal(error, request)
            if not has_answered:
                await refuse(error, self.protector.policy, scope, receive, send)

        await EarlyDelivery(request, body, receive, send, refuse_early).run(self.app, scope)

    def _routable(self, scope: Scope) -> Scope:
        if scope["type"] == "http":
            return with_path(scope, self.protector.policy)
        if not scope["path"].startswith("/"):  # it is unknown how a framework routes it
            raise InvalidRequestError("The target of the WebSocket is not a path.")
        return scope

    def _wants_signature(self, scope: Scope) -> bool:
        if self._layout is None:  # at the first request: routes may be added after the application was wrapped
            self._layout = layout_of(self.app, self._mounts)
        if not self._covered.cover(scope, self._layout):
            return False
        if self._excluded.cover(scope, self._layout, self._covered):
            return False
        if not self.cors_preflight or scope["type"] != "http":
            return True
        return not is_preflight(scope["method"], (name.decode("latin-1") for name, _ in scope["headers"]))

    async def _verify(self, scope: Scope, body: ReceivedBody) -> Verified:
        earlier: Verified | None = scope.get(SCOPE_KEY)
        if earlier is not None and earlier.protector is self.protector:
            await self._check_again(earlier, body)
            return earlier
        policy = self.protector.policy
        request = request_from_scope(scope, policy, await _read_form(scope, body, policy))
        _let_read(request, body)
        if self.early and "oauth_body_hash" in request.oauth_params and _may_have_body(scope):
            request.body_hash_follows = True
        await self.protector.validate_request(
            request, scope=self.scope, two_legged=self.two_legged, body_hash_required=self.body_hash_required
        )
        return Verified(self.protector, request, policy)

    async def _check_again(self, earlier: Verified, body: ReceivedBody) -> None:
        """Check what this middleware demands of a request that another one with the same protector has verified."""
        request = earlier.request
        _let_read(request, body)
        if request.body_hash_follows and not request.body_hash_holds and not self.early:
            # The outer middleware lets the body end only if the hash holds.
            await body.digest("sha1")
        await self.protector.check_verified(
            request,
            scope=self.scope,
            two_legged=self.two_legged,
            body_hash_required=self.body_hash_required,
            verified_by=earlier.policy,
        )


async def _read_form(scope: Scope, body: ReceivedBody, policy: Policy) -> bytes | None:
    content_type = content_type_of(scope)
    if scope["type"] != "http" or not (content_type and is_form(content_type)):
        return None
    form = await body.read_form(policy)
    check_length(scope, len(form))
    return form


def _let_read(request: OAuth1Request, body: ReceivedBody) -> None:
    if request.body is None:  # neither a form nor the handshake of a WebSocket
        request.read_body = body.peek  # only to see whether there is one
        request.digest_body = body.digest


def _may_have_body(scope: Scope) -> bool:
    return scope["type"] == "http" and (announces_body(scope["headers"]) or has_unannounced_length(scope))
