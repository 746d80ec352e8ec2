"""What the authorization server and the resource protector are configured with: policy, hooks, signature methods."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar, Self

from async_oauth1.errors import MissingHookError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SIGNATURE_METHODS

from .hooks import Hooks, HookStore, require_hooks
from .hooks.limiting import RequestLimiter
from .records.sampling import RefusalSampler
from .records.watching import DecisionObserver
from .refusals import log_refusal
from .signatures import CustomVerifier

log = logging.getLogger("async_oauth1")

_UNOBSERVED = (
    "Refusals are not explained here: explain_refusals and the hook on_refusal take effect in the servers of "
    "async_oauth1.quart and flask_compat, and behind OAuth1Middleware."
)


class ConfiguredServer:
    """The policy, the hooks and the signature methods of a server."""

    #: Called once with each refused request and its error; see `async_oauth1.explaining`.
    refusal_observer: Callable[[OAuth1Request, OAuth1Error], None] | None = None
    #: Watches each decision; `async_oauth1.telemetry.instrument` sets it.
    decision_observer: DecisionObserver | None = None
    #: Limits the requests of each client and address; `async_oauth1.limits.Limits.limit` sets it.
    limiter: RequestLimiter | None = None
    #: How refusals are counted if no request could be read.
    ENDPOINT: ClassVar[str] = "resource"
    #: The hooks that this server knows.
    HOOKS: ClassVar[tuple[str, ...]] = ()
    #: The hooks it cannot work without, each with the method that may be overridden instead.
    REQUIRED_HOOKS: ClassVar[dict[str, str]] = {}
    #: Hooks that a subclass may define as a method of the same name, besides the methods in `REQUIRED_HOOKS`.
    OVERRIDABLE_HOOKS: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, policy: Policy | None = None, *, clock: Callable[[], float] = time.time, **hooks: Callable[..., Any]
    ) -> None:
        """Start with a policy.

        Args:
            policy: the rules; by default those of `Policy`.
            clock: Unix time in seconds.
            hooks: hooks by name.

        Raises:
            ValueError: a name that is no hook.
        """
        self.policy = policy or Policy()
        self.clock = clock
        self.hooks = Hooks(self.HOOKS, self.policy)
        self._custom_verifiers: dict[str, CustomVerifier] = {}
        self._complete = False
        self._warned_of_rewriting = False
        self._sampler = RefusalSampler()
        # Every request reads these, and an attribute of a class is slower to find than one of the instance.
        self.decision_observer, self.limiter = self.decision_observer, self.limiter
        for name in self.OVERRIDABLE_HOOKS:
            if callable(method := getattr(self, name, None)):
                self.hooks.register(name, method)
        for name, func in hooks.items():
            self.hooks.register(name, func)

    def __deepcopy__(self, memo: object) -> Self:
        """Return the server itself: a copy would have other nonces. Some frameworks copy what routes refer to."""
        return self

    def register_hook(self, name: str, func: Callable[..., Any]) -> None:
        """Set one hook.

        Args:
            name: its name.
            func: a coroutine function, or a plain function that does not block.

        Raises:
            ValueError: no hook has that name.
        """
        self.hooks.register(name, func)

    def register_hooks(self, store: HookStore) -> None:
        """Fill the hooks that nothing has filled yet with the store's methods of their names.

        Raises:
            ValueError: the store has none, or keeps nonces for less than the policy needs.
        """
        self.hooks.register_store(store)

    def report_refusal(self, error: OAuth1Error, request: OAuth1Request | None) -> None:
        """Log that a request is refused, and tell the observer.

        Args:
            error: why.
            request: the request, if it could be read.
        """
        is_first = log_refusal(error, request, self._sampler, self.policy.logged_refusals_per_minute)
        observer = self.decision_observer
        if is_first and observer is not None and (request is None or request.watched_by is None):
            observer.refused(error, request, self.ENDPOINT)
        if is_first and request is not None and self.refusal_observer is not None:
            self.refusal_observer(request, error)

    async def count_arrival(self, request: OAuth1Request, endpoint: str) -> None:
        """Count a request for its address if requests are limited.

        Raises:
            TooManyRequestsError: the address has sent too many.
        """
        if self.limiter is not None:
            await self.limiter.count_arrival(request, endpoint, self.policy)

    async def count_client(self, request: OAuth1Request, endpoint: str) -> None:
        """Count a verified request for its client if requests are limited.

        Raises:
            TooManyRequestsError: the client has sent too many.
        """
        if self.limiter is not None:
            await self.limiter.count_client(request, endpoint)

    def register_signature_method(self, name: str, verify: CustomVerifier) -> None:
        """Add a signature method (RFC 5849 section 3.4) to this server; the policy must enable it, too.

        Args:
            name: what ``oauth_signature_method`` says.
            verify: called with the request, ``client`` and ``credential`` set. Only ``True`` itself accepts: the bytes
                of a computed signature are no verdict.
        """
        self._custom_verifiers[name] = verify

    def require_hooks(self, *, again: bool = False) -> None:
        """Check that nothing is missing; called before serving, and at the first request otherwise.

        Args:
            again: check it although nothing was missing before: another application may want more.

        Raises:
            MissingHookError: names every hook that is missing.
            ValueError: the policy enables a signature method that does not exist.
        """
        if self._complete and not again:
            return
        require_hooks({name: self._has_hook(name) for name in self.REQUIRED_HOOKS}, type(self).__name__)
        known = [*SIGNATURE_METHODS, *self._custom_verifiers]
        unknown = [name for name in self.policy.signature_methods if name not in known]
        if unknown:
            raise ValueError(f"Unknown signature method {', '.join(unknown)}; known are {', '.join(known)}.")
        if self.refusal_observer is None and (self.policy.explain_refusals or self.hooks.get("on_refusal")):
            log.warning(_UNOBSERVED)
        self._complete = True

    def _hook(self, name: str) -> Callable[..., Any]:
        if func := self.hooks.get(name):
            return func
        raise MissingHookError(f'The "{name}" hook is required.')

    def _has_hook(self, name: str) -> bool:
        return self.hooks.get(name) is not None or self._overrides(self.REQUIRED_HOOKS[name])

    @classmethod
    @lru_cache(maxsize=256)
    def _overrides(cls, method: str) -> bool:
        """Whether a subclass outside this package brings its own version of an overridable method."""
        return not getattr(cls, method).__module__.startswith("async_oauth1.")
