"""The authorization server and the resource protector of Quart applications."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from quart import Quart, Response, current_app, g
from quart.wrappers import Request

from async_oauth1.asgi.middleware import SCOPE_KEY, Verified
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.authorization_server import AuthorizationServer as _AuthorizationServer
from async_oauth1.provider.hooks import ExistsNonce, QueryClient, QueryToken, TokenGenerator
from async_oauth1.provider.resource_protector import ResourceProtector as _ResourceProtector
from async_oauth1.provider.responses import OAuth1Response, resource_error_response

from .applications import ServesApplications, TokenGenerators
from .requests import current_request, make_response, read_body, read_request

__all__ = ["AuthorizationServer", "ResourceProtector"]

T = TypeVar("T")
View = Callable[..., Any]


class AuthorizationServer(ServesApplications, _AuthorizationServer):
    """The authorization server of a Quart application. Its methods read the current request.

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, ``OAUTH1_TOKEN_GENERATOR``,
    ``OAUTH1_TOKEN_SECRET_GENERATOR`` (callables, async or not, or import strings), ``OAUTH1_TOKEN_LENGTH`` (42),
    ``OAUTH1_TOKEN_SECRET_LENGTH`` (48), and every attribute of `Policy` in upper case behind ``OAUTH1_``.
    """

    def __init__(
        self,
        app: Quart | None = None,
        query_client: QueryClient | None = None,
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
            policy: the rules, before the application's configuration.
            hooks: more hooks by name.
        """
        super().__init__(policy, **hooks)
        self._exchanges: set[asyncio.Future[Any]] = set()
        self._give(query_client=query_client, token_generator=token_generator)
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Quart, query_client: QueryClient | None = None, token_generator: TokenGenerator | None = None
    ) -> None:
        """Take an application's configuration, and check the hooks before it serves.

        Args:
            app: the application.
            query_client: the hook of that name.
            token_generator: the hook of that name.

        Raises:
            ValueError: a value of the configuration is out of its range.
            TypeError: a value of the configuration is of the wrong kind.
        """
        self._give(query_client=query_client, token_generator=token_generator)
        if self.hooks.get("token_generator") is None:
            self.register_hook("token_generator", TokenGenerators())
        generators = self.hooks.get("token_generator")
        if isinstance(generators, TokenGenerators):
            generators.add(app)
        self.adopt(app)
        app.after_serving(self._finish_exchanges)

    async def create_temporary_credentials_response(self, request: Request | None = None) -> Response:
        """Answer a request for temporary credentials (RFC 5849 section 2.1), errors included."""
        response: Response = await super().create_temporary_credentials_response(request)
        return response

    async def create_token_response(self, request: Request | None = None) -> Response:
        """Answer a request for token credentials (section 2.3), errors included."""
        response: Response = await super().create_token_response(request)
        return response

    async def create_authorization_response(self, request: Request | None = None, grant_user: Any = None) -> Response:
        """Record the resource owner's answer and redirect to the callback (section 2.2).

        Args:
            request: the current one, where it is left out.
            grant_user: who approves: a user's id, or an object with ``get_user_id()`` or ``id``; ``None`` denies.

        Raises:
            OAuth1Error: the temporary credentials are unknown, expired or decided; show a page that says so.
        """
        response: Response = await super().create_authorization_response(request, grant_user)
        return response

    async def create_oauth1_request(self, request: Request | None) -> OAuth1Request:
        """Read a request of Quart's, the current one where there is none."""
        return await read_request(request, self.policy)

    def handle_response(self, response: OAuth1Response) -> Response:
        """Make a response of Quart's."""
        return make_response(response)

    async def shield(self, awaitable: Awaitable[T]) -> T:
        """Keep an exchange going: Quart cancels the handler of a client that hangs up."""
        exchange = asyncio.ensure_future(awaitable)
        self._exchanges.add(exchange)
        exchange.add_done_callback(self._exchanges.discard)
        return await asyncio.shield(exchange)

    async def _finish_exchanges(self) -> None:
        await asyncio.gather(*self._exchanges, return_exceptions=True)

    def _give(self, **hooks: Callable[..., Any] | None) -> None:
        for name, func in hooks.items():
            if func is not None:
                self.register_hook(name, func)


