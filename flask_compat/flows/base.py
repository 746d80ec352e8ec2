"""The core's flows in Authlib's order, with Authlib's errors and Authlib's overridable methods.

The checks are the core's, and so is `BaseServer.verify`. Its steps contain other checks here: Authlib looks a client up
before it checks the timestamp, and existing tests and the error handling of clients depend on that. Unlike in Authlib,
the nonce is used after the signature has been verified, so that nothing is stored for a request that is not genuine.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from authlib.common.security import is_secure_transport

from async_oauth1.asgi.verifying.announcing import tell_use
from async_oauth1.errors import (
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    MethodNotAllowedError,
    MissingHookError,
    MissingRequiredParameterError,
    OAuth1Error,
    TimestampRefusedError,
    UnsupportedSignatureMethodError,
)
from async_oauth1.explaining import observe_in_thread
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request as WireRequest
from async_oauth1.provider import resource_protector
from async_oauth1.provider.checks import (
    check_identifiers,
    check_timestamp_window,
    check_version,
    note_header_parameters,
    omits_timestamp,
)
from async_oauth1.provider.hooks import call_hook, is_awaitable
from async_oauth1.provider.leniency import apply_tolerances, check_deviations, refusal_of, tolerances_of
from async_oauth1.provider.responses import problem_members, with_problem
from async_oauth1.provider.verification import BaseServer
from async_oauth1.tolerances import LOOSE_BASE64, VERSION_1_0A
from flask_compat.caching.nonce_lifetime import timestamp_window
from flask_compat.execution.callable_kinds import default_of, flow_step
from flask_compat.wrapper import OAuth1Request

log = logging.getLogger("flask_compat")

_WITHOUT_DESCRIPTION = (
    InvalidClientError,
    InvalidNonceError,
    InvalidSignatureError,
    MethodNotAllowedError,
    UnsupportedSignatureMethodError,
)


@contextmanager
def authlib_errors() -> Generator[None]:
    """Replace the description of the core's errors by Authlib's. The log has the original, which is the cause."""
    try:
        yield
    except OAuth1Error as error:
        translated = _translate(error)
        if translated is error:
            raise
        raise translated from error  # the cause, which the log shows


def _translate(error: OAuth1Error) -> OAuth1Error:
    if type(error) in _WITHOUT_DESCRIPTION and error.description:
        return type(error)()
    if isinstance(error, TimestampRefusedError):
        return with_problem(InvalidRequestError('Invalid "oauth_timestamp" value'), **dict(problem_members(error)))
    if isinstance(error, InvalidRequestError):
        for name in ("oauth_timestamp", "oauth_callback"):
            if (error.description or "").startswith((f'"{name}"', f'Invalid "{name}" value')):
                return InvalidRequestError(f'Invalid "{name}" value')
    return error


def from_server(name: str, endpoint: str | None = None) -> Callable[..., Any]:
    """Make a flow's method that calls the server's method of this name.

    A method that is not overridden would only call the flow back, so its default step is called directly.

    Args:
        name: of the method.
        endpoint: where the request is counted for its address first, if requests are limited.
    """

    @flow_step
    async def call(self: Flows, *args: Any) -> object:
        if endpoint is not None:
            await self.count_arrival(args[0], endpoint)
        return await self.ask(name, *args)

    return call


class Flows(BaseServer):
    """The steps that the flows of both servers share."""

    get_client_by_id: ClassVar[Callable[..., Any]] = from_server("get_client_by_id")
    exists_nonce = from_server("exists_nonce")

    def __init__(self, server: Any) -> None:
        """Use a server. Its methods are called, so that subclasses can override them."""
        self.server = server
        self._combined: tuple[Policy, tuple[str, ...], Policy] | None = None
        super().__init__(Policy(uniform_errors=False))
        observe_in_thread(self, lambda: server.on_refusal)

    @property
    def policy(self) -> Policy:
        """The configured policy, combined with Authlib's class attributes."""
        server = self.server
        only = server.configurations.only
        if only is not None:  # the usual case, without another call
            configured, supported = only.policy, server.SUPPORTED_SIGNATURE_METHODS
        else:
            configured, supported = server.find_configured(self._policy)
        methods = tuple(supported)
        known = self._combined  # read about ten times for each request, and hashing a policy is slow
        if known is None or known[0] is not configured or known[1] != methods:
            known = self._combined = configured, methods, _with(configured, methods)
        return known[2]

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._policy = policy

    def require_hooks(self, *, again: bool = False) -> None:
        """Check nothing: as in Authlib, a missing hook is an error when it is used."""

    def is_secure(self, request: WireRequest) -> bool:
        """Whether the connection is secure by Authlib's rules: by scheme and host, or by the environment."""
        return bool(is_secure_transport(request.uri))

    def custom_verifier(self, name: str) -> Callable[..., Any] | None:
        """The verifier that was registered for this class of server."""
        verify: Callable[..., Any] | None = self.server.SIGNATURE_METHODS.get(name)
        if verify is None or verify is self.server.VERIFIERS.get(name):
            return None

        @flow_step
        async def verify_with_secrets(request: OAuth1Request) -> object:
            await request.fetch_secrets()
            try:
                return await call_hook(verify, request)
            except (TypeError, ValueError, NotImplementedError):
                # hmac and base64 raise these for a malformed signature, and Authlib's mixins for a missing key.
                log.exception("The verifier of %r failed; the signature counts as wrong.", name)
                return False

        return verify_with_secrets

    def _hook(self, name: str) -> Callable[..., Any]:
        func = self.server.find_hook(name)
        if not callable(func):
            raise MissingHookError(self.server.MISSING_HOOK.format(name))
        if name == "exists_nonce":
            window: int | None = self.longest_window()
            if window == sys.maxsize:  # any timestamp is accepted
                window = None
            return functools.partial(_call_exists_nonce, window, func)
        return functools.partial(call_hook, func)

    async def ask(self, name: str, *args: object) -> Any:
        """Call an override of the server's method, or else the step that the method runs by default."""
        method = getattr(self.server, name)
        step = default_of(method)
        if step is None:
            return await call_hook(method, *args)
        value = step(self, *args)
        return await value if is_awaitable(value) else value

    # Steps -----------------------------------------------------------------------------------------------------------

    async def find_client(self, request: WireRequest) -> None:
        """Look up the client that the request names.

        Raises:
            OAuth1Error: there is no such client.
        """
        client_id = request.client_id
        if not client_id:
            raise MissingRequiredParameterError("oauth_consumer_key")
        check_identifiers(request, self.policy)
        if request.protocol_parameters.get("oauth_version"):  # Authlib reads none; an empty one does no harm
            check_version(request)
        request.client = await self.get_client_by_id(client_id)
        if request.client:
            await self.find_tolerances(request)
        elif (deviation := refusal_of(request, self._tolerated_of_all(request), uniform=True)) is None:
            raise InvalidClientError()
        else:
            raise deviation
        check_deviations(request)

    async def find_tolerances(self, request: WireRequest) -> None:
        """As the core; besides, tolerate what Authlib takes. Asked once for each client of a request."""
        if vars(request).get("_tolerated_client") is request.client:
            return
        vars(request)["_tolerated_client"] = request.client
        names = await tolerances_of(request.client, request.client_id)
        apply_tolerances(request, names, self._tolerated_of_all(request), self.longest_window, self.clock)

    def longest_window(self) -> int:
        """As the core's, with the window that Authlib keeps in a class attribute."""
        return max(self.server.find_setting("EXPIRY_TIME") or sys.maxsize, self.policy.longest_timestamp_window or 0)

    def _tolerated_of_all(self, request: WireRequest) -> tuple[str, ...]:
        """What is tolerated of every client: Authlib asks for no version, and skips line breaks in RSA signatures."""
        if (request.signature_method or "").startswith("RSA-"):
            return (*self.policy.tolerances, VERSION_1_0A, LOOSE_BASE64)
        return (*self.policy.tolerances, VERSION_1_0A)

    async def verify_signature(self, request: object, *, token_missing: bool = False) -> None:
        """Verify timestamp and signature, by methods that a subclass may override."""
        await self.ask("validate_timestamp_and_nonce", request)
        await self.ask("validate_oauth_signature", request)

    async def use_nonce(self, request: Any) -> None:
        """Use the nonce, unless an overriding method has done so."""
        if request.nonce_is_pending:
            with authlib_errors():
                await super().use_nonce(request)

    async def validate_timestamp_and_nonce(self, request: OAuth1Request) -> None:
        """Check that the timestamp is within the window, and that there is a nonce."""
        request.nonce_is_pending = True
        if not request.timestamp:
            if omits_timestamp(request):
                return
            raise MissingRequiredParameterError("oauth_timestamp")
        self.check_window(request)
        if not request.nonce:
            raise MissingRequiredParameterError("oauth_nonce")

    def check_window(self, request: Any) -> None:
        """Check the timestamp again, with the window in Authlib's class attribute.

        If a subclass overrides the check of timestamp and nonce, only its own rules count.
        """
        timestamp = request.timestamp
        if request.nonce_is_pending and timestamp:
            window = request.timestamp_window or self.server.find_setting("EXPIRY_TIME") or sys.maxsize
            with authlib_errors():
                check_timestamp_window(timestamp, window, self.clock())

    async def validate_oauth_signature(self, request: OAuth1Request) -> None:
        """Verify the signature."""
        method = request.signature_method
        if not method:
            raise MissingRequiredParameterError("oauth_signature_method")
        with authlib_errors():
            self.check_signature_method(request)
            if request.has_other_header_parameters:
                note_header_parameters(request)
            check_deviations(request)
            if not request.signature:
                raise MissingRequiredParameterError("oauth_signature")
            if method not in self.server.SIGNATURE_METHODS:
                raise UnsupportedSignatureMethodError()
            await super().verify_signature(request)


