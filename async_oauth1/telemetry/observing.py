"""Watches the decisions and the hooks of servers."""

from __future__ import annotations

import functools
import inspect
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import is_awaitable
from async_oauth1.provider.hooks.problems import TimedHook
from async_oauth1.provider.records.fields import printable
from async_oauth1.provider.refusals import root_of

from .recording import Backend, Recorder
from .table import HOOK, REQUESTS, VERIFICATION

if TYPE_CHECKING:
    from .tracing import Spans, Started

__all__ = ["UNKNOWN", "Observer"]

#: The label of clients that do not exist, or were not looked up.
UNKNOWN = "unknown"
#: So many verifications are timed, and one in so many after them: a histogram takes longer than all the rest.
FIRST_TIMED, TIMED_OF = 1_000, 8


class Observer:
    """Records each decision and each call of a hook.

    Attributes:
        records: whether there are metrics, not only spans.
    """

    def __init__(self, backends: Sequence[Backend], spans: Spans | None, *, clients: bool) -> None:
        """Observe nothing yet.

        Args:
            backends: of the metrics.
            spans: of the traces; ``None`` for no traces.
            clients: count each client that exists by itself.
        """
        requests = replace(REQUESTS, labels=(*REQUESTS.labels, "oauth1.client_id")) if clients else REQUESTS
        self.records = bool(backends)
        self.spans = spans
        self._clients = clients
        self._decisions = 0
        self._count = Recorder(backends, requests)
        self._time = Recorder(backends, VERIFICATION)
        self.time_hook = Recorder(backends, HOOK)

    def watch(self, request: OAuth1Request, endpoint: str) -> _Verification:
        """As `DecisionObserver.watch`."""
        return _Verification(self, request, endpoint)

    def refused(self, error: OAuth1Error, request: OAuth1Request | None, endpoint: str) -> None:
        """As `DecisionObserver.refused`."""
        if self.records:
            self.count(request, endpoint, *outcome_of(error))

    def decided(self, request: OAuth1Request, endpoint: str, seconds: float, error: BaseException | None) -> None:
        """Record a decision and the time that it took."""
        outcome, reason = outcome_of(error)
        self.count(request, endpoint, outcome, reason)
        self._decisions += 1
        if self._decisions <= FIRST_TIMED or not self._decisions % TIMED_OF:
            self._time(seconds, endpoint, outcome)

    def count(self, request: OAuth1Request | None, endpoint: str, outcome: str, reason: str) -> None:
        """Count a decision by endpoint, outcome and reason; by client, too, if that is switched on."""
        if self._clients:
            self._count(1, endpoint, outcome, reason, _label_of(request))
        else:
            self._count(1, endpoint, outcome, reason)

    def wrap_hook(self, name: str, func: Callable[..., Any]) -> Callable[..., Any]:
        """The hook, with each call recorded."""
        observe = self._observe_coroutines if inspect.iscoroutinefunction(func) else self._observe_calls
        observed = functools.wraps(func)(observe(name, func))
        _keep_identity(observed, func)
        return observed

    def _observe_coroutines(self, name: str, func: Callable[..., Any]) -> Callable[..., Any]:
        async def observed(*args: Any, **kwargs: Any) -> Any:
            with _HookCall(self, name):
                made: Any = func(*args, **kwargs)
                # The outer `TimedHook` sees only this function, so this one reports a hook that blocks.
                return await (TimedHook(made) if CoroutineType is type(made) else made)

        return observed

    def _observe_calls(self, name: str, func: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*args: Any, **kwargs: Any) -> Any:
            call = _HookCall(self, name)
            with call:
                made = func(*args, **kwargs)
                call.goes_on = is_awaitable(made)
            return _awaited(made, call) if call.goes_on else made

        return observed


class _Verification:
    """A verification that is being measured: when it began, and of which request."""

    __slots__ = ("_begun", "_endpoint", "_observer", "_request", "_started")

    def __init__(self, observer: Observer, request: OAuth1Request, endpoint: str) -> None:
        self._observer, self._request, self._endpoint = observer, request, endpoint
        self._started: Started | None = None

    def __enter__(self) -> Self:
        observer, request = self._observer, self._request
        request.watched_by = observer
        if observer.spans is not None:
            self._started = observer.spans.begin_verification(request, self._endpoint)
        self._begun = perf_counter()
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        observer, request = self._observer, self._request
        request.watched_by = None
        if observer.records:
            observer.decided(request, self._endpoint, perf_counter() - self._begun, error)
        if self._started is not None and observer.spans is not None:
            observer.spans.end(self._started, error)


class _HookCall:
    """One call of a hook."""

    __slots__ = ("_begun", "_name", "_observer", "_started", "goes_on")

    def __init__(self, observer: Observer, name: str) -> None:
        self._observer, self._name = observer, name
        self._started: Started | None = None
        self._begun = perf_counter()
        self.goes_on = False

    def __enter__(self) -> Self:
        spans = self._observer.spans
        if self._started is not None and spans is not None:
            self._started = spans.resume(self._started)
        elif spans is not None:
            self._started = spans.begin_hook(self._name)
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        observer, spans = self._observer, self._observer.spans
        if self._started is not None and spans is not None:
            if self.goes_on:
                spans.pause(self._started)
            else:
                spans.end(self._started, error)
        if observer.records and not self.goes_on:
            observer.time_hook(perf_counter() - self._begun, self._name, type(error).__name__ if error else "")


async def _awaited(made: Any, call: _HookCall) -> Any:
    """Await what a plain function returned; the call ends then."""
    call.goes_on = False
    with call:
        return await made


def outcome_of(error: BaseException | None) -> tuple[str, str]:
    """How a decision is counted: the outcome and the reason."""
    if error is None:
        return "accepted", ""
    if isinstance(error, OAuth1Error):
        reason = root_of(error).error or type(error).__name__
        return ("refused" if error.status_code < 500 else "unavailable"), reason
    if isinstance(error, CancelledError | GeneratorExit):
        return "cancelled", ""
    return "failed", type(error).__name__


def _label_of(request: OAuth1Request | None) -> str:
    """The identifier of a client, from its own record: what a request says may be made up."""
    client = None if request is None else request.client
    name = getattr(client, "client_id", None)
    return printable(name, 100) if isinstance(name, str) and name else UNKNOWN


def _keep_identity(observed: Any, func: Any) -> None:
    """Let a wrapped method of a store still count as the store's own: the lane then asks the store without waiting."""
    for attribute in ("__self__", "__func__"):
        if hasattr(func, attribute):
            setattr(observed, attribute, getattr(func, attribute))
