"""Middleware that verifies requests before a framework handles them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.explaining import observe_on_loop

from .origin import with_path
from .requests import ASGIApp, Receive, Scope, Send, application_behind, snapshot
from .routing.covered_paths import CoveredPaths, ExcludedPaths, Layout, applications_behind, layout_of
from .routing.preflights import is_preflight
from .startup import run_lifespan
from .users import with_user
from .verifying.bearer import QueryBearer
from .verifying.demands import AnyProtector, Demands
from .verifying.gate import Gate, RefuseConnection

__all__ = ["OAuth1Middleware"]


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

    #: Sets ``scope["user"]`` and ``scope["auth"]``; an adapter may have classes of its own.
    with_user = staticmethod(with_user)

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
        query_bearer: QueryBearer | None = None,
        cors_preflight: bool = False,
        memory_limit: int = 1024 * 1024,
        max_body_bytes: int | None = None,
        body_timeout: float = 60.0,
        refuse: RefuseConnection | None = None,
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
            query_bearer: looks up bearer tokens (RFC 6750), which are then accepted beside OAuth 1.0; async or not. It
                returns a principal, or ``None`` for a token that is not accepted. The view finds the scheme and the
                principal in ``scope["async_oauth1.verified"]``, and the principal as `current_credential`, too. If
                ``scope`` is given, it must be granted by the principal's ``get_scope()``, or its attribute or key
                ``scope`` or ``scopes``.
            cors_preflight: let CORS preflights pass unverified: OPTIONS requests with ``Origin`` and
                ``Access-Control-Request-Method`` and without ``Authorization``. The application must answer them
                without running anything that needs protection. CORS middleware in front of this one needs no such
                exception, and also adds its headers to refusals.
            memory_limit: octets of a body that are kept in memory until its hash holds. A longer one goes to a
                temporary file, which is removed afterwards.
            max_body_bytes: of a body that is hashed for ``oauth_body_hash``; ``None`` for no limit. It is received
                after the signature holds. For forms the policy's limit counts.
            body_timeout: seconds in which a form must have arrived, and the longest pause in a body that is hashed.
            refuse: answers a refused connection; for adapters.

        Raises:
            TypeError: one string was given where several are expected.
            ValueError: a prefix does not begin with a slash, or holds ``..``, ``;``, ``?``, ``#`` or NUL; an excluded
                path is not plain, or a prefix is below it.
        """
        self._covered = CoveredPaths(prefixes)
        excluded = ExcludedPaths(exclude, prefixes)
        self._excluded = excluded if exclude else None
        self._mounts = mounts
        self._layout: Layout | None = None
        self.app = app
        *_, self._application = applications_behind(app)
        self.protector = protector
        observe_on_loop(protector)
        demands = Demands(
            scope=scope,
            two_legged=two_legged,
            early=early,
            body_hash_required=body_hash_required,
            query_bearer=query_bearer,
            memory_limit=memory_limit,
            max_body_bytes=max_body_bytes,
            body_timeout=body_timeout,
        )
        self.users = users
        self.cors_preflight = cors_preflight
        self._gate = Gate(
            protector,
            demands,
            prepare=self.with_user if users else None,
            refuse=refuse,
            application=self._application,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await run_lifespan(self.app, [self.protector], scope, receive, send)
            return
        if scope["type"] in ("http", "websocket"):
            scope = snapshot(scope)
            if not scope["path"].startswith("/"):
                scope = await self._with_path(scope, receive, send)
                if scope is None:
                    return
            if self._wants_signature(scope):
                await self._gate.serve(self.app, scope, receive, send)
                return
            if self.users:
                scope = await self.with_user(scope, None)
        await self.app(scope, receive, send)

    async def _with_path(self, scope: Scope, receive: Receive, send: Send) -> Scope | None:
        """The scope with a path as target; ``None`` if the target is not a path, and the connection was refused."""
        before = application_behind.set(self._application)
        try:
            if scope["type"] == "websocket":  # it is unknown how a framework routes it
                raise InvalidRequestError("The target of the WebSocket is not a path.")
            return with_path(scope, self.protector.policy)
        except OAuth1Error as error:
            await self._gate.refuse(error, scope, receive, send)
        finally:
            application_behind.reset(before)
        return None

    def _wants_signature(self, scope: Scope) -> bool:
        if self._layout is None:  # at the first request: routes may be added after the application was wrapped
            self._layout = layout_of(self.app, self._mounts)
        if not self._covered.cover(scope, self._layout):
            return False
        if self._excluded is not None and self._excluded.cover(scope, self._layout, self._covered):
            return False
        if not self.cors_preflight or scope["type"] != "http":
            return True
        return not is_preflight(scope["method"], (name.decode("latin-1") for name, _ in scope["headers"]))
