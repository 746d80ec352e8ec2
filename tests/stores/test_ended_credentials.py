"""Every store: temporary credentials that have ended are told from unknown ones, and never live again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.credentials import Client, TemporaryCredential
from async_oauth1.policy import Policy
from async_oauth1.stores import MemoryStore, Store, TransientStore, open_store
from async_oauth1.stores.caching import CachingStore
from async_oauth1.testing import Clock
from tests.stores.caching.test_caching import FakeChangeFeed
from tests.stores.conftest import FULL, TRANSIENT

TOKEN = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"}
EVERY_KIND = pytest.mark.parametrize("kind", FULL + TRANSIENT)

Pending = Callable[..., Awaitable[TemporaryCredential]]


async def ended(store: Any, oauth_token: str) -> TemporaryCredential | None:
    """What the store says of credentials that have ended."""
    found: TemporaryCredential | None = await store.get_ended_temporary_credential(oauth_token)
    return found


async def is_gone(store: Any, credential: TemporaryCredential) -> bool:
    """Whether nothing can be done with credentials any more."""
    oauth_token = credential.oauth_token
    answers = [
        await store.get_temporary_credential(oauth_token) is None,
        await store.delete_temporary_credential(oauth_token) is False,
        await store.deny_temporary_credential(oauth_token) is False,
        await store.create_authorization_verifier(credential, "jane", "another") is False,
        await store.count_wrong_verifier(oauth_token) > 1_000,
    ]
    if isinstance(store, Store):
        answers.append(await store.exchange(credential, TOKEN) is None)
    return all(answers)


@EVERY_KIND
@pytest.mark.parametrize("way", ["deny", "delete"])
async def test_their_secret_is_still_known(store: TransientStore, pending: Pending, way: str) -> None:
    """The record has the client and the secret; until they end there is none."""
    credential = await pending()
    assert await ended(store, credential.oauth_token) is None
    assert await getattr(store, f"{way}_temporary_credential")(credential.oauth_token) is True
    assert await ended(store, credential.oauth_token) == credential
    assert await is_gone(store, credential)
    assert await ended(store, "unknown") is None
    assert await ended(store, "\0\ud800") is None


async def test_an_exchange_ends_them(full_store: Store, approved: Pending) -> None:
    """Of many exchanges one gets a token; afterwards the credentials have ended, and none gets another one."""
    credential = await approved()
    tokens = [{"oauth_token": f"t{number}", "oauth_token_secret": "s"} for number in range(8)]
    made = await asyncio.gather(*(full_store.exchange(credential, token) for token in tokens))
    assert sum(token is not None for token in made) == 1
    assert await ended(full_store, credential.oauth_token) == credential
    assert await is_gone(full_store, credential)
    assert len(await full_store.list_token_credentials()) == 1


@EVERY_KIND
async def test_they_are_forgotten_when_they_would_have_expired(
    store: TransientStore, kind: str, pending: Pending, clock: Clock
) -> None:
    """Not sooner, and not later."""
    margin = 60 if kind in TRANSIENT else 1  # Redis goes by its own clock, and the machine may be busy
    credential = await pending()
    clock.advance(500)
    await store.delete_temporary_credential(credential.oauth_token)
    clock.advance(100 - margin)
    assert await ended(store, credential.oauth_token) == credential
    clock.advance(margin)
    assert await ended(store, credential.oauth_token) is None
    assert await is_gone(store, credential)


@EVERY_KIND
async def test_a_client_has_only_so_many(store: TransientStore, pending: Pending) -> None:
    """The oldest are kept, up to half of what may be pending, and all of them make room for new ones."""
    store.prepare(Policy(max_pending_per_client=6))
    kept = []
    for number in range(12):
        credential = await pending(oauth_token=f"t{number}")
        assert await store.delete_temporary_credential(credential.oauth_token) is True
        kept.append(await ended(store, credential.oauth_token) is not None)
        assert await is_gone(store, credential)
    assert kept == [True] * 3 + [False] * 9
    for number in range(6):
        await pending(oauth_token=f"p{number}")


@EVERY_KIND
async def test_a_generator_that_repeats_itself(store: TransientStore, pending: Pending) -> None:
    """The token of ended credentials may be used again; then those are forgotten."""
    first = await pending()
    await store.delete_temporary_credential(first.oauth_token)
    second = await pending()
    assert await store.get_temporary_credential(first.oauth_token) == second
    await store.delete_temporary_credential(first.oauth_token)
    assert await ended(store, first.oauth_token) == second


async def test_a_removed_client_leaves_none(full_store: Store, pending: Pending, client: Client) -> None:
    """A client of the same name that is registered later does not learn of them."""
    await full_store.add_client(client)
    credential = await pending()
    await full_store.delete_temporary_credential(credential.oauth_token)
    await full_store.remove_client(client.client_id)
    assert await ended(full_store, credential.oauth_token) is None


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_they_are_removed_with_expired_ones(shared_url: str, clock: Clock) -> None:
    """The table does not grow, and what is kept stays."""
    clock.now = 1_000.0  # behind the database's clock, which limits what is removed
    store: Any = open_store(shared_url, clock=clock)
    await store.migrate()
    async with store:
        for number in range(4):
            await store.create_temporary_credential(
                {"oauth_token": f"t{number}", "oauth_token_secret": "s"}, "printer", "oob"
            )
            if number % 2:
                await store.delete_temporary_credential(f"t{number}")
            clock.advance(400)
        await store.exists_nonce("n", str(int(clock.now)), "printer", None)
        await store._purge(clock.now, 100)
        left = await store._read("SELECT oauth_token FROM oauth1_temporary_credential ORDER BY oauth_token")
        assert [row[0] for row in left] == ["t3"]
        assert await ended(store, "t3") is not None


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "valkey"])
async def test_secrets_at_rest_stay_encrypted(shared_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key ring reads the secret of ended credentials, too."""
    store: Any = open_store(shared_url, keys=["bGV0IHVzIHVzZSBhIGtleSBvZiB0aGlydHktdHdvIG8="])
    await store.migrate()
    async with store:
        await store.create_temporary_credential({"oauth_token": "t", "oauth_token_secret": "plain"}, "printer", "oob")
        await store.delete_temporary_credential("t")
        found = await ended(store, "t")
        assert found is not None
        assert found.oauth_token_secret == "plain"
        if isinstance(store, Store):
            (row,) = await store._read("SELECT oauth_token_secret FROM oauth1_temporary_credential")
            assert "plain" not in row[0]


async def test_a_cache_asks_its_store(tmp_path: Path) -> None:
    """And has an answer if a store of one's own does not tell."""

    class WithoutEnded(MemoryStore):
        get_ended_temporary_credential: Any = None

    for inner, expected in ((MemoryStore(), True), (WithoutEnded(), False)):
        async with CachingStore(inner, FakeChangeFeed()) as store:
            await store.create_temporary_credential({"oauth_token": "t", "oauth_token_secret": "s"}, "printer", "oob")
            await store.delete_temporary_credential("t")
            assert (await ended(store, "t") is not None) is expected