async def _call_exists_nonce(window: int | None, func: Callable[..., Any], *args: object) -> object:
    token = timestamp_window.set(window or 0)
    try:
        return await call_hook(func, *args)
    finally:
        timestamp_window.reset(token)


@functools.lru_cache(maxsize=64)
def _with(policy: Policy, methods: tuple[str, ...]) -> Policy:
    return replace(policy, signature_methods=methods)


class ProtectorFlows(Flows, resource_protector.ResourceProtector):
    """The flow of the resource protector."""

    check_request = Flows.check_transport  # the parameters are checked later, as in Authlib

    async def validate(self, request: OAuth1Request) -> OAuth1Request:
        """Verify a request."""
        observer = self.decision_observer
        if observer is not None and request.watched_by is not observer:
            with observer.watch(request, self.ENDPOINT):
                return await self.validate(request)
        try:
            if self.retirement is not None:
                self.retirement.check(self.clock())
            limiter = self.limiter
            if limiter is not None:
                await limiter.count_arrival(request, "resource", self.policy)
            await self.verify(request, self._look_up)
            if limiter is not None:
                await limiter.count_client(request, "resource")
            if self.retirement is not None:
                await tell_use(self, request)
        except OAuth1Error as error:
            self.report_refusal(error, request)
            raise
        return request

    async def _look_up(self, request: WireRequest) -> bool:
        await self.find_client(request)
        if not request.token:
            raise MissingRequiredParameterError("oauth_token")
        credential = await self.ask("get_token_credential", request)
        request.credential = credential or None
        if credential and not await self._belongs_to_client(request):
            request.credential = None
        if request.credential is None:
            raise InvalidTokenError()
        return False
