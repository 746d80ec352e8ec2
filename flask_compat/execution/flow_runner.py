"""Where a flow runs, and where its hooks are called.

One rule: on an event loop an awaitable comes back, elsewhere the result itself.

                        hooks                       the flow runs
    on a loop           all of them async           on the loop, with no thread involved
                        a plain one among them      in one worker thread, from beginning to end, so that what belongs to
                                                    a thread, such as an ORM's session, stays together
    in a thread         all of them async           on the application's loop, while the thread waits
                        a plain one among them      in that thread

Whatever a hook returns to a thread and is awaitable is awaited on the application's loop. Whatever might block and is
called on a loop after all, such as a model's method, hops to a thread.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import os
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, Protocol

from async_oauth1.provider.hooks import hook_caller, is_awaitable, resolve
from async_oauth1.provider.sync_driver import drive

from .callable_kinds import is_loop_bound, is_part_of_flow, may_block, needs_loop

#: Flows with blocking hooks that can be under way at once. They spend their time waiting for a database, so there are
#: many more than processors, and about as many as connection pools have connections.
WORKER_THREADS = 64

#: Seconds after which a thread that waits for a loop finds out that the loop has ended.
LOOP_CHECK_INTERVAL = 0.5

_NO_LOOP = ("no running event loop", "no current event loop")


AnyFuture = asyncio.Future[Any] | Future[Any]


class Kinds(NamedTuple):
    """What kinds of hooks a server has."""

    any_plain: bool
    any_async: bool


class Home(Protocol):
    """Where the application's loop and threads are."""

    #: Whether each `wait` may have another loop, so that a flow with async hooks had better have one wait.
    loops_are_short_lived: bool

    def on_loop(self) -> bool:
        """Whether an event loop runs in this thread, and expects to be given awaitables."""
        ...

    async def hop(self, func: Callable[[], Any]) -> Any:
        """Leave the loop for a thread that may wait."""

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Let this thread wait for what the loop does."""

    def under_way(self) -> AbstractContextManager[None]:
        """Have the application wait for this thread's flow before its loop ends."""
        ...


class Caller:
    """Calls the hooks of one flow."""

    def __init__(self, home: Home) -> None:
        """Belong to one application."""
        self.home = home

    async def __call__(self, func: Callable[..., Any], args: tuple[Any, ...], /) -> Any:
        """Call and await, each in its place."""
        if is_part_of_flow(func):
            return await resolve(func(*args))
        if self.is_on_loop():
            value = (
                await self.home.hop(functools.partial(_call_in_thread, func, args)) if may_block(func) else func(*args)
            )
            return await resolve(value)
        if is_loop_bound(func):
            return self.home.wait(_call(func, args))
        try:
            value = func(*args)
        except RuntimeError as error:
            if not any(text in str(error) for text in _NO_LOOP):
                raise
            needs_loop(func)
            return self.home.wait(_call(func, args))
        return self.home.wait(value) if is_awaitable(value) else value

    def is_on_loop(self) -> bool:
        """Whether the flow must await and not wait in this thread."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return self.home.on_loop()

    def settle(self, value: Any) -> Any:
        """Wait for an awaitable, in a thread."""
        return self.home.wait(value) if is_awaitable(value) else value


def run(
    find_home: Callable[[], Home],
    find_kinds: Callable[[], Kinds],
    step: Callable[..., Any],
    *args: Any,
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> Any:
    """Run one step of a flow by the rule above.

    Args:
        find_home: where the application's loop and threads are.
        find_kinds: returns the kinds of the server's hooks.
        step: a function, coroutine function or not.
        args: of the step.
        prepare: awaited on the loop before the flow leaves it, so that no thread waits for what a client sends.

    Returns:
        What the step returns, or an awaitable of it.
    """
    caller = hook_caller.get()
    if isinstance(caller, Caller):  # an override that calls its super method: the flow is in its place already
        return _call(step, args) if caller.home.on_loop() else drive(_call(step, args))
    caller, kinds = Caller(find_home()), find_kinds()
    if caller.home.on_loop():
        return _hop_and_run(caller, step, args, prepare) if kinds.any_plain else _run_here(caller, step, args)
    with caller.home.under_way():
        if kinds.any_async and (caller.home.loops_are_short_lived or not kinds.any_plain):
            return caller.home.wait(_run_here(caller, step, args))
        return drive(_run_here(caller, step, args))


def settle(value: Any) -> Any:
    """Wait for what a model's method returned, where the flow is in a thread; elsewhere leave it as it is."""
    caller = hook_caller.get()
    return caller.settle(value) if isinstance(caller, Caller) and not caller.home.on_loop() else value


