"""Batches: who asks while one is under way waits for the next, and everybody gets an answer of his own."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.batching import Batcher, NonceBatcher


class Slow:
    """A store that answers when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.error: Exception | None = None
        self.go = asyncio.Event()

    async def answer(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.batches.append(list(keys))
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return {key: key.upper() for key in keys}

    async def remember(self, keys: Sequence[str]) -> Collection[str]:
        return set(await self.answer(keys))


async def _ask(batcher: Batcher[str, str], *keys: str) -> list[asyncio.Future[str]]:
    futures = [batcher.ask(key) for key in keys]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return futures


async def test_who_comes_later_shares_the_next_batch() -> None:
    """One question starts at once; those that arrive meanwhile are asked together, equal ones once."""
    slow = Slow()
    batcher = Batcher(slow.answer)
    futures = await _ask(batcher, "a")
    futures += await _ask(batcher, "b", "c", "b")
    slow.go.set()
    assert await asyncio.gather(*futures) == ["A", "B", "C", "B"]
    assert slow.batches == [["a"], ["b", "c"]]


async def test_batches_have_a_size() -> None:
    """More than fit wait for the batch after."""
    slow = Slow()
    slow.go.set()
    batcher = Batcher(slow.answer, batch_size=2)
    assert await asyncio.gather(*(batcher.ask(key) for key in "abcde")) == list("ABCDE")
    assert max(map(len, slow.batches)) == 2


async def test_a_batch_that_is_cancelled_leaves_nobody_waiting() -> None:
    """As when the loop ends: neither those in the batch nor those who wait for the next one."""
    slow = Slow()
    batcher = Batcher(slow.answer)
    futures = await _ask(batcher, "a")
    futures += await _ask(batcher, "b")
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait(futures, timeout=1)
    assert [future.cancelled() for future in futures] == [True, True]


@pytest.mark.parametrize("together", [False, True])
async def test_a_batch_that_fails(*, together: bool) -> None:
    """Those who wait for the next one try it, or fail with it; each gets an exception of his own."""
    slow = Slow()
    batcher = Batcher(slow.answer, fail_together=together)
    futures = await _ask(batcher, "a")
    futures += await _ask(batcher, "a", "b")
    slow.error = StoreUnavailableError()
    slow.go.set()
    errors = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailableError] * 3
    assert len({id(error) for error in errors}) == 3
    assert len(slow.batches) == (1 if together else 2)
    slow.error = None
    assert await batcher.ask("c") == "C"
    await batcher.drain()


async def test_of_those_who_bring_a_new_nonce_one_that_still_listens_is_let_through() -> None:
    """A caller that has gone does not take the answer along."""
    slow = Slow()
    batcher = NonceBatcher(slow.remember)
    futures = [batcher.ask("n") for _ in range(3)]
    await asyncio.sleep(0)
    futures[0].cancel()
    slow.go.set()
    answers = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert sorted(answers[1:]) == [False, True]
