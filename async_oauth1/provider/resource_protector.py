"""The resource protector: verifies signed requests for protected resources (RFC 5849 section 3.2)."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from logging import DEBUG
from typing import Any, ClassVar, Generic, cast

from async_oauth1.credentials import ClientT_co, TokenCredential, TokenT_co
from async_oauth1.current import current_client, current_credential
from async_oauth1.errors import InsufficientScopeError, MissingRequiredParameterError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.retirement import Retirement

from .checks import check_present
from .hooks import RESOURCE_PROTECTOR_HOOKS, MaybeAwaitable, call_hook, optional
from .lane import REPLACEABLE, Lane, find_lane, methods_of
from .records.accepted import log_accepted, logs_accepted
from .refusals import with_reason
from .verification import BaseServer, LookUp, log

__all__ = ["ResourceProtector"]

_check_token = functools.partial(check_present, names=("oauth_token",))


class ResourceProtector(BaseServer, Generic[ClientT_co, TokenT_co]):
    """Verifies requests for protected resources.

    Needs the hooks ``query_client``, ``query_token`` and ``exists_nonce``; uses ``query_credentials`` instead of the
    first two if a store has it. Generic in the models of clients and token credentials, for type checkers.
    """

    HOOKS = RESOURCE_PROTECTOR_HOOKS
    REQUIRED_HOOKS: ClassVar[dict[str, str]] = {
        "query_client": "get_client_by_id",
        "query_token": "get_token_credential",
        "exists_nonce": "exists_nonce",
    }
    OVERRIDABLE_HOOKS = ("query_client", "query_token", "query_credentials")
    #: The announced end of OAuth 1.0; ``None`` if it goes on.
    retirement: Retirement | None = None
    _lane: Lane | None = None
    _replaced: frozenset[str] = frozenset()

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        clock: Callable[[], float] = time.time,
        retirement: Retirement | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        """Start with a policy.

        Args:
            policy: the rules; by default those of `Policy`.
            clock: Unix time in seconds.
            retirement: announces the end of OAuth 1.0 to clients.
            hooks: hooks by name.

        Raises:
            ValueError: a name that is no hook.
        """
        super().__init__(policy, clock=clock, **hooks)
        self.retirement = self.retirement if retirement is None else retirement
        self._lane, self._replaced = self._lane, self._replaced  # of the instance, because they are faster to find

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute.

        If it replaces a method that the lane skips, note that, so that the lane is not used.
        """
        if name in REPLACEABLE:
            self._replaced = self._replaced | {name}
        super().__setattr__(name, value)

    async def validate_request(  # noqa: C901 - a method for a part would be one more call for every request
        self,
        request: OAuth1Request,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
    ) -> OAuth1Request:
        """Verify a request.

        Args:
            request: as read from the wire.
            scope: the scopes that the token credential must cover, if it has ``get_scope()``; separated by spaces.
            two_legged: accept a request without a token. A token that is sent must still be valid.
            body_hash_required: refuse a body that is neither signed as a form nor by ``oauth_body_hash``.

        Returns:
            The request with ``client`` and ``credential`` set; ``credential`` is ``None`` for two-legged requests.

        Raises:
            OAuth1Error: the request is not accepted. Nothing is stored for a request with an invalid signature.
        """
        observer = self.decision_observer
        if observer is not None and request.watched_by is not observer:
            with observer.watch(request, self.ENDPOINT):
                return await self.validate_request(
                    request, scope=scope, two_legged=two_legged, body_hash_required=body_hash_required
                )
        try:
            policy, clock, limiter = self.policy, self.clock, self.limiter
            if self.retirement is not None:
                self.retirement.check(clock())
            if limiter is not None:
                await limiter.count_arrival(request, "resource", policy)
                policy, clock = self.policy, self.clock  # they may have been replaced meanwhile
            look_up: LookUp | None = None
            is_verified = False
            lane = find_lane(self, _USUAL)
            if lane is not None and lane.admits(request, policy, clock(), two_legged, body_hash_required):
                token_missing, is_admitted = lane.look_up(request), True
                if token_missing is None:
                    token_missing = await self._look_up(request)
                    # Meanwhile a hook may have edited the request, or the timestamp has left the window.
                    policy, clock = self.policy, self.clock
                    is_admitted = lane.admits(request, policy, clock(), two_legged, body_hash_required)
                is_verified = is_admitted and lane.holds(request, token_missing=token_missing)
                if not is_verified:
                    look_up = _found(token_missing)
                elif not lane.is_nonce_new(request, policy.timestamp_window, clock):
                    await self.use_nonce(request)
            if not is_verified:  # from the beginning, except that no store is asked twice
                check = None if two_legged else _check_token
                await self.verify(request, look_up or self._look_up, check=check, body_hash_required=body_hash_required)
            if scope:
                await self._check_scope(request, scope)
            if limiter is not None:
                await limiter.count_client(request, "resource")
        except OAuth1Error as error:
            self.report_refusal(error, request)
            raise
        if logs_accepted(DEBUG):
            log_accepted("request.accepted", request)
        return request

    async def check_verified(
        self,
        request: OAuth1Request,
        *,
        scope: str | None = None,
        two_legged: bool = False,
        body_hash_required: bool = False,
        verified_by: Policy | None = None,
    ) -> None:
        """Check the requirements of a route for a request that `validate_request` accepted with fewer requirements.

        The signature is not verified again, and the nonce is not used again.

        Args:
            request: the request that `validate_request` returned.
            scope: as for `validate_request`.
            two_legged: as for `validate_request`.
            body_hash_required: as for `validate_request`.
            verified_by: the policy by which it was accepted. If this protector has another one by now, what the policy
                demands of a request is checked, too.

        Raises:
            OAuth1Error: the request does not meet the requirements of this route.
        """
        try:
            if verified_by is not None and verified_by is not self.policy:
                self.check_request(request)
                await self.verify_body(request)
            if request.credential is None and not two_legged:
                raise MissingRequiredParameterError("oauth_token")
            if body_hash_required:
                await self.verify_body(request, required=True)
            if scope:
                await self._check_scope(request, scope)
        except OAuth1Error as error:
            self.report_refusal(error, request)
            raise

    @property
    def current_client(self) -> ClientT_co:
        """The client of the request that is being handled: a proxy, typed as this protector's model."""
        return cast("ClientT_co", current_client)

    @property
    def current_credential(self) -> TokenT_co:
        """The token credential of the request that is being handled: a proxy, typed as this protector's model."""
        return cast("TokenT_co", current_credential)

    def get_token_credential(self, request: OAuth1Request) -> MaybeAwaitable[TokenT_co | None]:
        """Look the token credential up; by default the hook ``query_token``."""
        found: MaybeAwaitable[TokenT_co | None] = self._hook("query_token")(request.client_id, request.token)
        return found

    async def _look_up(self, request: OAuth1Request) -> bool:
        client_id = request.protocol_parameters.get("oauth_consumer_key")
        token = request.protocol_parameters.get("oauth_token") or None  # an empty one counts as absent
        query_credentials = self.hooks.get("query_credentials") if token is not None else None
        if query_credentials and not (self._overrides("get_client_by_id") or self._overrides("get_token_credential")):
            request.client, request.credential = await call_hook(query_credentials, client_id, token)
        else:
            # One after the other: an ORM session allows no more. The second is made for an unknown client, too.
            request.client = await call_hook(self.get_client_by_id, client_id)
            if token is not None:
                request.credential = await call_hook(self.get_token_credential, request)
        credential = request.credential
        if credential is None:
            return token is not None
        if type(credential) is TokenCredential and credential.client_id == client_id:
            return False
        if not await self._belongs_to_client(request):
            log.error("The hook that looks tokens up returned one of another client than %r.", request.client_id)
            request.credential = None
        return request.credential is None

    @staticmethod
    async def _belongs_to_client(request: OAuth1Request) -> bool:
        owner = await optional(request.credential, "get_client_id")
        return owner is None or as_text(owner) == request.client_id

    async def _check_scope(self, request: OAuth1Request, scope: str) -> None:
        if request.credential is None:
            return
        granted = await optional(request.credential, "get_scope")
        if granted is None and not hasattr(request.credential, "get_scope"):
            return
        names = granted.split() if isinstance(granted, str) else granted or ()
        if not set(scope.split()) <= set(names):
            raise with_reason(InsufficientScopeError(), f"The resource requires {scope!r}; granted is {names!r}.")


def _found(token_missing: bool) -> LookUp:  # noqa: FBT001 - what a look-up returns
    async def look_up(_: OAuth1Request) -> bool:
        return token_missing

    return look_up


# The methods of a protector in which nothing is replaced.
_USUAL = methods_of(ResourceProtector)
