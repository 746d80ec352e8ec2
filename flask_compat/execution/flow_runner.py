"""Run a flow, and call its hooks, in the right thread or on the right event loop.

One rule: with a running event loop, the caller gets an awaitable; without one, the result itself.

                        hooks                       the flow runs
    on a loop           all of them async           on the loop, with no thread involved
                        a plain one among them      in one worker thread, from beginning to end, so that what belongs to
                                                    a thread, such as an ORM's session, stays together
    in a thread         all of them async           on the application's loop, while the thread waits
                        a plain one among them      in that thread

If a hook called in a thread returns an awaitable, it is awaited on the application's loop. If a function that may
block, such as a model's method, is to be called on a loop, it is called in a thread instead.
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
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

from async_oauth1.provider.hooks import MaybeAwaitable, hook_caller, is_awaitable, resolve
from async_oauth1.provider.sync_driver import run_sync

from .callable_kinds import is_loop_bound, is_part_of_flow, may_block, needs_loop

#: Flows with blocking hooks that can be under way at once. They spend their time waiting for a database, so there are
#: many more than processors, and about as many as connection pools have connections.
WORKER_THREADS = 64

#: Seconds after which a thread that waits for a loop finds out that the loop has ended.
LOOP_CHECK_INTERVAL = 0.5

_NO_LOOP = ("no running event loop", "no current event loop")

T = TypeVar("T")
AnyFuture = asyncio.Future[Any] | Future[Any]


class Kinds(NamedTuple):
    """What kinds of hooks a server has."""

    any_plain: bool
    any_async: bool


class Runtime(Protocol):
    """The event loop and the threads of an application."""

    #: Whether each `wait` may have another loop, so that a flow with async hooks had better have one wait.
    loops_are_short_lived: bool

    def on_loop(self) -> bool:
        """Whether an event loop runs in this thread, and expects to be given awaitables."""
        ...

    async def hop(self, func: Callable[[], T]) -> T:
        """Call a function in a thread that may block."""
        ...

    def wait(self, awaitable: Awaitable[Any]) -> object:
        """Block this thread until the loop has awaited something."""

    def under_way(self) -> AbstractContextManager[None]:
        """Have the application wait for this thread's flow before its loop ends."""
        ...


class HookExecutor:
    """Calls the hooks of one flow."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime of one application."""
        self.runtime = runtime

    async def __call__(self, func: Callable[..., Any], args: tuple[object, ...], /) -> object:
        """Call a hook in a thread or loop that suits it, and await what it returns."""
        if is_part_of_flow(func):
            return await resolve(func(*args))
        if self.is_on_loop():
            in_thread = functools.partial(_call_in_thread, func, args)
            return await resolve(await self.runtime.hop(in_thread) if may_block(func) else func(*args))
        if is_loop_bound(func):
            return self.runtime.wait(_call(func, args))
        try:
            value = func(*args)
        except RuntimeError as error:
            if not any(text in str(error) for text in _NO_LOOP):
                raise
            needs_loop(func)
            return self.runtime.wait(_call(func, args))
        return self.runtime.wait(value) if is_awaitable(value) else value

    def is_on_loop(self) -> bool:
        """Whether the flow must await and not wait in this thread."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return self.runtime.on_loop()

    def settle(self, value: Any) -> Any:
        """Wait for an awaitable, in a thread."""
        return self.runtime.wait(value) if is_awaitable(value) else value


def run(
    find_runtime: Callable[[], Runtime],
    find_kinds: Callable[[], Kinds],
    step: Callable[..., Any],
    *args: object,
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> Any:
    """Run one step of a flow by the rule above.

    Args:
        find_runtime: where the application's loop and threads are.
        find_kinds: returns the kinds of the server's hooks.
        step: a function, coroutine function or not.
        args: of the step.
        prepare: awaited on the loop before the flow leaves it, so that no thread waits for what a client sends.

    Returns:
        What the step returns, or an awaitable of it.
    """
    executor = hook_caller.get()
    if isinstance(executor, HookExecutor):  # an override that calls its super method: the flow is in its place already
        return _call(step, args) if executor.runtime.on_loop() else run_sync(_call(step, args))
    executor, kinds = HookExecutor(find_runtime()), find_kinds()
    if executor.runtime.on_loop():
        return _hop_and_run(executor, step, args, prepare) if kinds.any_plain else _run_here(executor, step, args)
    with executor.runtime.under_way():
        if kinds.any_async and (executor.runtime.loops_are_short_lived or not kinds.any_plain):
            return executor.runtime.wait(_run_here(executor, step, args))
        return run_sync(_run_here(executor, step, args))


def settle(value: object) -> Any:
    """Wait for what a model's method returned if the flow is in a thread; otherwise leave it as it is."""
    executor = hook_caller.get()
    return executor.settle(value) if isinstance(executor, HookExecutor) and not executor.runtime.on_loop() else value


