"""The memory store: its size is limited, and when it is full it refuses new entries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.stores import MemoryStore


async def test_full_of_live_nonces_it_refuses_new_ones(clock) -> None:
    """A full store refuses new nonces until old ones have expired."""
    store, now = MemoryStore(max_nonces=3, clock=clock), str(int(clock()))
    for number in range(3):
        assert await store.exists_nonce(str(number), now, "c", None) is False
    with pytest.raises(StoreUnavailableError):
        await store.exists_nonce("4", now, "c", None)
    assert await store.exists_nonce("0", now, "c", None) is True
    clock.advance(661)
    assert await store.exists_nonce("4", str(int(clock())), "c", None) is False


async def test_full_of_live_temporary_credentials_it_refuses_new_ones(clock) -> None:
    """A full store refuses new temporary credentials until others have expired or are taken."""
    store = MemoryStore(max_temporary_credentials=2, clock=clock)
    for name in ("a", "b"):
        await store.create_temporary_credential({"oauth_token": name, "oauth_token_secret": "s"}, "c", "oob")
    third = {"oauth_token": "c", "oauth_token_secret": "s"}
    with pytest.raises(StoreUnavailableError):
        await store.create_temporary_credential(third, "c", "oob")
    assert await store.delete_temporary_credential("a") is True
    await store.create_temporary_credential(third, "c", "oob")
    clock.advance(601)
    await store.create_temporary_credential({"oauth_token": "d", "oauth_token_secret": "s"}, "c", "oob")


async def test_expired_nonces_are_removed(clock) -> None:
    """Under steady traffic the store only holds live nonces."""
    store = MemoryStore(clock=clock)
    for number in range(2000):
        clock.advance(10)
        assert await store.exists_nonce(str(number), str(int(clock())), "c", None) is False
    assert len(store._nonces) <= 660 / 10 + 1


@pytest.mark.parametrize("lifetime", [1, 2, 30, 119, 120, 121, 660])
async def test_a_timestamp_is_stale_by_the_rule_of_every_store(clock, lifetime: int) -> None:
    """At each second of the lifetime, and around its ends, the store refuses what `BaseStore.is_stale` says."""
    store = MemoryStore(clock=clock, nonce_lifetime=lifetime)
    for age in range(-2, lifetime + 3):
        seconds = int(clock()) - age
        assert await store.exists_nonce("n", str(seconds), "c", None) is store.is_stale(seconds), age
        assert await store.exists_nonce("n", str(seconds), "c", None) is True


@pytest.mark.parametrize("nonce", ["a\0b", "\ud800", b"octets", 1])
async def test_a_nonce_that_is_no_text_is_refused(clock, nonce: str) -> None:
    """As by every other store, so that a provider may change its store."""
    with pytest.raises((TypeError, ValueError), match="nonce"):
        await MemoryStore(clock=clock).exists_nonce(nonce, str(int(clock())), "c", None)


async def test_a_nonce_of_unusual_text_is_remembered(clock) -> None:
    """Characters that cannot be printed are text, too."""
    store, now = MemoryStore(clock=clock), str(int(clock()))
    assert [await store.exists_nonce("a\n\u200b", now, "c", None) for _ in range(2)] == [False, True]


def test_threads_share_the_store() -> None:
    """A nonce is new only once if many threads use the store."""
    store = MemoryStore()
    with ThreadPoolExecutor(8) as pool:
        for number in range(200):
            nonce = str(number)
            answers = list(pool.map(lambda _: run_sync(store.exists_nonce(nonce, "4000000000", "c", None)), range(8)))  # noqa: B023
            assert answers.count(False) == 1
