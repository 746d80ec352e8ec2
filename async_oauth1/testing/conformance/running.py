"""Run a case against a store, and name the call that does not return."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable, iscoroutinefunction
from typing import Any, NoReturn

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, TransientStore
from async_oauth1.testing.clock import Clock

__all__ = ["CLIENT", "NOW", "TOKEN", "Conformance", "check", "fail"]

#: When the clock of each case starts.
NOW = 1_700_000_000
CLIENT = Client(client_id="dpf43f3p2l4k3l03", client_secret="kd94hf93k423kf44", name="Client", callbacks=("oob",))
TOKEN = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"}

#: What a case gets: the store with each call guarded, and the clock.
Case = Callable[[Any, Clock], Coroutine[Any, Any, None]]


def check(holds: object, message: str) -> None:
    """Fail with a message unless something holds.

    Raises:
        AssertionError: it does not hold.
    """
    if not holds:
        fail(message)


def fail(message: str) -> NoReturn:
    """Fail.

    Raises:
        AssertionError: always.
    """
    raise AssertionError(message)


class Conformance:
    """Makes a store for each test, and runs the test in a thread with an event loop of its own.

    Attributes:
        call_timeout: seconds for each call of the store.
    """

    call_timeout: float = 10.0

    def make_store(self, clock: Clock) -> TransientStore | Awaitable[TransientStore]:
        """Make an empty store, not open yet; a plain method or a coroutine. Override it.

        Args:
            clock: what the store must go by.
        """
        raise NotImplementedError(f"{type(self).__name__}: define make_store(self, clock).")

    def run_case(self, case: Case, *, full: bool = False, now: float = NOW) -> None:
        """Run a case against a new store.

        Args:
            case: a coroutine function.
            full: whether it needs a store that keeps clients and token credentials; it is skipped for others.
            now: when the clock starts; Unix time, in seconds.

        Raises:
            AssertionError: the store has failed, or did not return; the message names the call.
        """
        runner = _Runner(self, case, full=full, now=now)
        thread = threading.Thread(target=runner.run, name="conformance", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(self.call_timeout / 20)
            stuck = runner.guard.stuck(2 * self.call_timeout)
            check(
                stuck is None, f"{stuck} blocks the event loop: it did not return within {2 * self.call_timeout:g} s."
            )
        if runner.problem is not None:
            raise runner.problem


class _Runner:
    def __init__(self, suite: Conformance, case: Case, *, full: bool, now: float) -> None:
        self.suite, self.case, self.full, self.now = suite, case, full, now
        self.problem: BaseException | None = None
        self.guard = _Guard(None, suite.call_timeout)

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 - raised by `run_case`
            self.problem = error

    async def _run(self) -> None:
        clock = Clock(self.now)
        with self.guard.calling("make_store"):
            made = self.suite.make_store(clock)
            store = await asyncio.wait_for(made, self.suite.call_timeout) if isawaitable(made) else made
        if self.full and not isinstance(store, Store):
            import pytest

            pytest.skip("The store keeps no clients and token credentials.")
        self.guard.store = store
        await self.guard.migrate()
        await self.guard.open()
        try:
            await self.case(self.guard, clock)
        finally:
            await self.guard.close()


class _Guard:
    """The store under test. A call that takes too long is an error with its name."""

    def __init__(self, store: Any, timeout: float) -> None:
        self.store, self.call_timeout = store, timeout
        self._running: dict[object, tuple[str, float]] = {}

    def calling(self, name: str) -> _Calling:
        return _Calling(self._running, name)

    def stuck(self, timeout: float) -> str | None:
        """The call that has been running longest, if it has been for too long."""
        from time import monotonic

        name, since = min(list(self._running.values()), key=lambda one: one[1], default=("", 0.0))
        return name if name and monotonic() - since > timeout else None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        if not iscoroutinefunction(method) and not callable(method):
            return method

        def guarded(*args: Any, **keywords: Any) -> Any:
            with self.calling(name):
                result = method(*args, **keywords)
            return self._wait(name, result) if isawaitable(result) else result

        return guarded

    async def _wait(self, name: str, result: Awaitable[Any]) -> Any:
        with self.calling(name):
            task = asyncio.ensure_future(result)
            try:
                done, _ = await asyncio.wait({task}, timeout=self.call_timeout)
            except asyncio.CancelledError:
                task.cancel()
                raise
            if not done:
                task.cancel()
                raise AssertionError(f"{name} did not return within {self.call_timeout:g} s.")
            return task.result()


class _Calling:
    def __init__(self, running: dict[object, tuple[str, float]], name: str) -> None:
        self._running, self._name = running, name

    def __enter__(self) -> None:
        from time import monotonic

        self._running[self] = (self._name, monotonic())

    def __exit__(self, *_: object) -> None:
        del self._running[self]
