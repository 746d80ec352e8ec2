"""The authorization server's flows in Authlib's order; see `flask_compat.flows.base`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

from async_oauth1.errors import (
    AccessDeniedError,
    InvalidRequestError,
    InvalidTokenError,
    InvalidVerifierError,
    MissingHookError,
    MissingRequiredParameterError,
    OAuth1Error,
    TokenRejectedError,
)
from async_oauth1.policy import Policy
from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request as WireRequest
from async_oauth1.provider import authorization_server
from async_oauth1.provider.approval.approvals import is_undecided, verifier_spellings
from async_oauth1.provider.approval.scopes import takes_scope, with_scope
from async_oauth1.provider.hooks import call_hook, optional, resolve
from async_oauth1.provider.refusals import with_reason
from async_oauth1.provider.responses import OAuth1Response
from flask_compat.execution.callable_kinds import default_of, flow_step
from flask_compat.execution.flow_runner import keep_loop_for, on_loop
from flask_compat.execution.locks import KeyedLocks
from flask_compat.wrapper import OAuth1Request

from .base import Flows, authlib_errors, from_server, log

T = TypeVar("T")

#: How many exchanges of one temporary credential may wait for each other before their signatures are checked. A client
#: that retries sends two or three.
MAX_UNSIGNED_WAITING = 4
#: Approvals of one temporary credential that wait for their turn. A double click makes two.
MAX_APPROVALS_WAITING = 4


class NoRedirectURIError(InvalidRequestError):
    """The callback is ``oob``, and the client has no default to redirect to."""

    description = 'The "oauth_callback" is "oob", and the client has no default redirect URI.'


class AuthorizationFlows(Flows, authorization_server.AuthorizationServer):
    """The flows of the authorization server."""

    validate_temporary_credentials_request = from_server(
        "validate_temporary_credentials_request", "temporary_credentials"
    )
    validate_token_request = from_server("validate_token_request", "token")
    create_temporary_credential = from_server("create_temporary_credential")
    delete_temporary_credential = from_server("delete_temporary_credential")
    create_authorization_verifier = from_server("create_authorization_verifier")
    create_token_credential = from_server("create_token_credential")

    def __init__(self, server: Any) -> None:
        """Use a server of the facade."""
        super().__init__(server)
        self._exchanges = KeyedLocks()
        self._approvals = KeyedLocks()

    def accepted_methods(self) -> list[str]:
        """The core's, with the method that Authlib keeps in a class attribute."""
        self.METHOD = str(self.server.TEMPORARY_CREDENTIALS_METHOD)  # a subclass may replace it
        return super().accepted_methods()

    # Section 2.1 -----------------------------------------------------------------------------------------------------

    async def default_validate_temporary_credentials_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify the request."""
        with authlib_errors():
            self._check_method(request)
            if not request.client_id:
                raise MissingRequiredParameterError("oauth_consumer_key")
            self.check_callback(request)
        await self.verify(request, self._look_up_client, when_genuine=self.check_callback_registered)
        await self.count_client(request, "temporary_credentials")
        return request

    def check_request(self, request: WireRequest) -> None:
        """Check nothing: the transport was checked when the request was made."""

    async def _look_up_client(self, request: WireRequest) -> bool:
        await self.find_client(request)
        return False

    # Section 2.2 -----------------------------------------------------------------------------------------------------

    async def validate_authorization_request(self, request: WireRequest) -> WireRequest:
        """Call the server's method. As in Authlib, the request counts, and not the result."""
        await self.ask("validate_authorization_request", request)
        return request

    async def default_validate_authorization_request(self, request: WireRequest) -> WireRequest:
        """Run the core's check."""
        return await super().validate_authorization_request(request)

    async def check_callback_registered(self, request: WireRequest) -> None:
        """Check the callback as the core does. A client without `check_callback` may use any scheme."""
        if hasattr(request.client, "check_callback"):
            await super().check_callback_registered(request)

    async def find_redirect_uri(self, request: WireRequest) -> str:
        """The callback, or for ``oob`` the client's default redirect URI."""
        callback = await super().find_redirect_uri(request)
        if callback and callback != OUT_OF_BAND:
            return callback
        client = request.client
        if client is None:
            client = await self.get_client_by_id(as_text(await call_hook(request.credential.get_client_id)))
        try:
            default: str | None = await optional(client, "get_default_redirect_uri")
        except NotImplementedError:
            default = None
        if not default:
            raise NoRedirectURIError()
        return default

    async def create_authorization_response(
        self, request: WireRequest | None = None, grant_user: object = None, *, scope: str | None = None
    ) -> Any:
        """A redirect. If there is no place to redirect to, Authlib fails, and this answers with the error."""
        try:
            return await resolve(await super().create_authorization_response(request, grant_user, scope=scope))
        except NoRedirectURIError as error:
            return await self.handle_error(error)

    async def _record_decision(self, request: WireRequest) -> authorization_server.AuthorizationDecision:
        """One at a time from the first look-up on: hooks of Authlib's kind replace an approval that they find."""
        token = request.token or ""
        if self._approvals.is_crowded(token, MAX_APPROVALS_WAITING):
            return await super()._record_decision(request)
        async with self._approvals.hold(token):
            return await super()._record_decision(request)

    def denial_parameters(self) -> list[tuple[str, str]]:
        """Authlib's, with its description."""
        return [(name, str(value)) for name, value in AccessDeniedError().get_body()]

    async def deny(self, request: WireRequest) -> None:
        """A denial is final: it deletes, as far as there is a way to."""
        try:
            await super().deny(request)
        except MissingHookError:
            log.warning("A denied temporary credential stays: there is no hook to delete it.")

    # Section 2.3 -----------------------------------------------------------------------------------------------------

    async def default_validate_token_request(self, request: OAuth1Request) -> OAuth1Request:
        """Verify the request. Whatever is wrong, the temporary credential stays.

        Authlib compares the verifier before it verifies the signature. With limits the signature and the nonce come
        first, so that only the client itself can use up what it has of wrong verifiers.
        """
        await self.verify(request, self._look_up_both)
        if self.limiter is not None:
            await self.count_client(request, "token")
            await self.limiter.admit_verifier(request, self.policy)
            await self._compare_verifier(request, request.credential)
        return request

    async def _look_up_both(self, request: WireRequest) -> bool:
        """Look up both, and check the verifier, as Authlib does before it verifies the signature."""
        await self.find_client(request)
        if not request.token:
            raise MissingRequiredParameterError("oauth_token")
        credential = await self.find_temporary_credential(request)
        if not credential:
            raise await self._unknown_or_ended(request)
        if not request.verifier:
            raise MissingRequiredParameterError("oauth_verifier")
        if self.limiter is None:
            await self._compare_verifier(request, credential)
        request.credential = credential
        return False

    async def _compare_verifier(self, request: WireRequest, credential: Any) -> None:
        for spelling in await verifier_spellings(credential, request.verifier or ""):
            if _is_true(await call_hook(credential.check_verifier, spelling)):
                return
        if self.limiter is not None:
            await self.limiter.count_wrong_verifier(request, self.policy)
        error = InvalidRequestError('Invalid "oauth_verifier"')
        # Without limits the signature was not verified yet, so only the log says more.
        raise with_reason(error, InvalidVerifierError.not_approved) if await is_undecided(credential) else error

    async def _unknown_or_ended(self, request: WireRequest) -> OAuth1Error:
        """The error for a token without temporary credentials: another one if it is signed with ended ones."""
        ended = await self.find_ended_credential(request)
        if not ended:
            return InvalidTokenError()
        request.credential = ended
        try:
            await self.verify_signature(request)
        except OAuth1Error as error:
            return with_reason(InvalidTokenError(), f"They have ended; this request is refused as {error.error}.")
        finally:
            request.credential = None
        return TokenRejectedError()

    async def _create_token(self, request: WireRequest) -> list[tuple[str, str]]:
        return await self.shield(self._create_token_alone(cast("OAuth1Request", request)))

    async def _create_token_alone(self, request: OAuth1Request) -> list[tuple[str, str]]:
        token = request.token or ""
        if self._exchanges.is_crowded(token, MAX_UNSIGNED_WAITING):
            # Anybody can send any number of them, with whatever token, and each would keep a thread. These have to show
            # a signature before they wait; what it was made for is read again then.
            await self.validate_token_request(request)
            async with self._exchanges.hold(token):
                return await self._exchange(request)
        # One at a time from the first look-up on: a database may show a transaction what was there when it began.
        async with self._exchanges.hold(token):
            return await super()._create_token(request)

    async def exchange_credential(self, request: WireRequest) -> object:
        """Read again, then create and delete.

        Hooks of Authlib's kind do not tell whether a delete found anything, and an ORM's object is no use once its row
        is deleted. A credential that knows ``is_decided`` comes from hooks that know the take: it comes first there.
        """
        request.credential = await self.find_temporary_credential(request)
        if not request.credential:
            raise InvalidTokenError()
        exchange = self._exchange_in_one_transaction()
        if exchange is not None:
            exchanged = await call_hook(exchange, request.credential, await self.generate_credentials())
            if exchanged is None:
                raise TokenRejectedError()
            return exchanged
        if hasattr(request.credential, "is_decided"):
            return await super().exchange_credential(request)
        credential = await self.create_token_credential(request)
        await self.delete_temporary_credential(request)
        return credential

    def _exchange_in_one_transaction(self) -> Callable[..., Any] | None:
        """What deletes and creates at once, if the two hooks know how, and no method of the server replaces them."""
        names = ("delete_temporary_credential", "create_token_credential")
        if any(default_of(getattr(self.server, name)) is None for name in names):
            return None
        delete, create = map(self.server.find_hook, names)
        after = getattr(getattr(create, "__self__", None), "exchange_after", None)
        return None if after is None else cast("Callable[..., Any] | None", after(delete))

    async def shield(self, awaitable: Awaitable[T]) -> T:
        """Keep an exchange going: Quart cancels the handler of a client that hangs up. A thread goes on anyway."""
        if not on_loop():
            return await awaitable
        exchange = asyncio.ensure_future(awaitable)
        keep_loop_for(exchange, exchange.get_loop())
        return await asyncio.shield(exchange)

    def _optional_hook(self, name: str) -> Callable[..., Any] | None:
        return cast("Callable[..., Any] | None", self.server.find_hook(name))

    def _hook_with_scope(self, name: str, scope: str) -> Callable[..., Any]:
        func = self._optional_hook(name)
        if func is None or not takes_scope(func):
            return self._hook(name)
        return functools.partial(call_hook, with_scope(func, scope))

    # What the server overrides ---------------------------------------------------------------------------------------

    @flow_step
    async def create_oauth1_request(self, request: object) -> OAuth1Request:
        """Ask the server, and understand Authlib's requests, too."""
        try:
            given = await call_hook(self.server.create_oauth1_request, request)
        except ValueError as error:
            if _raised_by_authlib(error):  # an override made one of Authlib's, and its parser has no other way
                raise InvalidRequestError("The request is malformed.") from error
            raise
        made = OAuth1Request.adopt(given, self.policy)
        try:
            self.check_transport(made)
        except OAuth1Error as error:
            self.report_refusal(error, made)
            raise
        return made

    async def read_request(
        self, read: Callable[[Any, Policy], Awaitable[OAuth1Request]], request: object
    ) -> AuthlibOAuth1Request:
        """Read a framework's request by its adapter's ``read``; what was read before is taken as it is."""
        if isinstance(request, AuthlibOAuth1Request):
            return request
        return await read(request, self.policy)

    async def generate_credentials(self) -> dict[str, str]:
        """Ask the server's generator."""
        generator = self.server.find_token_generator()
        if generator is None:
            return await super().generate_credentials()
        generated: dict[str, str] = await call_hook(generator)
        return generated

    async def handle_credentials(self, parameters: list[tuple[str, str]]) -> Any:
        """Let the server answer."""
        return await call_hook(self.server.handle_response, 200, parameters, self.server.TOKEN_RESPONSE_HEADER)

    async def handle_error(self, error: OAuth1Error) -> Any:
        """Let the server answer."""
        return await call_hook(self.server.handle_error_response, error)

    async def respond(self, status_code: int, payload: object, headers: list[tuple[str, str]]) -> object:
        """Let the server answer."""
        return await call_hook(self.server.handle_response, status_code, payload, headers)

    async def handle_response(self, response: OAuth1Response) -> Any:
        """Let the server answer."""
        return await call_hook(self.server.handle_response, *response)

    @flow_step
    async def get_temporary_credential(self, request: WireRequest) -> Any:
        """Call the server's method; a false result counts as not found."""
        return await self.ask("get_temporary_credential", request) or None


def _is_unawaited(verdict: object) -> bool:
    return isinstance(verdict, Generator | AsyncGenerator | Future)


def _is_true(verdict: object) -> bool:
    """Whether a model said yes. An awaitable is true whatever it comes to, and it is not run here."""
    if _is_unawaited(verdict):
        log.error("check_verifier() returned %s, and neither True nor False.", type(verdict).__name__)
        return False
    return bool(verdict)


def _raised_by_authlib(error: ValueError) -> bool:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and str(traceback.tb_frame.f_globals.get("__name__")).startswith("authlib.")
