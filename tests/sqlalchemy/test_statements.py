"""How many statements a warm protected request costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from async_oauth1.stores import open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from tests.servers import Valkey, patient

from .provider import PlainProvider, new_plain_store


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


def counted(engine: AsyncEngine) -> list[str]:
    """The statements that are sent from now on."""
    sent: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    return sent


@pytest.mark.parametrize("driver", ["sqlite", "asyncpg"])
async def test_two_statements_without_a_cache(provider: PlainProvider, engine: AsyncEngine) -> None:
    """One looks client, token and the token's user up, and one inserts the nonce."""
    signer = await provider.token()
    await provider.protect(signer.wire())
    sent = counted(engine)
    verified = await provider.protect(signer.wire())
    assert verified.credential.user.name == "Jane"
    assert len(sent) == 2, sent


async def test_no_statement_with_a_cache_and_nonces_elsewhere(engine: AsyncEngine, valkey: Valkey) -> None:
    """With `CachingStore` in front and nonces in Redis, the database is not asked; a revocation counts at once."""
    provider = await PlainProvider.over(engine)
    signer = await provider.token()
    models: Any = new_plain_store(engine, Nonce=None, cache=open_store(patient(valkey.url)))
    async with CachingStore(models, open_change_feed(patient(valkey.url))) as store:
        cached = PlainProvider(store)
        assert not isinstance(await cached.protect(signer.wire()), int)
        sent = counted(engine)
        wire = signer.wire()
        verified = await cached.protect(wire)
        assert (verified.client.title, verified.credential.user.name) == ("Printer", "Jane")
        assert await cached.protect(wire) == 401
        assert sent == []
        assert await store.revoke_token_credential(signer.token or "", user_id="7")
        assert await cached.protect(signer.wire()) == 401


async def test_another_store_for_nonces_is_one_argument(engine: AsyncEngine, valkey: Valkey) -> None:
    """It may be given as the cache or in the place of the model, and is opened and closed with the store."""
    for option in (
        {"Nonce": None, "cache": open_store(patient(valkey.url))},
        {"Nonce": open_store(patient(valkey.url))},
    ):
        async with new_plain_store(engine, **option) as store:
            await store.ping()
            assert await store.exists_nonce("n", "4000000000", "c", None) is (option.keys() == {"Nonce"})