def on_loop() -> bool:
    """Whether the current flow is on an event loop, so that it must await and not wait."""
    caller = hook_caller.get()
    return caller.home.on_loop() if isinstance(caller, Caller) else running_loop() is not None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class ThreadHome:
    """An application with a loop of its own, or with none: then a loop is made where something must be awaited."""

    loops_are_short_lived = False

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Belong to a loop."""
        self._loop = loop
        self.loops_are_short_lived = loop is None

    def on_loop(self) -> bool:
        """Whether an event loop runs in this thread."""
        return running_loop() is not None

    async def hop(self, func: Callable[[], Any]) -> Any:
        """Call in the thread that waits for this coroutine, or else in one of the workers."""
        context = contextvars.copy_context()
        desk = _desk.get()
        if desk is not None:
            outcome: Future[Any] = Future()
            if desk.post(functools.partial(_perform, outcome, context, func)):
                return await asyncio.wrap_future(outcome)
        return await asyncio.get_running_loop().run_in_executor(_workers(), context.run, func)

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Have it awaited on the application's loop; do meanwhile what `hop` sends here."""
        if self._loop is None:
            return asyncio.run(_resolved(awaitable))
        desk = _Desk()
        token = _desk.set(desk)
        resolved = _resolved(awaitable)
        try:
            outcome = asyncio.run_coroutine_threadsafe(resolved, self._loop)
        except RuntimeError:
            _close(resolved, awaitable)
            raise
        finally:
            _desk.reset(token)
        outcome.add_done_callback(desk.close)
        if not desk.serve(self._loop):
            raise RuntimeError("The application's event loop has ended.")
        return outcome.result()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Have the application wait for this thread's flow before its loop ends."""
        if self._loop is None:
            yield
            return
        flow: Future[None] = Future()
        keep_loop_for(flow, self._loop)
        try:
            yield
        finally:
            flow.set_result(None)


class _Desk:
    """Calls that a coroutine sends to the thread waiting for it.

    Were they given to a second worker, all workers could be waiting for coroutines that wait for a worker; and an ORM's
    session would be another one in the second thread.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open = True

    def post(self, job: Callable[[], None]) -> bool:
        """Leave a job; False if the thread no longer waits."""
        with self._lock:
            if self._open:
                self._jobs.put(job)
            return self._open

    def close(self, _: object) -> None:
        with self._lock:
            self._open = False
            self._jobs.put(None)

    def serve(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Do what is left here until it is closed; False if the loop has ended, so that it will not be closed."""
        while True:
            try:
                job = self._jobs.get(timeout=LOOP_CHECK_INTERVAL)
            except queue.Empty:
                if loop.is_closed():
                    return False
                continue
            if job is None:
                return True
            job()


_desk: contextvars.ContextVar[_Desk | None] = contextvars.ContextVar("flask_compat.desk", default=None)


@functools.cache
def _workers() -> ThreadPoolExecutor:
    """The facade's own threads: asyncio's default executor has six of them on two processors, and others need those."""
    return ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="flask_compat")


# A forked server process has none of its parent's threads.
os.register_at_fork(after_in_child=_workers.cache_clear)


def _perform(outcome: Future[Any], context: contextvars.Context, func: Callable[[], Any]) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    try:
        outcome.set_result(context.run(func))
    except BaseException as error:  # noqa: BLE001 - the awaiting flow raises it
        outcome.set_exception(error)


_under_way: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, set[AnyFuture]] = weakref.WeakKeyDictionary()
_under_way_guard = threading.Lock()


def keep_loop_for(flow: AnyFuture, loop: asyncio.AbstractEventLoop) -> None:
    """Have `flows_ended` wait for a flow: an exchange that is cut off in the middle has taken and given nothing."""
    with _under_way_guard:
        flows = _under_way.setdefault(loop, set())
        flows.add(flow)

    def forget(_: object) -> None:
        with _under_way_guard:
            flows.discard(flow)

    flow.add_done_callback(forget)


async def flows_ended() -> None:
    """Wait for every flow that needs the running loop."""
    loop = asyncio.get_running_loop()
    while True:
        with _under_way_guard:
            flows = list(_under_way.get(loop, ()))
        if not flows:
            return
        await asyncio.wait([flow if isinstance(flow, asyncio.Future) else asyncio.wrap_future(flow) for flow in flows])


def _close(*awaitables: object) -> None:
    for awaitable in awaitables:
        if inspect.iscoroutine(awaitable):
            awaitable.close()


def _call_in_thread(func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return func(*args)
    except StopIteration as error:  # a future cannot hold it: the flow would wait for ever
        raise RuntimeError("A hook raised StopIteration.") from error


async def _call(func: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return await resolve(func(*args))


async def _resolved(awaitable: Awaitable[Any]) -> Any:
    return await resolve(awaitable)


async def _run_here(caller: Caller, step: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    token = hook_caller.set(caller)
    try:
        return await resolve(step(*args))
    finally:
        hook_caller.reset(token)


async def _hop_and_run(
    caller: Caller, step: Callable[..., Any], args: tuple[Any, ...], prepare: Callable[[], Awaitable[None]] | None
) -> Any:
    if prepare is not None:
        await prepare()

    def flow() -> Any:
        with caller.home.under_way():
            return drive(_run_here(caller, step, args))

    return await caller.home.hop(flow)
