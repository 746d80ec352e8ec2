"""Hooks that block the event loop, or lose a race for a nonce, are named in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.hooks import call_hook, registry
from async_oauth1.provider.hooks import problems as hook_problems
from async_oauth1.testing import Clock
from tests.asgi.test_cors import Site, make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

#: Seconds: longer than a hook may block. A hook has to block the loop for real to be noticed.
BLOCKS = hook_problems.BLOCKING_SECONDS + 0.05


@pytest.fixture(autouse=True)
def _nothing_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_problems, "_reported", set())
    hook_problems._calls.clear()
    hook_problems.untimed_until.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which hooks are timed: a busy machine does not make them slow."""
    clock = Clock(1_000.0)
    for module in (hook_problems, registry):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


def plain_hook(_: str) -> str:
    time.sleep(BLOCKS)
    return "found"


async def async_hook(_: str) -> str:
    time.sleep(BLOCKS)
    return "found"


async def late_hook(_: str) -> str:
    await asyncio.sleep(0)
    time.sleep(BLOCKS)
    return "found"


async def failing_hook(_: str) -> str:
    await asyncio.sleep(0)
    time.sleep(BLOCKS)
    raise OSError


class Callback:
    """A hook that is an object."""

    def __call__(self, _: str) -> str:
        """Block."""
        return plain_hook("")


@pytest.mark.parametrize("hook", [plain_hook, async_hook, late_hook, Callback()])
async def test_a_hook_that_blocks_the_event_loop_is_named_once(
    hook: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The line has its name and its time, wherever in the hook the loop is kept."""
    for _ in range(2):
        assert await call_hook(hook, "client") == "found"
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    name = getattr(hook, "__name__", "Callback")
    assert re.search(rf"{__name__}\.{name} has blocked the event loop for \d+\.\d\d s,", record.getMessage())


async def test_a_hook_that_blocks_and_fails_is_named_too(caplog: pytest.LogCaptureFixture) -> None:
    """What it raises is answered as usual."""
    with pytest.raises(StoreUnavailableError):
        await call_hook(failing_hook, "client")
    assert "failing_hook has blocked the event loop" in caplog.text


async def test_a_hook_that_waits_is_not_reported(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Waiting gives the loop back, however long it takes."""

    async def waiting(_: str) -> str:
        asyncio.get_running_loop().call_soon(clock.advance, 10)
        await asyncio.sleep(0)
        return "found"

    before = clock()
    assert await call_hook(waiting, "client") == "found"
    assert clock() == before + 10
    assert caplog.records == []


async def test_a_timed_hook_is_cancelled_as_any_other() -> None:
    """It sees the cancellation, may clean up, and may take its time over it."""
    steps: list[str] = []

    async def waiting() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            steps.append("cleaned up")
            raise

    task = asyncio.create_task(call_hook(waiting))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["cleaned up"]
    coroutine = call_hook(waiting)
    coroutine.send(None)
    coroutine.close()


async def test_a_hook_that_is_fast_at_first_is_timed_again_later(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """One call in a second is timed for as long as the process runs."""
    takes = 0.0

    async def hook() -> None:
        clock.advance(takes)

    for _ in range(hook_problems.FIRST_CALLS):
        await call_hook(hook)
    takes = BLOCKS
    await call_hook(hook)
    assert caplog.records == []
    clock.advance(hook_problems.PAUSE_SECONDS)
    await call_hook(hook)
    assert "hook has blocked the event loop" in caplog.text


class UniqueViolationError(Exception):
    """As asyncpg names it."""

    sqlstate = "23505"


class IntegrityError(Exception):
    """As SQLAlchemy, PyMySQL and Django name it."""

    def __init__(self, *args: object, orig: Exception | None = None) -> None:
        """Hold the driver's error."""
        super().__init__(*args)
        self.orig = orig


def sqlite_error(statement: str) -> Exception:
    """What SQLite raises."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT NOT NULL, c TEXT UNIQUE)")
        connection.execute("INSERT INTO t VALUES ('a', 'b', 'c')")
        try:
            connection.execute(statement)
        except sqlite3.IntegrityError as error:
            return error
    raise AssertionError(statement)


UNIQUE = sqlite_error("INSERT INTO t VALUES ('d', 'b', 'c')")
PRIMARY_KEY = sqlite_error("INSERT INTO t VALUES ('a', 'b', 'd')")
NOT_NULL = sqlite_error("INSERT INTO t VALUES ('d', NULL, 'd')")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UNIQUE, True),
        (PRIMARY_KEY, True),
        (NOT_NULL, False),
        (UniqueViolationError(), True),
        (IntegrityError(1062, "Duplicate entry"), True),
        (IntegrityError(1048, "Column cannot be null"), False),
        (IntegrityError("wrapped", orig=UNIQUE), True),
        (IntegrityError("wrapped", orig=NOT_NULL), False),
        (ValueError("23505"), False),
        (None, False),
    ],
)
def test_only_a_violated_unique_constraint_is_a_lost_race(error: Exception | None, expected: bool) -> None:
    """Other errors of the database stay errors."""
    assert hook_problems.violates_unique(error) is expected


async def test_the_loser_of_a_race_for_a_nonce_is_refused_as_a_replay(caplog: pytest.LogCaptureFixture) -> None:
    """A hook that looks first and inserts afterwards raises then; the log names it, once."""
    site = Site(await make_store())
    site.add(site.protector())
    stored = set()

    async def exists_nonce(nonce: str, *_: object) -> bool:
        found = nonce in stored
        await asyncio.sleep(0)
        if not found and nonce in stored:
            raise IntegrityError("UNIQUE", orig=UNIQUE)
        stored.add(nonce)
        return found

    site.protector.register_hook("exists_nonce", exists_nonce)
    for _ in range(2):
        request = sign(JANE, "GET", "/photos")
        answers = await asyncio.gather(*(call(site.app, request) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200, 401, 401, 401, 401]
        assert {answer.error for answer in answers if answer.status == 401} == {"invalid_nonce"}
    assert len([record for record in caplog.records if "exists_nonce raised IntegrityError" in record.message]) == 1


async def test_another_error_of_the_nonce_hook_stays_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """A column that is NULL is a defect, which the operator sees as a 500."""
    site = Site(await make_store())
    site.add(site.protector())

    async def exists_nonce(*_: object) -> bool:
        raise IntegrityError("NOT NULL", orig=NOT_NULL)

    site.protector.register_hook("exists_nonce", exists_nonce)
    assert (await call(site.app, sign(JANE, "GET", "/photos"))).status == 500
