"""The authorization server: RFC 5849 section 2, from temporary credentials to token credentials.

The steps make the decisions; hooks store the data. The three-legged flow:

    create_temporary_credentials_response   2.1   the client requests temporary credentials
    check_authorization_request             2.2   the resource owner opens the authorization page
    authorize                               2.2   the resource owner approves or denies
    create_token_response                   2.3   the client exchanges the temporary credentials, with the verifier
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from async_oauth1.errors import (
    AccessDeniedError,
    AlreadyDecidedError,
    InvalidRequestError,
    InvalidTokenError,
    InvalidVerifierError,
    MethodNotAllowedError,
    MissingRequiredParameterError,
    OAuth1Error,
)
from async_oauth1.protocol.callbacks import OUT_OF_BAND, append_parameters, check_callback_syntax, is_web_callback
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request

from .checks import check_identifiers
from .credential_hooks import CredentialHooks
from .hooks import MaybeAwaitable, call_hook, optional, resolve
from .responses import OAuth1Response, form_response, server_error_response
from .verification import log

__all__ = ["AuthorizationDecision", "AuthorizationServer"]

T = TypeVar("T")

# A framework's request and response. Why there are two kinds of TypeVar: see `credentials`.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    RequestT = _TypeVar("RequestT", default=OAuth1Request)
    ResponseT = _TypeVar("ResponseT", default=OAuth1Response)
else:
    RequestT, ResponseT = TypeVar("RequestT"), TypeVar("ResponseT")


@dataclass(frozen=True, slots=True)
class AuthorizationDecision:
    """The result of the resource owner's decision.

    Attributes:
        oauth_token: the temporary token that was approved or denied.
        verifier: proves the approval; ``None`` after a denial.
        location: the URI to redirect the browser to; ``None`` for ``oob``: show the verifier in a page.
    """

    oauth_token: str
    verifier: str | None = field(repr=False)
    location: str | None = field(repr=False)


class AuthorizationServer(CredentialHooks, Generic[RequestT, ResponseT]):
    """Issues temporary and token credentials. Needs the seven hooks in `REQUIRED_HOOKS`.

    Generic in a framework's request and response, for type checkers.
    """

    #: The HTTP method of both endpoints (sections 2.1, 2.3).
    METHOD = "POST"

    # Section 2.1 -----------------------------------------------------------------------------------------------------

    async def create_temporary_credentials_response(self, request: RequestT | None = None) -> ResponseT:
        """Answer a request for temporary credentials.

        Args:
            request: the request, as `create_oauth1_request` takes it.

        Returns:
            A response with the credentials or the error, form-encoded.
        """
        return await self._answer(self._create_temporary_credentials, request)

    async def validate_temporary_credentials_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for temporary credentials.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        self._check_method(request)
        self.check_request(request)
        self.check_callback(request)
        request.client = await call_hook(self.get_client_by_id, request.client_id)
        await self.verify_signature(request)
        await self.verify_body(request)
        # Only an authenticated client may learn which callbacks are registered.
        await self.check_callback_registered(request)
        await self.use_nonce(request)
        return request

    def check_callback(self, request: OAuth1Request) -> None:
        """Refuse a request whose callback is missing or malformed."""
        if not request.redirect_uri:
            raise MissingRequiredParameterError("oauth_callback")
        check_callback_syntax(request.redirect_uri)

    async def check_callback_registered(self, request: OAuth1Request) -> None:
        """Refuse a callback that is not registered, if the client's model has registered callbacks."""
        callback = request.redirect_uri or ""
        if hasattr(request.client, "check_callback"):
            registered = await call_hook(request.client.check_callback, callback)
        else:
            registered = is_web_callback(callback)
        if not registered:
            raise InvalidRequestError('This "oauth_callback" is not registered for the client.')

    async def _create_temporary_credentials(self, request: OAuth1Request) -> list[tuple[str, str]]:
        await self.validate_temporary_credentials_request(request)
        credential = await call_hook(self.create_temporary_credential, request)
        # In lower case: some clients in Go and PHP compare it with "true" exactly.
        return [*await _as_pairs(credential), ("oauth_callback_confirmed", "true")]

    # Section 2.2 -----------------------------------------------------------------------------------------------------

    async def check_authorization_request(self, request: RequestT | None = None) -> OAuth1Request:
        """Look up the temporary credentials that the resource owner is asked to authorize.

        Only ``oauth_token`` is used. An ``oauth_callback`` is ignored: anyone could put one into a link.

        Args:
            request: the request, as `create_oauth1_request` takes it, with ``oauth_token`` in query or form.

        Returns:
            The request with ``client`` and the temporary ``credential`` set.

        Raises:
            MissingRequiredParameterError: there is no token.
            InvalidTokenError: it is unknown, expired, denied or exchanged.
            AlreadyDecidedError: it was approved before.
            StoreUnavailableError: a hook could not reach its store.
        """
        self.require_hooks()
        return await self.validate_authorization_request(await self._read(request))

    async def validate_authorization_request(self, request: OAuth1Request) -> OAuth1Request:
        """Look up the temporary credentials, which must be undecided, and their client.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        self.check_transport(request)
        if not request.token:
            raise MissingRequiredParameterError("oauth_token")
        check_identifiers(request, self.policy)
        request.credential = await call_hook(self.get_temporary_credential, request)
        if request.credential is None:
            raise InvalidTokenError()
        if await optional(request.credential, "is_decided"):
            raise AlreadyDecidedError()
        client_id = as_text(await call_hook(request.credential.get_client_id))
        request.client = await call_hook(self.get_client_by_id, client_id)
        if request.client is None:
            raise InvalidTokenError()
        return request

    async def authorize(self, request: RequestT | None = None, grant_user: object = None) -> AuthorizationDecision:
        """Record the resource owner's decision. It is final.

        Args:
            request: the request, as `create_oauth1_request` takes it, with ``oauth_token`` in query or form.
            grant_user: the user who approves: a user's id, or an object with ``get_user_id()`` or ``id``. ``None``
                denies.

        Returns:
            The decision, with the redirect or the verifier.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        checked = await self.check_authorization_request(request)
        token = checked.token or ""
        callback = await self.find_redirect_uri(checked)
        if grant_user is None:
            await self.deny(checked)
            parameters = [*self.denial_parameters(), ("oauth_token", token)]
            verifier = None
        else:
            checked.user = grant_user
            verifier = await call_hook(self.create_authorization_verifier, checked)
            parameters = [("oauth_token", token), ("oauth_verifier", verifier)]
        location = None if callback in (None, OUT_OF_BAND) else append_parameters(callback, parameters)
        return AuthorizationDecision(token, verifier, location)

    async def create_authorization_response(
        self, request: RequestT | None = None, grant_user: object = None
    ) -> ResponseT:
        """Record the resource owner's decision, and redirect the browser to the callback.

        Takes what `authorize` takes.

        Returns:
            A redirect to the callback; for ``oob`` the code alone, as text. A view that shows the code in a page of its
            own calls `authorize` instead.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        decision = await self.authorize(request, grant_user)
        headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache"), ("Referrer-Policy", "no-referrer")]
        if decision.location is not None:
            response = OAuth1Response(302, "", [("Location", decision.location), *headers])
        else:
            headers.append(("Content-Type", "text/plain; charset=utf-8"))
            response = OAuth1Response(200, decision.verifier or "The request was denied.", headers)
        return await resolve(self.handle_response(response))

    async def find_redirect_uri(self, request: OAuth1Request) -> str | None:
        """The callback of the first step, to which the browser is redirected."""
        callback: str | None = await call_hook(request.credential.get_redirect_uri)
        return callback

    def denial_parameters(self) -> list[tuple[str, str]]:
        """The parameters that tell the client of a denial, besides the token."""
        return [("error", AccessDeniedError.error or "")]

    async def deny(self, request: OAuth1Request) -> None:
        """Record a denial, unless the credentials were decided before."""
        deny = self.hooks.get("deny_temporary_credential")
        if deny is not None:
            denied = await call_hook(deny, request.token)
        else:
            denied = await call_hook(self.delete_temporary_credential, request)
        if denied is False:
            raise AlreadyDecidedError()

    # Section 2.3 -----------------------------------------------------------------------------------------------------

    async def create_token_response(self, request: RequestT | None = None) -> ResponseT:
        """Exchange temporary credentials for token credentials.

        Args:
            request: the request, as `create_oauth1_request` takes it.

        Returns:
            A response with the credentials or the error, form-encoded.
        """
        return await self._answer(self._create_token, request)

    async def validate_token_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for token credentials, verifier included.

        Raises:
            OAuth1Error: the request is not accepted. The temporary credentials stay valid, except after too many wrong
                verifiers, each with a valid signature.
        """
        self._check_method(request)
        self.check_request(request)
        for name in ("oauth_token", "oauth_verifier"):
            if not request.oauth_params.get(name):
                raise MissingRequiredParameterError(name)
        request.client = await call_hook(self.get_client_by_id, request.client_id)
        request.credential = await self.find_temporary_credential(request)
        await self.verify_signature(request, token_missing=request.credential is None)
        await self.verify_body(request)
        await self.use_nonce(request)
        if await call_hook(request.credential.check_verifier, request.verifier) is not True:
            await self._count_wrong_verifier(request)
            raise InvalidVerifierError()
        return request

    async def find_temporary_credential(self, request: OAuth1Request) -> Any:
        """Look temporary credentials up; ``None`` if they were issued to another client."""
        credential = await call_hook(self.get_temporary_credential, request)
        if credential is not None and as_text(await call_hook(credential.get_client_id)) != request.client_id:
            return None
        return credential

    async def _create_token(self, request: OAuth1Request) -> list[tuple[str, str]]:
        await self.validate_token_request(request)
        return await self._exchange(request)

    async def _exchange(self, request: OAuth1Request) -> list[tuple[str, str]]:
        return await _as_pairs(await self.shield(self.exchange_credential(request)))

    async def _count_wrong_verifier(self, request: OAuth1Request) -> None:
        count = self.hooks.get("count_wrong_verifier")
        if count is None:
            return
        if await call_hook(count, request.token) >= self.policy.max_wrong_verifiers:
            log.warning("Too many wrong verifiers: temporary credentials of client %r deleted.", request.client_id)
            await call_hook(self.delete_temporary_credential, request)

    def shield(self, awaitable: Awaitable[T]) -> Awaitable[T]:
        """Override this to finish an exchange if the framework cancels the handler of a disconnected client."""
        return awaitable

    # Overridable, with Authlib's names and arguments -----------------------------------------------------------------

    def create_oauth1_request(self, request: RequestT | None) -> MaybeAwaitable[OAuth1Request]:
        """Make an `OAuth1Request` from a framework's request; here it is one already."""
        return cast("OAuth1Request", request)

    def handle_credentials(self, parameters: list[tuple[str, str]]) -> MaybeAwaitable[ResponseT]:
        """Make the response with credentials."""
        return self.handle_response(form_response(parameters))

    def handle_error(self, error: OAuth1Error) -> MaybeAwaitable[ResponseT]:
        """Make the response with an error, form-encoded."""
        return self.handle_response(server_error_response(error, realm=self.policy.realm, allow=self.METHOD))

    def handle_response(self, response: OAuth1Response) -> MaybeAwaitable[ResponseT]:
        """Make a framework's response; here it stays plain data."""
        return cast("ResponseT", response)

    def _check_method(self, request: OAuth1Request) -> None:
        if request.method.upper() != self.METHOD:
            raise MethodNotAllowedError(f"This endpoint only accepts {self.METHOD}.")

    async def _answer(
        self, step: Callable[[OAuth1Request], Awaitable[list[tuple[str, str]]]], request: RequestT | None
    ) -> ResponseT:
        try:
            parameters = await step(await self._read(request))
        except OAuth1Error as error:
            return await resolve(self.handle_error(error))
        return await resolve(self.handle_credentials(parameters))

    async def _read(self, request: RequestT | None) -> OAuth1Request:
        read: OAuth1Request = await call_hook(self.create_oauth1_request, request)
        return read


async def _as_pairs(credential: Any) -> list[tuple[str, str]]:
    return [
        ("oauth_token", as_text(await call_hook(credential.get_oauth_token))),
        ("oauth_token_secret", as_text(await call_hook(credential.get_oauth_token_secret))),
    ]
