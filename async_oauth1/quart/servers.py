"""The authorization server and the resource protector of Quart applications."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from quart import Quart, Response, current_app
from quart.wrappers import Request, Websocket

from async_oauth1.asgi.routing.preflights import find_cors_wrapper
from async_oauth1.asgi.verifying.announcing import raise_refused, tell_use
from async_oauth1.asgi.verifying.bearer import QueryBearer, carries_bearer
from async_oauth1.asgi.verifying.demands import SCOPE_KEY, Verified, verified_in
from async_oauth1.asgi.verifying.verification import verify_with_bearer
from async_oauth1.credentials import ClientLike, ClientT_co, TokenCredentialLike, TokenT_co
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.authorization_server import AuthorizationServer as _AuthorizationServer
from async_oauth1.provider.hooks import ExistsNonce, QueryClient, QueryToken, TokenGenerator
from async_oauth1.provider.resource_protector import ResourceProtector as _ResourceProtector
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.retirement import Retirement

from .applications import ServesApplications, TokenGenerators
from .requests import (
    announce_in_response,
    announce_later,
    answers_preflight,
    body_reader,
    close_unanswered,
    current_connection,
    make_response,
    read_request,
    read_without_form,
    remember_in_context,
)

__all__ = ["AuthorizationServer", "ResourceProtector"]

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

_new_tuple = cast("Any", tuple).__new__


class ViewDecorator(Protocol):
    """Protects a view, async or plain. The protected view is async, and returns a `Response` for a refused request."""

    @overload
    def __call__(self, view: Callable[P, Awaitable[R]], /) -> Callable[P, Coroutine[Any, Any, R | Response]]: ...

    @overload
    def __call__(self, view: Callable[P, R], /) -> Callable[P, Coroutine[Any, Any, R | Response]]: ...


class AuthorizationServer(ServesApplications, _AuthorizationServer[Request, Response]):
    """The authorization server of a Quart application. Its methods use the current request if none is given.

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, ``OAUTH1_TOKEN_GENERATOR``,
    ``OAUTH1_TOKEN_SECRET_GENERATOR`` (functions, async or not, or import paths), ``OAUTH1_TOKEN_LENGTH`` (42),
    ``OAUTH1_TOKEN_SECRET_LENGTH`` (48), and every attribute of `Policy` in upper case with the prefix ``OAUTH1_``.
    """

    def __init__(
        self,
        app: Quart | None = None,
        query_client: QueryClient[ClientLike] | None = None,
        token_generator: TokenGenerator | None = None,
        *,
        policy: Policy | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        """Make a server, for an application now or with `init_app` later.

        Args:
            app: the application.
            query_client: the hook of that name.
            token_generator: the hook of that name.
            policy: the rules, unless the application's configuration sets others.
            hooks: more hooks by name.
        """
        super().__init__(policy, **hooks)
        self._exchanges: set[asyncio.Future[Any]] = set()
        self.register_given(query_client=query_client, token_generator=token_generator)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Quart,
        query_client: QueryClient[ClientLike] | None = None,
        token_generator: TokenGenerator | None = None,
    ) -> None:
        """Read an application's configuration, and have the hooks checked before it serves.

        Args:
            app: the application.
            query_client: the hook of that name.
            token_generator: the hook of that name.

        Raises:
            ValueError: a value of the configuration is out of range.
            TypeError: a value of the configuration is of the wrong type.
        """
        self.register_given(query_client=query_client, token_generator=token_generator)
        if self.hooks.get("token_generator") is None:
            self.register_hook("token_generator", TokenGenerators())
        generators = self.hooks.get("token_generator")
        if isinstance(generators, TokenGenerators):
            generators.add(app)
        self.adopt(app)
        app.after_serving(self._finish_exchanges)

    async def create_oauth1_request(self, request: Request | None) -> OAuth1Request:
        """Read a request of Quart's, the current one if none is given."""
        read = await read_request(request, self.policy)
        if self.limiter is not None:
            announce_later(read)
        return read

    def handle_response(self, response: OAuth1Response) -> Response:
        """Make a response of Quart's."""
        return make_response(response)

    async def shield(self, awaitable: Awaitable[T]) -> T:
        """Finish an exchange although the client has disconnected: Quart then cancels the view."""
        exchange = asyncio.ensure_future(awaitable)
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        return await asyncio.shield(exchange)

    async def _finish_exchanges(self) -> None:
        await asyncio.gather(*self._exchanges, return_exceptions=True)


