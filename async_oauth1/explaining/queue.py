"""The queue of refusals that wait for their explanation, and the explanation of one of them in slices."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

from async_oauth1.errors import InvalidClientError, InvalidNonceError, InvalidTokenError, OAuth1Error
from async_oauth1.explain import Cause, Explanation, Secrets, explain_in_steps
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SigningKeys
from async_oauth1.provider.configured_server import ConfiguredServer
from async_oauth1.provider.refusals import log_explanation, root_of
from async_oauth1.tolerances import TOLERANCES

__all__ = ["Queue", "Refusal", "explanation_of", "refusal_of"]

log = logging.getLogger("async_oauth1")

#: Refusals that wait, of all clients and of one.
CAPACITY, CAPACITY_OF_ONE = 64, 8
#: Explanations in a second, and at once after a pause.
RATE, BURST = 1.0, 10.0
#: Octets of header, query and body; the steps of larger requests would take longer than a slice.
LARGEST = 8 * 1024
#: Seconds after which a slice begins no further step; a step takes about half a millisecond at most.
SLICE = 0.00025
#: Seconds between two reports of what was dropped.
_REPORTS = 60.0

#: The hook ``on_refusal``.
Hook = Callable[[OAuth1Request, OAuth1Error, Explanation | None], Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that waits.

    Attributes:
        request: what was refused.
        error: why.
        policy: the rules at that time.
        now: Unix time of its arrival.
        hook: called with the explanation; may be ``None``.
        is_explained: an explanation is wanted.
    """

    request: OAuth1Request
    error: OAuth1Error
    policy: Policy
    now: float
    hook: Hook | None
    is_explained: bool


def refusal_of(
    server: ConfiguredServer, request: OAuth1Request, error: OAuth1Error, hook: Hook | None
) -> Refusal | None:
    """What has to be done about a refusal; ``None`` for nothing."""
    policy = server.policy
    is_explained = policy.explains_refusals_of(request.client_id)
    if hook is None and not is_explained:
        return None
    return Refusal(request, error, policy, server.clock(), hook, is_explained)


@dataclass(slots=True)
class Queue:
    """A bounded queue. What does not fit is counted and dropped.

    Attributes:
        clock: seconds, monotonic.
        dropped: why refusals were dropped, and how many.
    """

    clock: Callable[[], float] = time.monotonic
    dropped: Counter[str] = field(default_factory=Counter[str])
    _waiting: deque[Refusal] = field(default_factory=deque[Refusal])
    _of_client: Counter[str] = field(default_factory=Counter[str])
    _allowance: float = BURST
    _refilled: float = 0.0
    _reported: float = float("-inf")

    def __len__(self) -> int:
        """Refusals that wait."""
        return len(self._waiting)

    def offer(self, refusal: Refusal) -> bool:
        """Add a refusal; returns whether it waits now."""
        client = refusal.request.client_id or ""
        if len(self._waiting) >= CAPACITY or self._of_client[client] >= CAPACITY_OF_ONE:
            self.dropped["too many wait"] += 1
            return False
        if refusal.is_explained and (reason := self._reason_against(refusal.request)):
            self.dropped[reason] += 1
            if refusal.hook is None:
                return False
            refusal = replace(refusal, is_explained=False)
        self._of_client[client] += 1
        self._waiting.append(refusal)
        return True

    def take(self) -> Refusal | None:
        """Remove the first refusal and return it; ``None`` if the queue is empty."""
        if not self._waiting:
            return None
        refusal = self._waiting.popleft()
        client = refusal.request.client_id or ""
        self._of_client[client] -= 1
        if not self._of_client[client]:
            del self._of_client[client]
        self._report()
        return refusal

    def _reason_against(self, request: OAuth1Request) -> str:
        octets = sum(len(part) for field in request.raw_headers for part in field) + len(request.raw_query)
        if octets + len(request.body or b"") > LARGEST:
            return "larger than 8 KiB"
        now = self.clock()
        self._allowance = min(BURST, self._allowance + (now - self._refilled) * RATE)
        self._refilled = now
        if self._allowance < 1:
            return "more than one in a second"
        self._allowance -= 1
        return ""

    def _report(self) -> None:
        now = self.clock()
        if self.dropped and now - self._reported >= _REPORTS:
            counts = ", ".join(f"{count} ({reason})" for reason, count in sorted(self.dropped.items()))
            log.info("Refusals that were not explained: %s.", counts)
            self.dropped.clear()
            self._reported = now


def slices(refusal: Refusal) -> Iterator[Explanation | None]:
    """Explain a refusal and log it; yields ``None`` after each slice, and at last the explanation."""
    steps = _steps(refusal)
    explanation: Explanation | None = None
    while explanation is None:
        ends = time.perf_counter() + SLICE
        try:
            while time.perf_counter() < ends:
                next(steps)
            yield None
        except StopIteration as stop:
            explanation = cast("Explanation", stop.value)
    if explanation.causes or explanation.tried:
        log_explanation(refusal.request, _texts(explanation, refusal.error))
    yield explanation


def explanation_of(refusal: Refusal) -> Explanation:
    """Explain a refusal at once, without logging it: 50 ms for a large request, during which nothing else runs."""
    steps = _steps(refusal)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            explanation: Explanation = stop.value
            return explanation


def _steps(refusal: Refusal) -> Generator[None, None, Explanation]:
    explanation = yield from explain_in_steps(
        refusal.request,
        _secrets(refusal.request),
        policy=_policy(refusal),
        now=refusal.now,
        searches=bool(refusal.request.tried_keys),
    )
    return _with_credentials(explanation, root_of(refusal.error))


def _policy(refusal: Refusal) -> Policy:
    """The rules for this client: what is tolerated of it is no cause."""
    request, policy = refusal.request, refusal.policy
    names = tuple(name for name in request.tolerances if name in TOLERANCES)
    window = request.timestamp_window or policy.timestamp_window
    if names == policy.tolerances and window == policy.timestamp_window:
        return policy
    return replace(policy, tolerances=names, timestamp_window=window)


def _secrets(request: OAuth1Request) -> Secrets:
    """The keys that the verification has looked up; nothing is asked for again."""
    keys: tuple[SigningKeys, ...] = request.tried_keys
    if not keys:
        return Secrets()
    public_key = keys[0].rsa_key
    return Secrets(
        client_secrets=tuple(key.client_secret for key in keys),
        token_secret=keys[0].token_secret,
        rsa_public_key=None if public_key is None else as_text(public_key),
    )


def _with_credentials(explanation: Explanation, error: OAuth1Error) -> Explanation:
    """The explanation with what the look-ups found."""
    if isinstance(error, InvalidClientError):
        cause = Cause(
            "credentials", "No client has this identifier.", "Register the client, or correct the identifier."
        )
    elif isinstance(error, InvalidTokenError):
        text = "The token is unknown, has ended, or belongs to another client."
        cause = Cause("credentials", text, "Let the client ask for a new token.")
    else:
        return explanation
    return replace(explanation, causes=(cause, *explanation.causes))


def _texts(explanation: Explanation, error: OAuth1Error) -> Iterator[str]:
    if isinstance(error, InvalidNonceError):
        return
    for cause in explanation.causes:
        yield f"{cause.code}: {cause.text} To do: {cause.fix}"
    if not explanation.causes:
        yield f"none of {explanation.tried} ways to sign was found, so most likely a secret is wrong."
