"""The authorization server: RFC 5849 section 2, from temporary credentials to token credentials.

Each step decides, and awaits hooks; what is kept where is the hooks' business. The three-legged flow:

    create_temporary_credentials_response   2.1   the client asks for temporary credentials
    check_authorization_request             2.2   the resource owner arrives; what is she asked?
    authorize                               2.2   she approves or denies
    create_token_response                   2.3   the client exchanges them, with the verifier, once
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

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
from .hooks import call_hook, optional, resolve
from .responses import OAuth1Response, form_response, server_error_response
from .verification import log

__all__ = ["AuthorizationDecision", "AuthorizationServer"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuthorizationDecision:
    """What the resource owner's answer leads to.

    Attributes:
        oauth_token: the temporary token that was decided.
        verifier: proves the approval; ``None`` after a denial.
        location: where to send her browser; ``None`` for ``oob``: show her the verifier.
    """

    oauth_token: str
    verifier: str | None = field(repr=False)
    location: str | None = field(repr=False)


class AuthorizationServer(CredentialHooks):
    """Issues temporary and token credentials. Needs the seven hooks in `REQUIRED_HOOKS`."""

    #: The HTTP method of both endpoints (sections 2.1, 2.3).
    METHOD = "POST"

    # Section 2.1 -----------------------------------------------------------------------------------------------------

    async def create_temporary_credentials_response(self, request: Any = None) -> Any:
        """Answer a request for temporary credentials.

        Args:
            request: what `create_oauth1_request` makes an `OAuth1Request` of.

        Returns:
            The credentials, or the error, form-encoded.
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
        # Only a client that has proved its secret is told which callbacks are registered.
        await self.check_callback_registered(request)
        await self.use_nonce(request)
        return request

    def check_callback(self, request: OAuth1Request) -> None:
        """Refuse a request whose callback is missing or malformed."""
        if not request.redirect_uri:
            raise MissingRequiredParameterError("oauth_callback")
        check_callback_syntax(request.redirect_uri)

    async def check_callback_registered(self, request: OAuth1Request) -> None:
        """Refuse a callback that is none of the client's, where the client knows them."""
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
        # In lower case: clients in Go and PHP compare with "true" to the letter.
        return [*await _as_pairs(credential), ("oauth_callback_confirmed", "true")]

    # Section 2.2 -----------------------------------------------------------------------------------------------------

    async def check_authorization_request(self, request: Any = None) -> OAuth1Request:
        """Find what the resource owner is asked to authorize.

        Only ``oauth_token`` counts; an ``oauth_callback`` here is ignored, or anyone could redirect her.

        Args:
            request: what `create_oauth1_request` makes an `OAuth1Request` of, with ``oauth_token`` in query or form.

        Returns:
            The request with ``client`` and the temporary ``credential`` set.

        Raises:
            MissingRequiredParameterError: there is no token.
            InvalidTokenError: it is unknown, expired, denied or exchanged.
            AlreadyDecidedError: it was approved before.
            StoreUnavailableError: a hook could not be asked.
        """
        self.require_hooks()
        return await self.validate_authorization_request(await self._read(request))

    async def validate_authorization_request(self, request: OAuth1Request) -> OAuth1Request:
        """Find the temporary credentials, not yet decided, and their client.

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

    async def authorize(self, request: Any = None, grant_user: Any = None) -> AuthorizationDecision:
        """Record the resource owner's answer. It is final.

        Args:
            request: what `create_oauth1_request` makes an `OAuth1Request` of, with ``oauth_token`` in query or form.
            grant_user: who approves; ``None`` denies.

        Returns:
            What to send or show her.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        request = await self.check_authorization_request(request)
        token = request.token or ""
        callback = await self.find_redirect_uri(request)
        if grant_user is None:
            await self.deny(request)
            parameters = [*self.denial_parameters(), ("oauth_token", token)]
            verifier = None
        else:
            request.user = grant_user
            verifier = await call_hook(self.create_authorization_verifier, request)
            parameters = [("oauth_token", token), ("oauth_verifier", verifier)]
        location = None if callback in (None, OUT_OF_BAND) else append_parameters(callback, parameters)
        return AuthorizationDecision(token, verifier, location)

    async def create_authorization_response(self, request: Any = None, grant_user: Any = None) -> Any:
        """Record the resource owner's answer, and send her back.

        Returns:
            A redirect to the callback; for ``oob`` the code alone, as text. A view that shows it in a page of its own
            calls `authorize`.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        decision = await self.authorize(request, grant_user)
        headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache"), ("Referrer-Policy", "no-referrer")]
        if decision.location is not None:
            return self.handle_response(OAuth1Response(302, "", [("Location", decision.location), *headers]))
        text = decision.verifier or "The request was denied."
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
        return self.handle_response(OAuth1Response(200, text, headers))

    async def find_redirect_uri(self, request: OAuth1Request) -> str | None:
        """Where the resource owner goes afterwards: the callback of the first step."""
        callback: str | None = await call_hook(request.credential.get_redirect_uri)
        return callback

    def denial_parameters(self) -> list[tuple[str, str]]:
        """What the client is told of a denial, besides the token."""
        return [("error", AccessDeniedError.error or "")]

    async def deny(self, request: OAuth1Request) -> None:
        """Make a denial final, unless the credentials were decided before."""
        deny = self.hooks.get("deny_temporary_credential")
        if deny is not None:
            denied = await call_hook(deny, request.token)
        else:
            denied = await call_hook(self.delete_temporary_credential, request)
        if denied is False:
            raise AlreadyDecidedError()

    # Section 2.3 -----------------------------------------------------------------------------------------------------

    async def create_token_response(self, request: Any = None) -> Any:
        """Exchange temporary credentials for token credentials.

        Args:
            request: what `create_oauth1_request` makes an `OAuth1Request` of.

        Returns:
            The credentials, or the error, form-encoded.
        """
        return await self._answer(self._create_token, request)

    async def validate_token_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for token credentials, up to and with its verifier.

        Raises:
            OAuth1Error: the request is not accepted. Of all reasons only repeated wrong verifiers, each under a valid
                signature, take the temporary credentials away.
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
        """Look temporary credentials up; ``None`` where another client asked for them."""
        credential = await call_hook(self.get_temporary_credential, request)
        if credential is not None and as_text(await call_hook(credential.get_client_id)) != request.client_id:
            return None
        return credential

    async def _create_token(self, request: OAuth1Request) -> list[tuple[str, str]]:
        await self.validate_token_request(request)
        return await self._exchange(request)

    async def _exchange(self, request: OAuth1Request) -> list[tuple[str, str]]:
        return await _as_pairs(await self.shield(self.exchange_credential(request)))

    async def exchange_credential(self, request: OAuth1Request) -> Any:
        """Take first, then create: of concurrent exchanges one takes, and a failure after it costs a new dance only."""
        exchange = self.hooks.get("exchange")
        own = self._overrides("delete_temporary_credential") or self._overrides("create_token_credential")
        if exchange is not None and not own:
            credential = await call_hook(exchange, request.credential, await self.generate_credentials())
            if credential is None:
                raise InvalidTokenError()
            return credential
        taken = await call_hook(self.delete_temporary_credential, request)
        if taken is not None and not taken:  # False, or the 0 of a database that counts deleted rows
            raise InvalidTokenError()
        return await call_hook(self.create_token_credential, request)

    async def _count_wrong_verifier(self, request: OAuth1Request) -> None:
        count = self.hooks.get("count_wrong_verifier")
        if count is None:
            return
        if await call_hook(count, request.token) >= self.policy.max_wrong_verifiers:
            log.warning("Temporary credentials of client %r are consumed by wrong verifiers.", request.client_id)
            await call_hook(self.delete_temporary_credential, request)

    def shield(self, awaitable: Awaitable[T]) -> Awaitable[T]:
        """Keep an exchange going although the client hangs up; a framework that cancels its handlers overrides this."""
        return awaitable

    # Overridable, with Authlib's names and arguments -----------------------------------------------------------------

    def create_oauth1_request(self, request: Any) -> Any:
        """Make an `OAuth1Request` of a framework's request; here it is one already."""
        return request

    def handle_credentials(self, parameters: list[tuple[str, str]]) -> Any:
        """Answer with credentials."""
        return self.handle_response(form_response(parameters))

    def handle_error(self, error: OAuth1Error) -> Any:
        """Answer an error, form-encoded."""
        return self.handle_response(server_error_response(error, realm=self.policy.realm, allow=self.METHOD))

    def handle_response(self, response: OAuth1Response) -> Any:
        """Make a framework's response; here it stays plain data."""
        return response

    def _check_method(self, request: OAuth1Request) -> None:
        if request.method.upper() != self.METHOD:
            raise MethodNotAllowedError(f"This endpoint serves {self.METHOD} alone.")

    async def _answer(self, step: Callable[[OAuth1Request], Awaitable[list[tuple[str, str]]]], request: Any) -> Any:
        try:
            parameters = await step(await self._read(request))
        except OAuth1Error as error:
            return await resolve(self.handle_error(error))
        return await resolve(self.handle_credentials(parameters))

    async def _read(self, request: Any) -> OAuth1Request:
        read: OAuth1Request = await call_hook(self.create_oauth1_request, request)
        return read


async def _as_pairs(credential: Any) -> list[tuple[str, str]]:
    return [
        ("oauth_token", as_text(await call_hook(credential.get_oauth_token))),
        ("oauth_token_secret", as_text(await call_hook(credential.get_oauth_token_secret))),
    ]
