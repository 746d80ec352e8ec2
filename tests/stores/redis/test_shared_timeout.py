"""Calls that may take a while and no longer: one timer serves them all, and nobody else's cancellation is mistaken."""

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
    """The one that begins later ends later, though they share a timer; short ones are left alone."""
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


async def test_it_is_there_again_after_a_pause() -> None:
    """Its timer ends where nobody waits, and is set anew."""
    timeout = SharedTimeout(0.02)
    for _ in range(2):
        assert await _call(timeout, 0) == "done"
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await _call(timeout, LONG)


async def test_a_caller_may_go_on_after_it() -> None:
    """A task whose call was too long is not cancelled itself."""
    timeout = SharedTimeout(0.01)
    with pytest.raises(TimeoutError):
        await _call(timeout, LONG)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await _call(timeout, 0) == "done"


async def test_a_cancelled_call_is_no_late_one() -> None:
    """Who is cancelled from outside is told so."""
    task = asyncio.create_task(_call(SharedTimeout(LONG), LONG))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_is_late_and_cancelled_is_cancelled() -> None:
    """Somebody cancels it in the moment in which its time is up."""

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


async def test_what_a_call_raises_is_raised() -> None:
    """An error of its own is none of the clock's."""
    with pytest.raises(ValueError, match="its own"), SharedTimeout(LONG):
        raise ValueError("its own")
