"""The resource protector: Authlib's name, for synchronous and async views."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, ClassVar, Generic, TypeVar, overload

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.hooks.limiting import LimitedByFlows, RetiredByFlows
from async_oauth1.provider.refusals import log_refusal
from async_oauth1.provider.responses import resource_error_response

from .configuration import read_configuration
from .driver import on_loop, run, run_async, run_here
from .flows import ProtectorFlows, announce, joined
from .lookups import check_models, find_client, find_token, open_nonces
from .pending import nonce_key

__all__ = ["OAuth1HttpRequest", "ResourceProtector"]

ClientT = TypeVar("ClientT", bound=Model)
TokenT = TypeVar("TokenT", bound=Model)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])
TokenT_co = TypeVar("TokenT_co", covariant=True)
_MARK: Any = getattr(asyncio.coroutines, "_is_coroutine", object())
_VERIFIED = "_async_oauth1_verified"


class OAuth1HttpRequest(HttpRequest, Generic[TokenT_co]):
    """The request of a protected view, for type checkers: ``def view(request: OAuth1HttpRequest[Token])``.

    Attributes:
        oauth1_credential: the token credential; ``None`` for a two-legged request.
        oauth1_client: the client.
    """

    oauth1_credential: TokenT_co
    oauth1_client: Any


class ResourceProtector(RetiredByFlows, LimitedByFlows, Generic[ClientT, TokenT]):
    """Protects views.

    ::

        require_oauth = ResourceProtector(Client, Token)

        @require_oauth()
        def photos(request):
            return JsonResponse({"owner": request.oauth1_credential.user.username})

    Views may be functions, async or not, and class-based views through ``method_decorator``. A protected view is
    exempt from Django's CSRF check: a signature cannot be forged by another site. A subclass may override
    ``get_client_by_id``, ``get_token_credential`` and ``exists_nonce``, async or not.
    """

    #: The methods that are accepted, unless the setting names others.
    SUPPORTED_SIGNATURE_METHODS: ClassVar[Collection[str]] = ("HMAC-SHA1",)

    def __init__(self, client_model: type[ClientT], token_model: type[TokenT]) -> None:
        """Make a protector.

        Args:
            client_model: the model of clients, with the field ``client_id``.
            token_model: the model of token credentials, with ``oauth_token``, ``oauth_token_secret``, ``client_id`` and
                ``user``.

        Raises:
            ImproperlyConfigured: the setting is wrong, or a model lacks something that is needed.
        """
        self.client_model = client_model
        self.token_model = token_model
        self.configuration = read_configuration(self.SUPPORTED_SIGNATURE_METHODS)
        check_models(self, ResourceProtector)
        self._nonces = open_nonces(self.configuration)
        self._flows = ProtectorFlows(self, self.configuration.policy)

    def get_client_by_id(self, client_id: str) -> Any:
        """Look a client up."""
        return find_client(self.client_model, client_id)

    def get_token_credential(self, request: OAuth1Request) -> Any:
        """Look up token credentials by ``request.client_id`` and ``request.token``."""
        sent = request.protocol_parameters
        return find_token(self.token_model, sent["oauth_consumer_key"], sent["oauth_token"])

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        """Remember a nonce in one atomic step, and say whether it was known."""
        timestamp = int(request.protocol_parameters["oauth_timestamp"])
        return not self._nonces.add(nonce_key(nonce, request), timestamp, self.configuration.nonce_lifetime)

    def acquire_credential(
        self,
        request: HttpRequest,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
    ) -> Any:
        """Verify a request, once; in async views the result is awaitable.

        Args:
            request: Django's request.
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse bodies that no signature covers.

        Returns:
            The token credential; ``None`` for a two-legged request.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        demands = {"scope": scope, "two_legged": two_legged, "body_hash_required": body_hash_required}
        return run(self._acquire, request, **demands)

    async def aacquire_credential(
        self,
        request: HttpRequest,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
    ) -> TokenT | None:
        """Async version of `acquire_credential`."""
        demands = {"scope": scope, "two_legged": two_legged, "body_hash_required": body_hash_required}
        return await run_async(self._acquire, request, **demands)

    async def _acquire(self, request: HttpRequest, **demands: Any) -> Any:
        known: tuple[object, OAuth1Request] | None = vars(request).get(_VERIFIED)
        if known is not None and known[0] is self:
            verified = known[1]
            await self._flows.check_verified(verified, **demands)
        else:
            verified = await self._flows.acquire(request, **demands)
            vars(request).update(
                {
                    _VERIFIED: (self, verified),
                    "oauth1_credential": verified.credential,
                    "oauth1_client": verified.client,
                }
            )
        return verified.credential

    def error_response(self, error: OAuth1Error, realm: str | None = None) -> HttpResponse:
        """Make the JSON response to an error.

        Args:
            error: what was raised.
            realm: for ``WWW-Authenticate``; by default the policy's.
        """
        log_refusal(error)
        policy = self.configuration.policy
        realm = policy.realm if realm is None else realm
        made = resource_error_response(error, realm=realm, problems=policy.problem_reporting)
        response = HttpResponse(made.body, status=made.status_code)
        for name, value in joined(made.headers):
            response[name] = value
        return response

    @overload
    def __call__(self, realm: ViewT, /) -> ViewT: ...

    @overload
    def __call__(
        self,
        realm: str | None = None,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
    ) -> Callable[[ViewT], ViewT]: ...

    def __call__(
        self,
        realm: str | Callable[..., Any] | None = None,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
    ) -> Callable[..., Any]:
        """Protect a view, async or not.

        Args:
            realm: for ``WWW-Authenticate``; or the view itself.
            scope: the scopes that the token credential must cover, separated by spaces.
            two_legged: accept the client's signature without a token.
            body_hash_required: refuse bodies that no signature covers.
        """
        if callable(realm):
            return _protect(
                self, realm, None, {"scope": scope, "two_legged": two_legged, "body_hash_required": body_hash_required}
            )
        demands = {"scope": scope, "two_legged": two_legged, "body_hash_required": body_hash_required}

        def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
            return _protect(self, view, realm, demands)

        return decorator

    def guard_here(self, request: HttpRequest, realm: str | None, demands: dict[str, Any]) -> HttpResponse | None:
        """Verify in this thread; the response if the request is refused."""
        try:
            run_here(self._acquire, request, **demands)
        except OAuth1Error as error:
            return self.error_response(error, realm)
        return None

    async def guard_async(
        self, request: HttpRequest, realm: str | None, demands: dict[str, Any]
    ) -> HttpResponse | None:
        """Verify without blocking the event loop; the response if the request is refused."""
        try:
            await run_async(self._acquire, request, **demands)
        except OAuth1Error as error:
            return self.error_response(error, realm)
        return None


