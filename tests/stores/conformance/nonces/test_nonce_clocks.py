"""Every store: a wrong clock never makes a used nonce new, or removes what other workers need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import pytest

from async_oauth1.policy import CLOCK_TOLERANCE, Policy
from async_oauth1.stores import TransientStore
from async_oauth1.testing import Clock
from tests.stores.conftest import Pending, open_kind

LIFETIME = Policy().nonce_lifetime
HOUR = 3600
#: Insertions that make every store remove what has expired, several times.
MANY = 2500


async def use(store: TransientStore, names: Iterable[str], timestamp: float) -> list[bool]:
    """Use nonces with one timestamp, and return whether each was known."""
    stamp = str(int(timestamp))
    return await asyncio.gather(*(store.exists_nonce(name, stamp, "client", "token") for name in names))


async def make_busy(store: TransientStore, timestamp: float, label: str) -> None:
    """Make enough requests, and wait, for a store to remove what has expired."""
    for start in range(0, MANY, 500):
        await use(store, (f"{label}{number}" for number in range(start, start + 500)), timestamp)
    while tasks := getattr(getattr(store, "_database", None), "_tasks", ()):
        await asyncio.wait(set(tasks))


def numbered(count: int) -> list[str]:
    return [f"nonce{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("age", "known"), [(LIFETIME - CLOCK_TOLERANCE - 1, False), (LIFETIME - CLOCK_TOLERANCE, True)]
)
async def test_a_timestamp_whose_nonces_may_be_removed_is_refused(
    store: TransientStore, clock: Clock, age: int, *, known: bool
) -> None:
    """An unused nonce counts as known if its timestamp is as old as those that are removed."""
    assert await use(store, ["nonce"], clock() - age) == [known]


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "99999999999", "1700000000.5", "१७००००००००"])
async def test_an_invalid_timestamp_is_refused(store: TransientStore, timestamp: str) -> None:
    """A nonce whose timestamp is not a number of 32 bits counts as known."""
    assert await store.exists_nonce("nonce", timestamp, "client", "token") is True
    assert await store.exists_nonce("nonce", "1700000000", "client", "token") is False


async def test_time_passes_while_the_store_is_asked(shared_url: str, store: TransientStore, clock: Clock) -> None:
    """A nonce is refused if it becomes too old while the store is asked."""
    asked = asyncio.create_task(store.exists_nonce("nonce", str(int(clock())), "client", "token"))
    await asyncio.sleep(0)
    clock.now += LIFETIME
    assert await asked is True


async def test_a_nonce_from_a_fast_client(store: TransientStore, clock: Clock) -> None:
    """A nonce with a timestamp in the future is known as long as the timestamp is accepted."""
    ahead = clock() + Policy().timestamp_window
    assert await use(store, ["nonce"], ahead) == [False]
    clock.advance(Policy().timestamp_window + LIFETIME - CLOCK_TOLERANCE - 1)
    assert await use(store, ["nonce", "other"], ahead) == [True, False]
    clock.advance(1)
    assert await use(store, ["nonce", "another"], ahead) == [True, True]


async def test_the_clock_jumps_ahead_and_back(store: TransientStore, clock: Clock) -> None:
    """After the clock has jumped an hour ahead and back, earlier nonces are known and new requests are served."""
    before = clock()
    assert not any(await use(store, numbered(500), before))
    clock.now += HOUR
    await make_busy(store, clock(), "ahead")
    clock.now -= HOUR - 2
    assert all(await use(store, numbered(500), before))
    assert not any(await use(store, numbered(500), clock()))


async def test_a_worker_that_is_ahead_makes_no_nonce_new(shared_url: str, store: TransientStore, clock: Clock) -> None:
    """A worker whose clock is ahead does not make other workers' nonces new."""
    for seen in (clock(), clock() + HOUR):
        assert not any(await use(store, [f"{seen}{number}" for number in range(500)], clock()))
        async with open_kind(shared_url, clock=lambda: clock() + HOUR) as ahead:
            await make_busy(ahead, seen, f"ahead{seen}")
        assert all(await use(store, [f"{seen}{number}" for number in range(500)], clock()))
        clock.now += 2
        assert not any(await use(store, [f"new{seen}{number}" for number in range(500)], clock()))


async def test_a_worker_that_is_ahead_removes_nothing(shared_url: str, store: TransientStore, clock: Clock) -> None:
    """A worker whose clock is ahead removes neither nonces nor temporary credentials of other workers."""
    clock.now = time.time()
    slow = time.time() - 200
    assert not any(await use(store, numbered(500), slow))
    names = [f"pending{number}" for number in range(50)]
    for name in names:
        await store.create_temporary_credential({"oauth_token": name, "oauth_token_secret": "s"}, "client", "oob")
    async with open_kind(shared_url, clock=lambda: clock() + HOUR) as ahead:
        await ahead.create_temporary_credential({"oauth_token": "o", "oauth_token_secret": "s"}, "client", "oob")
        await make_busy(ahead, clock() + HOUR, "ahead")
        await make_busy(ahead, clock(), "true")
    assert all(await use(store, numbered(500), slow))
    assert not any(await use(store, [f"new{number}" for number in range(500)], slow))
    assert all([await store.get_temporary_credential(name) for name in names])


async def test_a_longer_window_does_not_make_a_nonce_new(full_store: TransientStore, clock: Clock) -> None:
    """A nonce that was removed under a short window is not new under a longer one."""
    before = clock()
    assert await use(full_store, ["nonce"], before) == [False]
    clock.advance(LIFETIME + 1)
    await make_busy(full_store, clock(), "later")
    full_store.prepare(Policy(timestamp_window=HOUR))
    assert await use(full_store, ["nonce"], before) == [True]
    assert await use(full_store, ["nonce"], before + 1) == [False]


async def test_a_lifetime_that_is_raised_first(store: TransientStore, url: str, clock: Clock) -> None:
    """If the store keeps nonces for the longer window first, they are known when the window is raised."""
    store.prepare(Policy(timestamp_window=HOUR))
    before = clock()
    assert await use(store, ["nonce"], before) == [False]
    clock.advance(2 * HOUR - 1)
    assert await use(store, ["nonce", "other"], before) == [True, False]


async def test_a_take_while_the_clock_is_ahead_removes_nothing(
    store: TransientStore, clock: Clock, pending: Pending
) -> None:
    """A take while the clock is ahead returns False and removes nothing; Redis uses its own clock."""
    await pending("token")
    clock.now += HOUR
    taken = await store.delete_temporary_credential("token")
    clock.now -= HOUR
    assert await store.delete_temporary_credential("token") is not taken
