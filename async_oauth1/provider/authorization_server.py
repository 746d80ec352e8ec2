"""The authorization server: RFC 5849 section 2, from temporary credentials to token credentials.

The steps make the decisions; hooks store the data. The three-legged flow:

    create_temporary_credentials_response   2.1   the client requests temporary credentials
    check_authorization_request             2.2   the resource owner opens the authorization page
    authorize                               2.2   the resource owner approves or denies
    create_token_response                   2.3   the client exchanges the temporary credentials, with the verifier
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from async_oauth1.errors import (
    AccessDeniedError,
    AlreadyDecidedError,
    InvalidTokenError,
    MissingRequiredParameterError,
    OAuth1Error,
)
from async_oauth1.protocol.callbacks import OUT_OF_BAND, append_parameters, check_callback_syntax, is_web_callback
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request

from .approval.approvals import may_be_repeated
from .approval.decisions import AuthorizationDecision
from .approval.dialects import denial
from .approval.scopes import checked_scope
from .checks import check_identifiers, check_present, unregistered_callback
from .credential_hooks import CredentialHooks, credential_pairs
from .hooks import MaybeAwaitable, call_hook, optional, resolve
from .leniency import check_deviations, log_callback
from .records.watching import watching
from .responses import OAuth1Response, form_response, server_error_response

__all__ = ["AuthorizationDecision", "AuthorizationServer"]

T = TypeVar("T")

_check_token_and_verifier = functools.partial(check_present, names=("oauth_token", "oauth_verifier"))

# A framework's request and response. Why there are two kinds of TypeVar: see `credentials`.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    RequestT = _TypeVar("RequestT", default=OAuth1Request)
    ResponseT = _TypeVar("ResponseT", default=OAuth1Response)
else:
    RequestT, ResponseT = TypeVar("RequestT"), TypeVar("ResponseT")


class AuthorizationServer(CredentialHooks, Generic[RequestT, ResponseT]):
    """Issues temporary and token credentials. Needs the seven hooks in `REQUIRED_HOOKS`.

    Generic in a framework's request and response, for type checkers.
    """

    # Section 2.1 -----------------------------------------------------------------------------------------------------

    async def create_temporary_credentials_response(self, request: RequestT | None = None) -> ResponseT:
        """Answer a request for temporary credentials.

        Args:
            request: the request, as `create_oauth1_request` takes it.

        Returns:
            A response with the credentials or the error, form-encoded.
        """
        return await self._answer(self._create_temporary_credentials, request, "temporary_credentials")

    async def validate_temporary_credentials_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for temporary credentials.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        self._check_method(request)
        await self.count_arrival(request, "temporary_credentials")
        await self.verify(
            request, self._look_up_client, check=self.check_callback, when_genuine=self.check_callback_registered
        )
        await self.count_client(request, "temporary_credentials")
        return request

    async def _look_up_client(self, request: OAuth1Request) -> bool:
        request.client = await call_hook(self.get_client_by_id, request.client_id)
        return False  # no token is needed here

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
            raise unregistered_callback(callback, request.client)
        log_callback(request, callback)

    async def _create_temporary_credentials(self, request: OAuth1Request) -> list[tuple[str, str]]:
        await self.validate_temporary_credentials_request(request)
        request.requested_scope = await self.find_requested_scope(request)
        credential = await call_hook(self.create_temporary_credential, request)
        await self.record("temporary_credentials.issued", request, credential)
        # In lower case: some clients in Go and PHP compare it with "true" exactly.
        return [*await credential_pairs(credential), ("oauth_callback_confirmed", "true")]

    # Section 2.2 -----------------------------------------------------------------------------------------------------

    async def check_authorization_request(
        self, request: RequestT | None = None, grant_user: object = None
    ) -> OAuth1Request:
        """Look up the temporary credentials that the resource owner is asked to authorize.

        Only ``oauth_token`` is used. An ``oauth_callback`` is ignored: anyone could put one into a link.

        Args:
            request: the request, as `create_oauth1_request` takes it, with ``oauth_token`` in query or form.
            grant_user: the user who is asked, as for `authorize`; ``None`` if that is not known.

        Returns:
            The request with ``client`` and the temporary ``credential`` set.

        Raises:
            MissingRequiredParameterError: there is no token.
            InvalidTokenError: it is unknown, expired, denied or exchanged.
            AlreadyDecidedError: another user has approved it, or its model does not tell which user has.
            StoreUnavailableError: a hook could not reach its store.
        """
        self.require_hooks()

        def check(read: OAuth1Request) -> Awaitable[OAuth1Request]:
            if grant_user is not None:
                read.user = grant_user
            return self.validate_authorization_request(read)

        return await self._logged(check, request, "authorization")

    async def validate_authorization_request(self, request: OAuth1Request) -> OAuth1Request:
        """Look up the temporary credentials, which must be undecided or approved by ``request.user``, and their client.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        self.check_transport(request)
        check_deviations(request)
        if not request.token:
            raise MissingRequiredParameterError("oauth_token")
        check_identifiers(request, self.policy)
        request.credential = await call_hook(self.get_temporary_credential, request)
        if request.credential is None:
            raise InvalidTokenError()
        is_decided = await optional(request.credential, "is_decided")
        if is_decided and not await may_be_repeated(request.credential, request.user):
            raise AlreadyDecidedError()
        client_id = as_text(await call_hook(request.credential.get_client_id))
        request.client = await call_hook(self.get_client_by_id, client_id)
        if request.client is None:
            raise InvalidTokenError()
        return request

    async def authorize(
        self, request: RequestT | None = None, grant_user: object = None, *, scope: str | None = None
    ) -> AuthorizationDecision:
        """Record the resource owner's decision. It is final.

        If the same user approves again before the exchange, the decision is the same again. This needs a model of
        temporary credentials that tells user and verifier, as `TemporaryCredentialLike` describes.

        Args:
            request: the request, as `create_oauth1_request` takes it, with ``oauth_token`` in query or form.
            grant_user: the user who approves: a user's id, or an object with ``get_user_id()`` or ``id``. ``None``
                denies.
            scope: what the user grants: names separated by spaces, whatever the client asked for. Without it, no named
                scope is granted.

        Returns:
            The decision, with the redirect or the verifier.

        Raises:
            OAuth1Error: as `check_authorization_request`; also if the scope is malformed.
            TypeError: a scope is granted, and the hook ``create_authorization_verifier`` does not take it.
        """
        self.require_hooks()
        granted_scope = checked_scope(scope)

        def decide(read: OAuth1Request) -> Awaitable[AuthorizationDecision]:
            read.user, read.granted_scope = grant_user, granted_scope
            return self._record_decision(read)

        return await self._logged(decide, request, "authorization")

    async def _record_decision(self, request: OAuth1Request) -> AuthorizationDecision:
        checked = await self.validate_authorization_request(request)
        token = checked.token or ""
        callback, verifier = await self.find_redirect_uri(checked), None
        if checked.user is None:
            await self.deny(checked)
            parameters = denial(self.policy.denial_parameters, token, self.denial_parameters())
        else:
            verifier = await self._approve(checked)
            parameters = [("oauth_token", token), ("oauth_verifier", verifier)]
        event = "authorization.denied" if verifier is None else "authorization.approved"
        await self.record(event, checked, checked.credential)
        location = None if callback in (None, OUT_OF_BAND) else append_parameters(callback, parameters)
        return AuthorizationDecision(token, verifier, location)

    async def create_authorization_response(
        self, request: RequestT | None = None, grant_user: object = None, *, scope: str | None = None
    ) -> ResponseT:
        """Record the resource owner's decision, and redirect the browser to the callback.

        Takes what `authorize` takes.

        Returns:
            A redirect to the callback; for ``oob`` the code alone, as text. A view that shows the code in a page of its
            own calls `authorize` instead.

        Raises:
            OAuth1Error: as `check_authorization_request`.
        """
        decision = await self.authorize(request, grant_user, scope=scope)
        headers = [("Cache-Control", "no-store"), ("Pragma", "no-cache"), ("Referrer-Policy", "no-referrer")]
        if decision.location is not None:
            response = OAuth1Response(302, "", [("Location", decision.location), *headers])
        else:
            headers.append(("Content-Type", "text/plain; charset=utf-8"))
            response = OAuth1Response(200, decision.verifier or "The request was denied.", headers)
        return await resolve(self.handle_response(response))

    def denial_parameters(self) -> list[tuple[str, str]]:
        """The parameters that tell the client of a denial by ``error``, if `Policy.denial_parameters` has it."""
        return [("error", AccessDeniedError.error or "")]

    # Section 2.3 -----------------------------------------------------------------------------------------------------

    async def create_token_response(self, request: RequestT | None = None) -> ResponseT:
        """Exchange temporary credentials for token credentials.

        Args:
            request: the request, as `create_oauth1_request` takes it.

        Returns:
            A response with the credentials or the error, form-encoded.
        """
        return await self._answer(self._create_token, request, "token")

    async def validate_token_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request for token credentials, verifier included.

        Raises:
            OAuth1Error: the request is not accepted. The temporary credentials stay valid, except after too many wrong
                verifiers, each with a valid signature.
        """
        self._check_method(request)
        await self.count_arrival(request, "token")
        await self.verify(request, self._look_up_both, check=_check_token_and_verifier)
        await self.count_client(request, "token")
        await self._check_verifier(request)
        return request

    async def _look_up_both(self, request: OAuth1Request) -> bool:
        request.client = await call_hook(self.get_client_by_id, request.client_id)
        request.credential = await self.find_temporary_credential(request)
        return request.credential is None

    async def _create_token(self, request: OAuth1Request) -> list[tuple[str, str]]:
        await self.validate_token_request(request)
        return await self._exchange(request)

    async def _exchange(self, request: OAuth1Request) -> list[tuple[str, str]]:
        return await self.shield(self._exchange_now(request))

    async def _exchange_now(self, request: OAuth1Request) -> list[tuple[str, str]]:
        credential = await self.exchange_credential(request)
        await self.record("token_credentials.issued", request, credential)
        return [*await credential_pairs(credential), *await self.more_parameters(request, credential)]

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
        allow = ", ".join(self.accepted_methods())
        policy = self.policy
        response = server_error_response(error, realm=policy.realm, allow=allow, problems=policy.problem_reporting)
        return self.handle_response(response)

    def handle_response(self, response: OAuth1Response) -> MaybeAwaitable[ResponseT]:
        """Make a framework's response; here it stays plain data."""
        return cast("ResponseT", response)

    async def _answer(
        self, step: Callable[[OAuth1Request], Awaitable[list[tuple[str, str]]]], request: RequestT | None, endpoint: str
    ) -> ResponseT:
        try:
            parameters = await self._logged(step, request, endpoint)
        except OAuth1Error as error:
            return await resolve(self.handle_error(error))
        return await resolve(self.handle_credentials(parameters))

    async def _logged(
        self, step: Callable[[OAuth1Request], Awaitable[T]], request: RequestT | None, endpoint: str
    ) -> T:
        read: OAuth1Request | None = None
        try:
            read = await call_hook(self.create_oauth1_request, request)
            with watching(self.decision_observer, read, endpoint):
                return await self._reported(step, cast("OAuth1Request", read))
        except OAuth1Error as error:
            self.report_refusal(error, read)
            raise

    async def _reported(self, step: Callable[[OAuth1Request], Awaitable[T]], read: OAuth1Request) -> T:
        try:
            return await step(read)
        except OAuth1Error as error:
            self.report_refusal(error, read)
            raise