class ResourceProtector(ServesApplications, _ResourceProtector[ClientT_co, TokenT_co]):
    """Protects the views of a Quart application.

        @require_oauth()                    requires token credentials
        @require_oauth("photos.read")       requires token credentials that cover the scope
        @require_oauth(two_legged=True)     accepts the client's signature without a token

    Type checkers know the models as `Client` and `TokenCredential`. If a provider has its own, they are taken from the
    hooks, or named: ``ResourceProtector[MyClient, MyToken](app)``.

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, and every attribute of `Policy` in upper case with the prefix
    ``OAUTH1_``.
    """

    def __init__(
        self,
        app: Quart | None = None,
        query_client: QueryClient[ClientT_co] | None = None,
        query_token: QueryToken[TokenT_co] | None = None,
        exists_nonce: ExistsNonce | None = None,
        *,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.time,
        retirement: Retirement | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        """Make a protector, for an application now or with `init_app` later.

        Args:
            app: the application.
            query_client: the hook of that name.
            query_token: the hook of that name.
            exists_nonce: the hook of that name.
            policy: the rules, unless the application's configuration sets others.
            clock: Unix time in seconds.
            retirement: announces the end of OAuth 1.0 to clients.
            hooks: more hooks by name.
        """
        super().__init__(policy, clock=clock, retirement=retirement, **hooks)
        self.register_given(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Quart,
        query_client: QueryClient[ClientLike] | None = None,
        query_token: QueryToken[TokenCredentialLike] | None = None,
        exists_nonce: ExistsNonce | None = None,
    ) -> None:
        """Read an application's configuration, and have the hooks checked before it serves.

        Args:
            app: the application.
            query_client: the hook of that name.
            query_token: the hook of that name.
            exists_nonce: the hook of that name.

        Raises:
            ValueError: a value of the configuration is out of range.
            TypeError: a value of the configuration is of the wrong type.
        """
        self.register_given(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        self.adopt(app)

    @overload
    def __call__(self, scope: Callable[P, Awaitable[R]], /) -> Callable[P, Coroutine[Any, Any, R | Response]]: ...

    @overload
    def __call__(self, scope: Callable[P, R], /) -> Callable[P, Coroutine[Any, Any, R | Response]]: ...

    @overload
    def __call__(
        self,
        scope: str | None = None,
        *,
        two_legged: bool = False,
        body_hash_required: bool = False,
        query_bearer: QueryBearer | None = None,
    ) -> ViewDecorator: ...

    def __call__(
        self,
        scope: Callable[..., Any] | str | None = None,
        *,
        two_legged: bool = False,
        body_hash_required: bool = False,
        query_bearer: QueryBearer | None = None,
    ) -> Callable[..., Any]:
        """Protect a view, async or plain, or the handler of a WebSocket; see the class.

        OPTIONS requests that Quart or a CORS extension answers without calling the view are not verified.

        Args:
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse bodies that no signature covers.
            query_bearer: looks up bearer tokens, which are then accepted, too, as by `OAuth1Middleware`.
        """
        if callable(scope):
            return self()(scope)

        def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
            is_async = inspect.iscoroutinefunction(view)
            cors = find_cors_wrapper(view)

            @functools.wraps(view)
            async def protected(*args: Any, **kwargs: Any) -> Any:
                try:
                    if cors is None or not answers_preflight(cors):
                        await self.acquire_credential(
                            scope,
                            two_legged=two_legged,
                            body_hash_required=body_hash_required,
                            query_bearer=query_bearer,
                        )
                except OAuth1Error as error:
                    await close_unanswered()
                    return self.error_response(error)
                if is_async:
                    return await view(*args, **kwargs)
                return await current_app.ensure_async(view)(*args, **kwargs)

            return protected

        return decorator

    async def acquire_credential(
        self,
        scope: str | None = None,
        *,
        two_legged: bool = False,
        body_hash_required: bool = False,
        query_bearer: QueryBearer | None = None,
    ) -> TokenT_co | None:
        """Verify the current request, in views without the decorator.

        Args:
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse a request that is neither a form nor has an ``oauth_body_hash``. PLAINTEXT signs
                neither; ``Policy(require_signed_body=True)`` refuses its bodies, too.
            query_bearer: looks up bearer tokens, which are then accepted, too, as by `OAuth1Middleware`.

        Returns:
            The token credential; ``None`` for a two-legged request without one; for a bearer token, its principal.

        Raises:
            OAuth1Error: the request is not accepted; `error_response` makes the response.
        """
        current = current_connection()
        quart_scope: Any = current.scope
        try:
            # What usual requests do is written here: each method of its own would be one more coroutine for them.
            if SCOPE_KEY in quart_scope and (verified := verified_in(quart_scope, self)) is not None:
                await self._check_again(verified, current, scope, two_legged, body_hash_required)
            else:
                policy = self.policy
                request = read_without_form(current, policy) or await read_request(current, policy)
                if query_bearer is not None and carries_bearer(request):
                    verified = await verify_with_bearer(self, request, query_bearer, scope, quart_scope)
                else:
                    await self.validate_request(
                        request, scope=scope, two_legged=two_legged, body_hash_required=body_hash_required
                    )
                    if self.retirement is not None:
                        await tell_use(self, request)
                    # The constructor of the named tuple takes twice as long. Without it, all fields must be given.
                    verified = _new_tuple(Verified, (self, request, policy, quart_scope.get(SCOPE_KEY), None))
                quart_scope[SCOPE_KEY] = verified
        except OAuth1Error as error:
            self.report_refusal(error, None)
            raise_refused(error, self, quart_scope, takes_bearer=query_bearer is not None)
        if self.retirement is not None and verified.scheme == "oauth":
            announce_in_response(self.retirement.headers)
        request, fields = verified.request, verified.request.response_fields
        if fields:
            announce_in_response(fields)
        remember_in_context(request)
        credential: TokenT_co | None = request.credential
        return credential

    async def _check_again(
        self,
        verified: Verified,
        current: Request | Websocket,
        scope: str | None,
        two_legged: bool,  # noqa: FBT001 - as `acquire_credential` has it
        body_hash_required: bool,  # noqa: FBT001 - the same
    ) -> None:
        """Check what is demanded more of a request whose nonce has been used already."""
        request = verified.request
        if verified.policy is not self.policy and isinstance(current, Request):  # by another application's rules
            request.read_body, request.digest_body = body_reader(current), None
        await self.check_verified(
            request,
            scope=scope,
            two_legged=two_legged,
            body_hash_required=body_hash_required,
            verified_by=verified.policy,
        )
