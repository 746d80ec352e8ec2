"""The core's flows for Django: hooks are methods of a server, and errors have Authlib's precedence.

Requests are verified in the core's order, and nothing is accepted that the core refuses. Once a request is refused,
Authlib's order decides which error the client reads, because clients and tests depend on it.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from copy import copy
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.functional import LazyObject

from async_oauth1.asgi.verifying.announcing import raise_refused, tell_use
from async_oauth1.errors import (
    AlreadyDecidedError,
    InsecureTransportError,
    InsufficientScopeError,
    InvalidClientError,
    InvalidTokenError,
    MisdirectedRequestError,
    MissingRequiredParameterError,
    OAuth1Error,
    TokenRejectedError,
)
from async_oauth1.policy import Policy
from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.approval.scopes import scope_in
from async_oauth1.provider.authorization_server import AuthorizationServer
from async_oauth1.provider.checks import check_identifiers, omits_timestamp
from async_oauth1.provider.hooks import call_hook, optional
from async_oauth1.provider.refusals import with_reason
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.provider.responses import OAuth1Response, error_headers, error_members
from async_oauth1.provider.verification import BaseServer

from .requests import read_request

__all__ = ["AuthorizationFlows", "ProtectorFlows", "announce", "counted_fields", "joined"]

_READ = "_async_oauth1_read"
_ALWAYS_FIRST = (InsecureTransportError, MisdirectedRequestError)


def counted_fields(request: HttpRequest | None) -> list[tuple[str, str]]:
    """The header fields of the limits that have counted a request, and of a retirement, each name once."""
    read: OAuth1Request | None = vars(request).get(_READ) if request is not None else None
    return joined(read.response_fields if read is not None else ())


def joined(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Header fields with each name once: several values become a list (RFC 9110 section 5.3)."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return [(name, ", ".join(values)) for name, values in found.items()]


def announce(request: HttpRequest | None, response: HttpResponse) -> HttpResponse:
    """Add the header fields of the limits that have counted a request, and of a retirement; those of a 429 stay."""
    for name, value in counted_fields(request):
        if name == "Link" and value not in response.get(name, value):  # of the view's own
            response[name] = f"{response[name]}, {value}"
        response.setdefault(name, value)
    return response


class _Flows(BaseServer):
    """What both flows share. The hooks are the methods of the server that an application sees."""

    def __init__(self, server: Any, policy: Policy) -> None:
        """Use the methods of a server, so that subclasses can override them."""
        super().__init__(policy)
        self.server = server

    def require_hooks(self, *, again: bool = False) -> None:
        """Check the signature methods alone: the hooks are methods, and are always there."""
        self._complete = True

    def is_secure(self, request: OAuth1Request) -> bool:
        """Whether the connection is secure, or Authlib's variable for tests says that it need not be."""
        return request.is_secure or os.environ.get("AUTHLIB_INSECURE_TRANSPORT", "").lower() in ("1", "true")

    def get_client_by_id(self, client_id: str) -> Any:
        """Call the server's method."""
        return self.server.get_client_by_id(client_id)

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return self.server.exists_nonce(nonce, request)

    async def raise_first(
        self, error: OAuth1Error, request: OAuth1Request, find_credential: Callable[[OAuth1Request], Any] | None
    ) -> None:
        """Raise the error that comes first in Authlib's order, if it is another one.

        Args:
            error: what the request was refused for.
            request: the refused request.
            find_credential: looks up what ``oauth_token`` names; ``None`` if the request needs no token.

        Raises:
            OAuth1Error: another error comes first.
        """
        if self.policy.uniform_errors or error.status_code not in (400, 401) or isinstance(error, _ALWAYS_FIRST):
            return
        first = await self._first_missing(request, find_credential)
        if first is None and isinstance(error, MissingRequiredParameterError):
            first = _first_absent(request)
        if first is not None:
            raise first from error

    async def _first_missing(
        self, request: OAuth1Request, find_credential: Callable[[OAuth1Request], Any] | None
    ) -> OAuth1Error | None:
        if not request.client_id:
            return MissingRequiredParameterError("oauth_consumer_key")
        try:
            check_identifiers(request, self.policy)
        except OAuth1Error:
            return None
        request.client = request.client or await call_hook(self.get_client_by_id, request.client_id)
        if request.client is None:
            return InvalidClientError()
        if find_credential is None:
            return None
        if not request.token:
            return MissingRequiredParameterError("oauth_token")
        request.credential = request.credential or await call_hook(find_credential, request)
        return InvalidTokenError() if request.credential is None else None