class ResourceProtector(ServesApplications, _ResourceProtector):
    """Protects the views of a Quart application.

        @require_oauth()                    a token credential is needed
        @require_oauth("photos.read")       one that covers the scope
        @require_oauth(two_legged=True)     the client alone is enough

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, and every attribute of `Policy` in upper case behind
    ``OAUTH1_``.
    """

    def __init__(
        self,
        app: Quart | None = None,
        query_client: QueryClient | None = None,
        query_token: QueryToken | None = None,
        exists_nonce: ExistsNonce | None = None,
        *,
        policy: Policy | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        """Make a protector, for an application now or with `init_app` later.

        Args:
            app: the application.
            query_client: the hook of that name.
            query_token: the hook of that name.
            exists_nonce: the hook of that name.
            policy: the rules, before the application's configuration.
            hooks: more hooks by name.
        """
        super().__init__(policy, **hooks)
        self._give(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Quart,
        query_client: QueryClient | None = None,
        query_token: QueryToken | None = None,
        exists_nonce: ExistsNonce | None = None,
    ) -> None:
        """Take an application's configuration, and check the hooks before it serves.

        Args:
            app: the application.
            query_client: the hook of that name.
            query_token: the hook of that name.
            exists_nonce: the hook of that name.

        Raises:
            ValueError: a value of the configuration is out of its range.
            TypeError: a value of the configuration is of the wrong kind.
        """
        self._give(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        self.adopt(app)
        if self._protect_automatic_options not in app.before_request_funcs[None]:
            app.before_request(self._protect_automatic_options)

    @overload
    def __call__(self, scope: View, /) -> View: ...

    @overload
    def __call__(
        self, scope: str | None = None, *, two_legged: bool = False, body_hash_required: bool = False
    ) -> Callable[[View], View]: ...

    def __call__(
        self, scope: View | str | None = None, *, two_legged: bool = False, body_hash_required: bool = False
    ) -> View | Callable[[View], View]:
        """Protect a view, async or plain; see the class.

        Args:
            scope: what the token credential must cover, several separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse bodies that no signature covers.
        """
        if callable(scope):
            return self()(scope)
        acquire = functools.partial(
            self.acquire_credential, scope, two_legged=two_legged, body_hash_required=body_hash_required
        )

        def decorator(view: View) -> View:
            is_async = inspect.iscoroutinefunction(view)

            @functools.wraps(view)
            async def protected(*args: Any, **kwargs: Any) -> Any:
                try:
                    await acquire()
                except OAuth1Error as error:
                    return self.error_response(error)
                if is_async:
                    return await view(*args, **kwargs)
                return await current_app.ensure_async(view)(*args, **kwargs)

            protected.__dict__["oauth1_protection"] = self, acquire
            return protected

        return decorator

    async def acquire_credential(
        self, scope: str | None = None, *, two_legged: bool = False, body_hash_required: bool = False
    ) -> Any:
        """Verify the current request, for views that do so themselves.

        Args:
            scope: what the token credential must cover, several separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``. PLAINTEXT signs
                neither; ``Policy(require_signed_body=True)`` refuses its bodies, too.

        Returns:
            The token credential; ``None`` for a two-legged request without one.

        Raises:
            OAuth1Error: the request is not accepted; `error_response` makes a response of it.
        """
        current = current_request()
        quart_scope: Any = current.scope
        verified: Verified | None = quart_scope.get(SCOPE_KEY)
        if verified is not None and verified.protector is self:  # by the middleware; the nonce is used
            request = verified.request
            if verified.policy is not self.policy:  # this application's configuration is another one
                request.read_body = functools.partial(read_body, current)
                self.check_request(request)
                await self.verify_body(request)
            await self.check_verified(
                request, scope=scope, two_legged=two_legged, body_hash_required=body_hash_required
            )
        else:
            request = await read_request(current, self.policy)
            await self.validate_request(
                request, scope=scope, two_legged=two_legged, body_hash_required=body_hash_required
            )
        g.async_oauth1_request = request
        return request.credential

    def error_response(self, error: OAuth1Error) -> Response:
        """The JSON answer for an error."""
        return make_response(resource_error_response(error, realm=self.policy.realm))

    async def _protect_automatic_options(self) -> Response | None:
        """Quart answers OPTIONS before any view is asked; a protected route's wants a signature, too."""
        request = current_request()
        if request.method != "OPTIONS":
            return None
        rule = request.url_rule
        if rule is None or not rule.provide_automatic_options:
            return None
        view = current_app.view_functions.get(rule.endpoint)
        protection: tuple[object, Callable[[], Awaitable[Any]]] | None = getattr(view, "oauth1_protection", None)
        if protection is None or protection[0] is not self:
            return None
        try:
            await protection[1]()
        except OAuth1Error as error:
            return self.error_response(error)
        return None

    def _give(self, **hooks: Callable[..., Any] | None) -> None:
        for name, func in hooks.items():
            if func is not None:
                self.register_hook(name, func)
