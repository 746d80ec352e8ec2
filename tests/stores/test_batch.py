"""Batches: questions that arrive while one is under way wait for the next, and each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.batching import Batcher, NonceBatcher


class Slow:
    """A store that answers when the test allows it."""

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


async def test_questions_that_arrive_meanwhile_share_the_next_batch() -> None:
    """The first question starts at once. Those that arrive meanwhile are one batch, in which equal keys are one."""
    slow = Slow()
    batcher = Batcher(slow.answer)
    futures = await _ask(batcher, "a")
    futures += await _ask(batcher, "b", "c", "b")
    slow.go.set()
    assert await asyncio.gather(*futures) == ["A", "B", "C", "B"]
    assert slow.batches == [["a"], ["b", "c"]]


async def test_batches_have_a_maximum_size() -> None:
    """Questions beyond the batch size wait for the next batch."""
    slow = Slow()
    slow.go.set()
    batcher = Batcher(slow.answer, batch_size=2)
    assert await asyncio.gather(*(batcher.ask(key) for key in "abcde")) == list("ABCDE")
    assert max(map(len, slow.batches)) == 2


async def test_a_cancelled_batch_cancels_its_callers() -> None:
    """When the task is cancelled, callers in the batch and callers that wait for the next one are cancelled too."""
    slow = Slow()
    batcher = Batcher(slow.answer)
    futures = await _ask(batcher, "a")
    futures += await _ask(batcher, "b")
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait(futures, timeout=60)
    assert [future.cancelled() for future in futures] == [True, True]


@pytest.mark.parametrize("together", [False, True])
async def test_a_batch_that_fails(*, together: bool) -> None:
    """Callers that wait for the next batch run it or fail too, as configured. Each gets its own exception object."""
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


async def test_a_new_nonce_is_new_for_one_caller_that_still_waits() -> None:
    """A cancelled caller does not affect the answers of the others."""
    slow = Slow()
    batcher = NonceBatcher(slow.remember)
    futures = [batcher.ask("n") for _ in range(3)]
    await asyncio.sleep(0)
    futures[0].cancel()
    slow.go.set()
    answers = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert sorted(answers[1:]) == [False, True]