class AuthorizationFlows(_Flows, AuthorizationServer[HttpRequest, HttpResponse]):
    """The flow of an authorization server."""

    def __init__(self, server: Any, policy: Policy) -> None:
        """Use a server, with the optional hooks that it has as methods."""
        super().__init__(server, policy)
        for name in ("deny_temporary_credential", "count_wrong_verifier", "token_response_parameters", "audit"):
            if callable(method := getattr(server, name, None)):
                self.register_hook(name, method)

    async def create_temporary_credentials_response(self, request: HttpRequest | None = None) -> HttpResponse:
        """Answer a request for temporary credentials, with the fields of the limits."""
        return announce(request, await super().create_temporary_credentials_response(request))

    async def create_token_response(self, request: HttpRequest | None = None) -> HttpResponse:
        """Answer a request for token credentials, with the fields of the limits."""
        return announce(request, await super().create_token_response(request))

    async def validate_temporary_credentials_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for temporary credentials."""
        try:
            return await super().validate_temporary_credentials_request(request)
        except OAuth1Error as error:
            await self.raise_first(error, request, None)
            raise

    async def validate_token_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for token credentials."""
        try:
            return await super().validate_token_request(request)
        except OAuth1Error as error:
            await self.raise_first(error, request, self.find_temporary_credential)
            raise

    async def create_authorization_response(
        self, request: HttpRequest | None = None, grant_user: object = None, *, scope: str | None = None
    ) -> HttpResponse:
        """Record the decision of a user, who is looked up first if that is still to be done.

        Raises:
            PermissionDenied: the user is anonymous.
        """
        user: Any = copy(cast("Any", grant_user)) if isinstance(grant_user, LazyObject) else grant_user
        if getattr(user, "is_anonymous", False) is True:
            raise PermissionDenied("An anonymous user cannot approve a client.")
        return await super().create_authorization_response(request, user, scope=scope)

    async def create_oauth1_request(self, request: HttpRequest | None) -> OAuth1Request:
        """Call the server's method."""
        read: OAuth1Request = await call_hook(self.server.create_oauth1_request, request)
        if self.limiter is not None and request is not None:
            vars(request)[_READ] = read
        return read

    async def generate_credentials(self) -> dict[str, str]:
        """Call the server's token generator."""
        generated: dict[str, str] = await call_hook(self.server.token_generator)
        return generated

    async def find_requested_scope(self, request: OAuth1Request) -> str:
        """The scope that a client asks for, if the model of token credentials can keep one."""
        return scope_in(request) if self.server.keeps_scopes else ""

    async def create_temporary_credential(self, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return await call_hook(self.server.create_temporary_credential, request)

    def get_temporary_credential(self, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return self.server.get_temporary_credential(request)

    def delete_temporary_credential(self, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return self.server.delete_temporary_credential(request)

    async def create_authorization_verifier(self, request: OAuth1Request) -> Any:
        """Call the server's method.

        Raises:
            AlreadyDecidedError: it returned ``False``: the credential was decided before.
        """
        verifier = await call_hook(self.server.create_authorization_verifier, request)
        if verifier is False:
            raise AlreadyDecidedError()
        return verifier

    async def create_token_credential(self, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return await call_hook(self.server.create_token_credential, request)

    async def exchange_credential(self, request: OAuth1Request) -> Any:
        """Call the server's ``exchange`` if it has one, which is one transaction; else delete, then create."""
        exchange = getattr(self.server, "exchange", None)
        if exchange is None:
            return await super().exchange_credential(request)
        credential = await call_hook(exchange, request)
        if credential is None:
            raise TokenRejectedError()
        return credential

    async def find_redirect_uri(self, request: OAuth1Request) -> str | None:
        """The callback; for ``oob`` the client's default, as in Authlib."""
        callback = await super().find_redirect_uri(request)
        if callback and callback != OUT_OF_BAND:
            return callback
        default: str | None = await optional(request.client, "get_default_redirect_uri")
        return default or callback

    def handle_credentials(self, parameters: list[tuple[str, str]]) -> Any:
        """Make the response with credentials."""
        return self._respond(200, parameters, _FORM_HEADERS)

    def handle_error(self, error: OAuth1Error) -> Any:
        """Make the response with an error."""
        allow, reports = ", ".join(self.accepted_methods()), self.policy.problem_reporting
        more = error_headers(error, realm=self.policy.realm, allow=allow, problems=reports)
        return self._respond(error.status_code, error_members(error, problems=reports), [*_FORM_HEADERS, *more])

    def handle_response(self, response: OAuth1Response) -> Any:
        """Make the response to a decision."""
        return self._respond(response.status_code, response.body, response.headers)

    def _respond(self, status_code: int, payload: Any, headers: list[tuple[str, str]]) -> Awaitable[Any]:
        return call_hook(self.server.handle_response, status_code, payload, headers)


class ProtectorFlows(_Flows, ResourceProtector[Any, Any]):
    """The flow of a resource protector."""

    def get_token_credential(self, request: OAuth1Request) -> Any:
        """Call the server's method."""
        return self.server.get_token_credential(request)

    async def acquire(
        self, request: HttpRequest, *, scope: str | None, two_legged: bool, body_hash_required: bool
    ) -> OAuth1Request:
        """Read and verify a request.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        demands = {"scope": scope, "two_legged": two_legged, "body_hash_required": body_hash_required}
        if self.retirement is None:
            return await self._acquire(request, demands)
        try:
            verified = await self._acquire(request, demands)
        except OAuth1Error as error:
            raise_refused(error, self, {}, takes_bearer=False)
        verified.response_fields = [*verified.response_fields, *self.retirement.headers]
        await tell_use(self, verified)
        return verified

    async def _acquire(self, request: HttpRequest, demands: dict[str, Any]) -> OAuth1Request:
        try:
            read = read_request(request, self.policy)
        except OAuth1Error as error:
            self.report_refusal(error, None)
            raise
        if self.limiter is not None or self.retirement is not None:
            vars(request)[_READ] = read
        try:
            return await self.validate_request(read, **demands)
        except OAuth1Error as error:
            find = None if demands["two_legged"] and not read.token else self.get_token_credential
            await self.raise_first(error, read, find)
            raise

    async def _check_scope(self, request: OAuth1Request, scope: str) -> None:
        """As in the core, and by the field ``scope`` of a model without ``get_scope()``."""
        credential: Any = request.credential
        if credential is None or hasattr(credential, "get_scope") or not hasattr(credential, "scope"):
            await super()._check_scope(request, scope)
        elif not set(scope.split()) <= set((credential.scope or "").split()):
            raise with_reason(InsufficientScopeError(), f"The resource requires {scope!r}.")


_FORM_HEADERS = [
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
]


def _first_absent(request: OAuth1Request) -> OAuth1Error | None:
    names: tuple[str, ...] = ("oauth_signature_method", "oauth_signature")
    if not omits_timestamp(request):
        names = ("oauth_timestamp", "oauth_nonce", *names)
    return next(
        (MissingRequiredParameterError(name) for name in names if not request.protocol_parameters.get(name)), None
    )