def on_loop() -> bool:
    """Whether the current flow is on an event loop, so that it must await and not wait."""
    executor = hook_caller.get()
    return executor.runtime.on_loop() if isinstance(executor, HookExecutor) else running_loop() is not None


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class ThreadRuntime:
    """An application with a loop of its own, or with none: then a loop is made if something must be awaited."""

    loops_are_short_lived = False

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Belong to a loop."""
        self._loop = loop
        self.loops_are_short_lived = loop is None

    def on_loop(self) -> bool:
        """Whether an event loop runs in this thread."""
        return running_loop() is not None

    async def hop(self, func: Callable[[], T]) -> T:
        """Call in the thread that waits for this coroutine, or else in one of the workers."""
        context = contextvars.copy_context()
        jobs = _job_queue.get()
        if jobs is not None:
            outcome: Future[T] = Future()
            if jobs.post(functools.partial(_perform, outcome, context, func)):
                return await asyncio.wrap_future(outcome)
        return await asyncio.get_running_loop().run_in_executor(_workers(), context.run, func)

    def wait(self, awaitable: Awaitable[Any]) -> object:
        """Have it awaited on the application's loop; do meanwhile what `hop` sends here."""
        if self._loop is None:
            return asyncio.run(resolve(awaitable))
        jobs = _JobQueue()
        token = _job_queue.set(jobs)
        resolved = resolve(awaitable)
        try:
            outcome = asyncio.run_coroutine_threadsafe(resolved, self._loop)
        except RuntimeError:
            _close(resolved, awaitable)
            raise
        finally:
            _job_queue.reset(token)
        outcome.add_done_callback(jobs.close)
        if not jobs.serve(self._loop):
            raise RuntimeError("The application's event loop has ended.")
        return outcome.result()

    @contextmanager
    def under_way(self) -> Generator[None]:
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


class _JobQueue:
    """Calls that a coroutine sends to the thread waiting for it.

    Were they given to a second worker, all workers could be waiting for coroutines that wait for a worker; and an ORM's
    session would be another one in the second thread.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._open = True

    def post(self, job: Callable[[], None]) -> bool:
        """Add a job; False if the thread no longer waits."""
        with self._lock:
            if self._open:
                self._jobs.put(job)
            return self._open

    def close(self, _: object) -> None:
        with self._lock:
            self._open = False
            self._jobs.put(None)

    def serve(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Run jobs until the queue is closed; False if the loop has ended and so cannot close it."""
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


_job_queue: contextvars.ContextVar[_JobQueue | None] = contextvars.ContextVar("flask_compat.job_queue", default=None)


@functools.cache
def _workers() -> ThreadPoolExecutor:
    """The facade's own threads: asyncio's default executor has six of them on two processors, and others need those."""
    return ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="flask_compat")


# A forked server process has none of its parent's threads.
os.register_at_fork(after_in_child=_workers.cache_clear)


def _perform(outcome: Future[T], context: contextvars.Context, func: Callable[[], T]) -> None:
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


def _call_in_thread(func: Callable[..., T], args: tuple[object, ...]) -> T:
    try:
        return func(*args)
    except StopIteration as error:  # a future cannot hold it: the flow would wait for ever
        raise RuntimeError("A hook raised StopIteration.") from error


async def _call(func: Callable[..., MaybeAwaitable[T]], args: tuple[object, ...]) -> T:
    return await resolve(func(*args))


async def _run_here(executor: HookExecutor, step: Callable[..., MaybeAwaitable[T]], args: tuple[object, ...]) -> T:
    token = hook_caller.set(executor)
    try:
        return await resolve(step(*args))
    finally:
        hook_caller.reset(token)


async def _hop_and_run(
    executor: HookExecutor,
    step: Callable[..., Any],
    args: tuple[Any, ...],
    prepare: Callable[[], Awaitable[None]] | None,
) -> object:
    if prepare is not None:
        await prepare()

    def flow() -> object:
        with executor.runtime.under_way():
            return run_sync(_run_here(executor, step, args))

    return await executor.runtime.hop(flow)
