"""Time limits, threads and tasks: under asyncio by the standard library alone, under trio by anyio (extra ``trio``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ParamSpec, TypeVar

__all__ = ["in_thread", "time_limit", "while_doing"]

P = ParamSpec("P")
T = TypeVar("T")


def time_limit(seconds: float | None) -> AbstractAsyncContextManager[Any]:
    """Raise `TimeoutError` in the block after some seconds; ``None`` for no limit."""
    return asyncio.timeout(seconds) if _on_asyncio() else _anyio_time_limit(seconds)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks, in a thread."""
    if _on_asyncio():
        return await asyncio.to_thread(function, *args, **kwargs)
    import anyio.to_thread

    return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))


async def while_doing(beside: Callable[[], Coroutine[Any, Any, None]], work: Awaitable[object]) -> None:
    """Await some work, and run something beside it, which is cancelled once the work is done."""
    if not _on_asyncio():
        await _anyio_while_doing(beside, work)
        return
    task = asyncio.ensure_future(beside())
    try:
        await work
    finally:
        task.cancel()


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@asynccontextmanager
async def _anyio_time_limit(seconds: float | None) -> AsyncGenerator[None]:
    import anyio

    with anyio.fail_after(seconds):
        yield


async def _anyio_while_doing(beside: Callable[[], Coroutine[Any, Any, None]], work: Awaitable[object]) -> None:
    import anyio

    async with anyio.create_task_group() as group:
        group.start_soon(beside)
        await work
        group.cancel_scope.cancel()