def _protect(
    protector: ResourceProtector[Any, Any], view: Callable[..., Any], realm: str | None, demands: dict[str, Any]
) -> Callable[..., Any]:
    async def protected_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        refused = await protector.guard_async(request, realm, demands)
        return refused if refused is not None else announce(request, await resolve(view(request, *args, **kwargs)))

    @functools.wraps(view)
    def protected(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if is_async or on_loop():  # the second: dispatch() of an async class-based view
            return protected_async(request, *args, **kwargs)
        refused = protector.guard_here(request, realm, demands)
        return refused if refused is not None else announce(request, _in_transactions(view)(request, *args, **kwargs))

    # Before Python 3.12, asgiref marks views for asyncio's function alone.
    is_async = inspect.iscoroutinefunction(view) or getattr(view, "_is_coroutine", None) is _MARK
    if is_async:
        markcoroutinefunction(protected)
    else:
        for alias in _atomic_databases():
            transaction.non_atomic_requests(using=alias)(protected)
    vars(protected)["csrf_exempt"] = True
    return protected


def _in_transactions(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view in the transactions of ATOMIC_REQUESTS, which begin once the request is verified.

    If the view failed and the nonce were stored in its transaction, the request could be sent again.
    """
    exempt: set[str] = getattr(view, "_non_atomic_requests", set())
    for alias in _atomic_databases() - exempt:
        view = transaction.atomic(using=alias)(view)
    return view


def _atomic_databases() -> set[str]:
    return {alias for alias, database in settings.DATABASES.items() if database.get("ATOMIC_REQUESTS")}
