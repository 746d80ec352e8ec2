"""The middleware of `async_oauth1.asgi`, with Starlette's own classes of users."""

from __future__ import annotations

from collections.abc import Collection

from async_oauth1 import asgi
from async_oauth1.asgi.requests import ASGIApp
from async_oauth1.asgi.verifying.demands import AnyProtector

from .refusing import OnError, answer_with
from .users import with_user

__all__ = ["OAuth1Middleware"]


class OAuth1Middleware(asgi.OAuth1Middleware):
    """Verifies every request under some path prefixes, and sets ``request.user`` and ``request.auth``.

        Starlette(routes=routes, middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/photos"])])

    It takes the place of Starlette's ``AuthenticationMiddleware``. ``@requires("photos.read")`` checks the scopes of
    the token. Put CORS middleware in front of it, and middleware that reads forms behind it.
    """

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
        users: bool = True,
        body_hash_required: bool = False,
        cors_preflight: bool = False,
        memory_limit: int = 1024 * 1024,
        max_body_bytes: int | None = None,
        body_timeout: float = 60.0,
        on_error: OnError | None = None,
    ) -> None:
        """Wrap an ASGI application.

        Args:
            app: the application.
            protector: verifies the requests.
            prefixes: as for `async_oauth1.asgi.OAuth1Middleware`, as all arguments below but the last.
            exclude: paths that need no signature although a prefix covers them.
            mounts: paths that the application takes off without looking for a slash.
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            early: call the application before a body with ``oauth_body_hash`` has arrived.
            users: set ``request.user`` and ``request.auth``.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
            cors_preflight: let CORS preflights pass unverified.
            memory_limit: octets of a body that are kept in memory until its hash holds.
            max_body_bytes: of a body that is hashed; ``None`` for no limit.
            body_timeout: seconds for a form, and for the longest pause in a body that is hashed.
            on_error: makes the response to a refused connection, from the connection and the error; by default it is
                JSON with ``WWW-Authenticate``.
        """
        super().__init__(
            app,
            protector,
            prefixes,
            exclude=exclude,
            mounts=mounts,
            scope=scope,
            two_legged=two_legged,
            early=early,
            users=users,
            body_hash_required=body_hash_required,
            cors_preflight=cors_preflight,
            memory_limit=memory_limit,
            max_body_bytes=max_body_bytes,
            body_timeout=body_timeout,
            refuse=answer_with(on_error),
        )
