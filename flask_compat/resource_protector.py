"""``ResourceProtector`` and ``current_credential`` with the surface of ``authlib.integrations.flask_oauth1``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from werkzeug.local import LocalProxy

from async_oauth1.asgi.routing.preflights import find_cors_wrapper
from async_oauth1.asgi.verifying.announcing import raise_refused
from async_oauth1.credentials import ClientLike, TokenCredentialLike
from async_oauth1.provider import resource_protector as core
from async_oauth1.provider.hooks import ExistsNonce, QueryClient, QueryToken, call_hook, is_awaitable, resolve
from async_oauth1.provider.hooks.limiting import RetiredByFlows
from async_oauth1.provider.responses import resource_error_response

from .errors import OAuth1Error
from .execution.callable_kinds import is_marked_non_blocking, non_blocking
from .flows.base import ProtectorFlows
from .frameworks.detection import App, Response, context_globals, find_framework
from .server import Server, by_default, check_signatures
from .wrapper import Body, FieldsGiven, OAuth1Request

__all__ = ["ResourceProtector", "current_credential"]

P = ParamSpec("P")

if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    # For type checkers, a proxy is the object behind it, except that it may be false: then there is none.
    class CurrentCredential(TokenCredentialLike, Protocol):
        """What `current_credential` looks like: what the documentation of Authlib and ours use of a model."""

        client_id: str
        user_id: Any
        user: Any
        oauth_token: str
        oauth_token_secret: str

        def get_scope(self) -> str: ...

        def __bool__(self) -> bool: ...

    TokenT_co = _TypeVar("TokenT_co", bound=TokenCredentialLike, covariant=True, default=CurrentCredential)
else:
    TokenT_co = TypeVar("TokenT_co", bound=TokenCredentialLike, covariant=True)

_CREDENTIAL = "authlib_server_oauth1_credential"


class _ViewDecorator(Protocol):
    """Protects a view, and keeps its arguments."""

    def __call__(self, view: Callable[P, Any], /) -> Callable[P, Any]: ...


class ResourceProtector(RetiredByFlows, Server, Generic[TokenT_co]):
    """Protects views of Flask or of Quart, async or plain.

        @require_oauth
        @require_oauth()
        decorators = [require_oauth]            of a MethodView

    Generic in the model of token credentials, for type checkers: it is taken from ``query_token``, or named, as in
    ``ResourceProtector[MyToken](app)``.

    Configuration: ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, and every attribute of `async_oauth1.Policy` in upper case
    behind ``OAUTH1_``.
    """

    _flows: ProtectorFlows

    MISSING_HOOK = '"{}" function is required.'
    OVERRIDABLE = (*Server.OVERRIDABLE, "acquire_credential", "validate_request", "get_token_credential")

    def __init__(
        self,
        app: App | None = None,
        query_client: QueryClient[ClientLike] | None = None,
        query_token: QueryToken[TokenT_co] | None = None,
        exists_nonce: ExistsNonce | None = None,
    ) -> None:
        """Make a protector, for an application now or with `init_app` later.

        Args:
            app: of Flask or Quart.
            query_client: looks a client up by its identifier.
            query_token: looks a token credential up by client identifier and token.
            exists_nonce: remembers a nonce, and says whether it was known.
        """
        super().__init__()
        check_signatures(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        self.query_client = query_client
        self.query_token: QueryToken[TokenCredentialLike] | None = query_token
        self._exists_nonce = exists_nonce
        self.app = app
        self._flows = ProtectorFlows(self)
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: App,
        query_client: QueryClient[ClientLike] | None = None,
        query_token: QueryToken[TokenCredentialLike] | None = None,
        exists_nonce: ExistsNonce | None = None,
    ) -> None:
        """Take an application's configuration.

        Args:
            app: of Flask or Quart.
            query_client: looks a client up by its identifier.
            query_token: looks a token credential up by client identifier and token.
            exists_nonce: remembers a nonce, and says whether it was known.

        Raises:
            TypeError: the application is neither Flask's nor Quart's, or a value of its configuration has a wrong type.
            ValueError: a value of its configuration is out of range.
        """
        check_signatures(query_client=query_client, query_token=query_token, exists_nonce=exists_nonce)
        self._adopt(app)
        if query_client is not None:
            self.query_client = query_client
        if query_token is not None:
            self.query_token = query_token
        if exists_nonce is not None:
            self._exists_nonce = exists_nonce

    @property
    def current_credential(self) -> TokenT_co:
        """The token credential of the current view: the proxy of this name, typed as this protector's model."""
        return cast("TokenT_co", current_credential)

    @overload
    def __call__(self, scope: Callable[P, Any], /) -> Callable[P, Any]: ...

    @overload
    def __call__(self, scope: str | list[str] | None = None) -> _ViewDecorator: ...

    def __call__(self, scope: object = None) -> Callable[..., Any]:
        """Protect a view. A scope is taken and ignored, as in Authlib."""
        return self._protect(scope) if callable(scope) else self._protect

    @non_blocking
    def acquire_credential(self) -> Any:
        """Verify the current request; `current_credential` is its credential from now on.

        Returns:
            The token credential.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        return self._run_endpoint(self._acquire, name="acquire_credential")

    @non_blocking
    def validate_request(self, method: str, uri: str, body: Body, headers: FieldsGiven) -> Any:
        """Verify a request that comes from no framework.

        Args:
            method: HTTP method.
            uri: the whole URI.
            body: a form as pairs, a mapping, text or bytes; ``None`` if there is no body.
            headers: a mapping.

        Returns:
            The request, with its ``client`` and ``credential``.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        if isinstance(uri, _WireURI):
            request = uri.request
        else:
            request = OAuth1Request(method, uri, body, headers, policy=self._flows.policy)
        return self._run(self._flows.validate, request, name="validate_request")

    @by_default(core.ResourceProtector.get_token_credential)
    def get_token_credential(self, request: OAuth1Request) -> Any:
        """Look a token credential up; by default by ``query_token``."""

    def find_hook(self, name: str) -> Callable[..., Any] | None:
        """What was given as a hook."""
        return {
            "query_client": self.query_client,
            "query_token": self.query_token,
            "exists_nonce": self._exists_nonce,
        }[name]

    def _given(self) -> tuple[Any, ...]:
        return self.query_client, self.query_token, self._exists_nonce

    async def _acquire(self) -> object:
        store = context_globals()
        # An application context may be older than the request, as in a test that pushes one around several.
        store.pop(_CREDENTIAL, None)
        try:
            framework = find_framework(self.app)
            request = await framework.read(None, self._flows.policy)
            retirement = self._flows.retirement
            if retirement is not None:
                request.response_fields = retirement.headers
            if retirement is not None or self._flows.limiter is not None:
                framework.announce_later(request)
            verified = await self._validate(request)
        except OAuth1Error as error:
            self._flows.report_refusal(error, None)
            if self._flows.retirement is not None:
                raise_refused(error, self._flows, {}, takes_bearer=False)
            raise
        setattr(store, _CREDENTIAL, verified.credential)
        return verified.credential

    async def _validate(self, request: OAuth1Request) -> Any:
        if is_marked_non_blocking(self.validate_request):  # not overridden
            return await self._flows.validate(request)
        form = dict(reversed(request.body_params))  # the first of a name, as in Flask
        return await call_hook(self.validate_request, request.method, _WireURI.of(request), form, request.headers)

    def _protect(self, view: Callable[P, Any]) -> Callable[P, Any]:
        cors = find_cors_wrapper(view)

        @functools.wraps(view)
        async def protected_async(*args: P.args, **kwargs: P.kwargs) -> object:
            if cors is not None and self._framework().answers_preflight(cors):
                return await view(*args, **kwargs)
            return await self._guard(self._acquire_for_view(), view, args, kwargs)

        @functools.wraps(view)
        def protected(*args: P.args, **kwargs: P.kwargs) -> object:
            if cors is not None and self._framework().answers_preflight(cors):
                return view(*args, **kwargs)
            try:
                acquired = self._acquire_for_view()
            except OAuth1Error as error:
                return self._error_response(error)
            # A plain view that an async function calls on the loop.
            return self._guard(acquired, view, args, kwargs) if is_awaitable(acquired) else view(*args, **kwargs)

        return protected_async if inspect.iscoroutinefunction(view) else protected

    def _acquire_for_view(self) -> object:
        """Call an override as a hook: plain or async, it finds the same in every view."""
        if is_marked_non_blocking(self.acquire_credential):
            return self._run_endpoint(self._acquire, name="acquire_credential")
        return self._run_endpoint(functools.partial(call_hook, self.acquire_credential), name="acquire_credential")

    async def _guard(
        self, acquired: object, view: Callable[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> object:
        try:
            await resolve(acquired)
        except OAuth1Error as error:
            return self._error_response(error)
        return await self._framework().call_view(view, *args, **kwargs)

    def _error_response(self, error: OAuth1Error) -> Response:
        self._flows.report_refusal(error, None)
        policy = self._flows.policy
        response = resource_error_response(error, realm=policy.realm, problems=policy.problem_reporting)
        return self._framework().respond(response.body, response.status_code, response.headers)


class _WireURI(str):
    """A request's URI, which knows the request: an override of ``validate_request`` hands it on with what it knows."""

    __slots__ = ("request",)

    request: OAuth1Request

    @classmethod
    def of(cls, request: OAuth1Request) -> _WireURI:
        uri = cls(request.uri)
        uri.request = request
        return uri


def _current_credential() -> object:
    store = context_globals()
    return None if store is None else store.get(_CREDENTIAL)


#: The token credential of the current view. False if there is none. If your model has more attributes, type checkers
#: know them from the attribute of this name of your `ResourceProtector`.
current_credential = cast("CurrentCredential", LocalProxy(_current_credential))
