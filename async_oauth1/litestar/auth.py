"""The security backend."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Generic, cast

from litestar.config.app import AppConfig
from litestar.connection import ASGIConnection
from litestar.middleware.base import DefineMiddleware
from litestar.openapi.spec import Components, SecurityRequirement, SecurityScheme
from litestar.security.base import AbstractSecurityConfig

from async_oauth1.asgi.verifying.bearer import QueryBearer
from async_oauth1.asgi.verifying.demands import AnyProtector, Demands
from async_oauth1.credentials import ClientT_co, TokenT_co
from async_oauth1.explaining import observe_on_loop
from async_oauth1.provider.resource_protector import ResourceProtector

from .exceptions import Exceptions
from .middleware import RouteMiddleware
from .refusals import Answering
from .startup import HookCheck
from .users import Users

__all__ = ["OAuth1Auth"]


class OAuth1Auth(AbstractSecurityConfig[Any, Any], Generic[ClientT_co, TokenT_co]):
    """Verifies every request to an application, or to the routers that have its ``middleware``.

        oauth1 = OAuth1Auth(protector, retrieve_user_handler=load_user, exclude=["/schema"])
        app = Litestar([photos], on_app_init=[oauth1.on_app_init])
        router = Router("/photos", route_handlers=[photos], middleware=[oauth1.middleware])

    Every method needs a signature, HEAD and OPTIONS too, and the handshakes of WebSockets, and whatever is mounted.
    A request that Litestar does not route keeps its 404 or 405. A handler finds the token credential in
    ``request.auth``, or the client if the request is two-legged, and in ``request.user`` what ``retrieve_user_handler``
    has returned, or else an `OAuth1User`.

    A refusal is answered as in every other framework. An exception handler of the application for `OAuth1Error` comes
    first.
    """

    def __init__(
        self,
        protector: ResourceProtector[ClientT_co, TokenT_co],
        retrieve_user_handler: Callable[[TokenT_co, ASGIConnection[Any, Any, Any, Any]], object] | None = None,
        *,
        exclude: Collection[str] = (),
        exclude_opt_key: str = "exclude_from_auth",
        scope: str | None = None,
        two_legged: bool = False,
        early: bool = False,
        body_hash_required: bool = False,
        query_bearer: QueryBearer | None = None,
        cors_preflight: bool = False,
        memory_limit: int = 1024 * 1024,
        max_body_bytes: int | None = None,
        body_timeout: float = 60.0,
        security_scheme: str = "OAuth1",
    ) -> None:
        """Configure what is verified.

        Args:
            protector: verifies the requests.
            retrieve_user_handler: a function, async or not, of the token credential and the connection. If a request is
                two-legged, it gets the client instead. It returns the user; ``None`` refuses the request with 401.
            exclude: paths that need no signature, with what is below them. They are no patterns, and are compared with
                the whole path, that of a mount included. Only the plain spelling is excluded.
            exclude_opt_key: an option of routes that need no signature: ``@get("/", exclude_from_auth=True)``.
            scope: the scopes that the token credential must cover, separated by spaces, besides those of guards.
            two_legged: accept the client's signature without a token, on routes whose guards say nothing.
            early: call the handler before a body with ``oauth_body_hash`` has arrived. It receives the body as it
                comes, and the last piece once the hash holds. Otherwise it receives ``http.disconnect``, nothing that
                it sends then goes out, and the client gets 401, or a broken connection if a response had begun.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
            query_bearer: looks up bearer tokens (RFC 6750), which are then accepted beside OAuth 1.0; async or not. It
                returns a principal, which is ``request.auth``, and what ``retrieve_user_handler`` gets, or ``None`` for
                a token that is not accepted. ``request.scope["async_oauth1.verified"].scheme`` says which it was.
            cors_preflight: let CORS preflights pass unverified: OPTIONS requests with ``Origin`` and
                ``Access-Control-Request-Method`` and without ``Authorization``. Litestar's ``CORSConfig`` answers them
                before this is called, and needs no such exception.
            memory_limit: octets of a body that are kept in memory until its hash holds; a longer one goes to a file.
            max_body_bytes: of a body that is hashed; ``None`` for no limit. Litestar's ``request_max_body_size`` limits
                what handlers read, to 10 MB by default.
            body_timeout: seconds in which a form must have arrived, and the longest pause in a body that is hashed.
            security_scheme: the name of the scheme in the OpenAPI document.

        Raises:
            TypeError: one string was given where several are expected.
            ValueError: an excluded path is not plain.
        """
        self.protector = protector
        self.security_scheme = security_scheme
        self.exclude_opt_key = exclude_opt_key
        self._exceptions = Exceptions(exclude, exclude_opt_key, cors_preflight=cors_preflight)
        self._demands = Demands(
            scope=scope,
            two_legged=two_legged,
            early=early,
            body_hash_required=body_hash_required,
            query_bearer=query_bearer,
            memory_limit=memory_limit,
            max_body_bytes=max_body_bytes,
            body_timeout=body_timeout,
        )
        self._users = Users(self._any_protector, retrieve_user_handler, takes_bearer=query_bearer is not None)
        observe_on_loop(protector)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Protect a whole application, describe that in its OpenAPI document, and check the hooks when it starts.

        Args:
            app_config: as Litestar passes it.
        """
        app_config = super().on_app_init(app_config)
        config: Any = app_config  # its type of exception handlers is incomplete
        for kind, handler in Answering(self.protector.policy).handlers().items():
            config.exception_handlers.setdefault(kind, handler)
        check = next((hook for hook in app_config.on_startup if isinstance(hook, HookCheck)), None)
        if check is None:
            check = HookCheck()
            app_config.on_startup.append(check)
        check.servers.append(self.protector)
        return app_config

    @property
    def middleware(self) -> DefineMiddleware:
        """The middleware for a router or a controller. Litestar copies it with them, but not the protector."""
        return DefineMiddleware(
            RouteMiddleware,
            protector=self._any_protector,
            demands=self._demands,
            exceptions=self._exceptions,
            users=self._users,
        )

    @property
    def openapi_components(self) -> Components:
        """The registered scheme ``oauth`` of HTTP authentication."""
        scheme = SecurityScheme(
            type="http", scheme="oauth", description="OAuth 1.0 (RFC 5849): each request is signed."
        )
        return Components(security_schemes={self.security_scheme: scheme})

    @property
    def security_requirement(self) -> SecurityRequirement:
        """What the OpenAPI document demands of every operation."""
        return {self.security_scheme: []}

    @property
    def _any_protector(self) -> AnyProtector:
        return cast("AnyProtector", self.protector)
