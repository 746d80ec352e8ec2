"""The shared timeout: one timer cancels late calls, and cancellation from outside is not mistaken for a timeout."""

from __future__ import annotations

import asyncio

import pytest

from async_oauth1.stores.redis.shared_timeout import SharedTimeout

LONG = 30.0


async def _call(timeout: SharedTimeout, seconds: float) -> str:
    with timeout:
        await asyncio.sleep(seconds)
    return "done"


async def test_each_call_has_its_own_time() -> None:
    """A call that begins later times out later, although the calls share a timer. Short calls are not affected."""
    timeout = SharedTimeout(0.1)
    ended: list[str] = []

    async def call(name: str, seconds: float) -> None:
        try:
            ended.append(f"{name} {await _call(timeout, seconds)}")
        except TimeoutError:
            ended.append(f"{name} late")

    calls = [asyncio.create_task(call("first", LONG)), asyncio.create_task(call("short", 0))]
    await asyncio.sleep(0.05)
    calls.append(asyncio.create_task(call("second", LONG)))
    await asyncio.gather(*calls)
    assert ended == ["short done", "first late", "second late"]


async def test_it_works_again_after_a_pause() -> None:
    """The timer fires without any calls, and is started again by the next call."""
    timeout = SharedTimeout(0.02)
    for _ in range(2):
        assert await _call(timeout, 0) == "done"
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await _call(timeout, LONG)


async def test_a_task_can_continue_after_a_timeout() -> None:
    """The task has no cancellation request left, and can make another call."""
    timeout = SharedTimeout(0.01)
    with pytest.raises(TimeoutError):
        await _call(timeout, LONG)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await _call(timeout, 0) == "done"


async def test_cancellation_is_not_a_timeout() -> None:
    """A call that is cancelled from outside raises CancelledError."""
    task = asyncio.create_task(_call(SharedTimeout(LONG), LONG))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_is_late_and_cancelled_is_cancelled() -> None:
    """A call that is cancelled from outside at the same time as it times out raises CancelledError."""

    async def call() -> None:
        with SharedTimeout(0.01):
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(call())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_errors_are_raised() -> None:
    """An error of the call itself is raised unchanged."""
    with pytest.raises(ValueError, match="its own"), SharedTimeout(LONG):
        raise ValueError("its own")
