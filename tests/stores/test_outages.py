"""The log of a store that stops answering and answers again: one line for each, also under load."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import TransientStore, open_store
from async_oauth1.stores.health.outages import Outages
from tests.servers import Postgres, SentinelTrio, Valkey, patient, wait_until

from .faults import impatient

pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]

CALLERS = 20
NUMBERS = itertools.count()


@pytest_asyncio.fixture
async def store(server: Valkey | Postgres) -> AsyncIterator[TransientStore]:
    """A store on that server."""
    store = open_store(patient(server.url))
    await store.migrate()
    async with store:
        yield store


async def ask(store: TransientStore) -> int:
    """Use many new nonces at once; returns how many were accepted."""
    timestamp = str(int(time.time()))
    asked = [store.exists_nonce(f"{next(NUMBERS)}", timestamp, "printer", None) for _ in range(CALLERS)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(answer is False or isinstance(answer, StoreUnavailableError) for answer in answers)
    return sum(answer is False for answer in answers)


async def until_all_answer(store: TransientStore) -> None:
    """Ask until every caller is answered."""
    for _ in range(1_000):
        if await ask(store) == CALLERS:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the store does not recover")


def outages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of failures and recoveries: ``down`` and ``up``, without repetitions of ``down``."""
    words: list[str] = []
    for record in caplog.records:
        if record.name == "async_oauth1.stores":
            is_up = record.getMessage().endswith(("answers again", "another server has taken over"))
            words += ["up"] if is_up else ["down"] if words[-1:] != ["down"] else []
    return words


async def test_a_server_that_comes_back(
    server: Valkey | Postgres, store: TransientStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Both outages end with one line each, without a health check; while all is well, nothing is logged."""
    caplog.set_level(logging.INFO, "async_oauth1.stores")
    await until_all_answer(store)
    assert outages(caplog) == []
    for expected in (["down", "up"], ["down", "up", "down", "up"]):
        await asyncio.to_thread(server.kill)
        assert await ask(store) == 0
        await asyncio.to_thread(server.start)
        await until_all_answer(store)
        await until_all_answer(store)
        assert outages(caplog) == expected
    assert all(record.levelno == logging.WARNING for record in caplog.records if record.name == "async_oauth1.stores")


async def test_another_server_takes_over(caplog: pytest.LogCaptureFixture) -> None:
    """The outage of the master that was killed ends as well."""
    trio = SentinelTrio()
    try:
        async with impatient(trio.url) as store:
            await until_all_answer(store)
            old = trio.master_port()
            await asyncio.to_thread(trio.node(old).kill)
            assert await ask(store) == 0
            await asyncio.to_thread(wait_until, lambda: trio.master_port() != old, "there is another master")
            await until_all_answer(store)
    finally:
        trio.close()
    assert outages(caplog)[:2] == ["down", "up"]
    assert outages(caplog)[-1] == "up"


async def test_a_file_that_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each reason once, and one recovery."""
    path, aside = tmp_path / "store.db", tmp_path / "aside.db"
    store = open_store(f"sqlite:///{path}?timeout=0.1")
    await store.migrate()
    async with store:
        path.rename(aside)
        for _ in range(2):
            assert await ask(store) == 0
            with pytest.raises(StoreUnavailableError):
                await store.query_client("printer")
        aside.rename(path)
        assert await store.query_client("printer") is None
        assert await ask(store) == CALLERS
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"{store.url}: there is no such file", f"{store.url}: answers again"]


async def test_a_look_up_is_no_recovery_of_writes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While another program locks the file, look-ups succeed: the outage ends with a write."""
    path = tmp_path / "store.db"
    store = open_store(f"sqlite:///{path}?timeout=0.1")
    await store.migrate()
    async with store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                assert await ask(store) == 0
                assert await store.query_client("printer") is None
        assert outages(caplog) == ["down"]
        await until_all_answer(store)
    assert outages(caplog) == ["down", "up"]


def test_calls_that_overlap(caplog: pytest.LogCaptureFixture) -> None:
    """Late failures of the same outage begin no new one; late successes from before the failure do not end it."""
    store = Outages("redis://host")
    before = time.monotonic() - 1
    store.failed("is gone", before)
    store.answered(before)
    assert store.ongoing
    store.answered(time.monotonic())
    assert not store.ongoing
    store.failed("is gone", before)
    assert not store.ongoing
    assert outages(caplog) == ["down", "up"]
    store.failed("is gone")
    store.failed("is slow")
    store.end("answers again")
    store.end("answers again")
    assert [record.getMessage() for record in caplog.records[2:]] == [
        "redis://host: is gone",
        "redis://host: is slow",
        "redis://host: answers again",
    ]
