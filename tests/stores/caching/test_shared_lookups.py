"""Callers that share a look-up: each has its own answer or error, and may leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.caching import CachingStore
from tests.stores.caching.test_caching import PRINTER, FakeChangeFeed, SlowStore


class FailingStore(SlowStore):
    """Fails once the gate is open, if an error is set."""

    error: Exception | None = None

    async def query_client(self, client_id: str) -> Client | None:
        found = await super().query_client(client_id)
        if self.error is not None:
            raise self.error
        return found


@pytest_asyncio.fixture
async def inner() -> FailingStore:
    """A store with one client, whose gate is closed."""
    store = FailingStore()
    await store.add_client(PRINTER)
    store.gate.clear()
    return store


@pytest_asyncio.fixture
async def cache(inner: FailingStore) -> AsyncIterator[CachingStore]:
    """A cache over it."""
    async with CachingStore(inner, FakeChangeFeed()) as store:
        yield store
        inner.gate.set()


async def _callers(cache: CachingStore, count: int) -> list[asyncio.Task[Client | None]]:
    tasks = [asyncio.create_task(cache.query_client("printer")) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_an_answer_is_cached_after_all_callers_have_left(cache: CachingStore, inner: FailingStore) -> None:
    """The look-up goes on, and closing the store waits for it."""
    tasks = await _callers(cache, 3)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    inner.gate.set()
    assert await cache.query_client("printer") == PRINTER
    assert inner.asked == [("printer",)]


async def test_each_caller_has_its_own_error(cache: CachingStore, inner: FailingStore) -> None:
    """A shared exception would collect the tracebacks of all callers. The next caller asks again."""
    inner.error = StoreUnavailableError()
    tasks = await _callers(cache, 3)
    inner.gate.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailableError] * 3
    assert len({id(error) for error in errors}) == 3
    inner.error = None
    assert await cache.query_client("printer") == PRINTER


async def test_a_cancelled_lookup_leaves_no_caller_waiting(cache: CachingStore, inner: FailingStore) -> None:
    """If the task of a look-up is cancelled, as when an event loop ends, its callers are as well."""
    tasks = await _callers(cache, 2)
    own = {*tasks, asyncio.current_task()}
    (lookup,) = [task for task in asyncio.all_tasks() - own if "_answer" in repr(task)]
    lookup.cancel()
    await asyncio.wait(tasks, timeout=60)
    assert all(task.cancelled() for task in tasks)


async def test_close_waits_for_a_lookup_without_callers(inner: FailingStore) -> None:
    """No task is left behind."""
    cache = CachingStore(inner, FakeChangeFeed())
    await cache.open()
    (task,) = await _callers(cache, 1)
    task.cancel()
    closing = asyncio.create_task(cache.close())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not closing.done()
    inner.gate.set()
    await closing
    assert asyncio.all_tasks() == {asyncio.current_task()}
