"""Recording the uses of tokens that are cached."""

from __future__ import annotations

from typing import Any

from async_oauth1.credentials import Client
from async_oauth1.stores import MemoryStore, RecordsUses, open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres

from .test_caching import FakeChangeFeed


async def test_no_cache_is_told_of_a_use(postgres: Postgres) -> None:
    """A use is no change of the token: what is cached stays cached, in every process."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    store = CachingStore(PostgresStore(postgres.url), open_change_feed(postgres.url))
    other = open_store(postgres.url)
    await store.migrate()
    async with other:
        await other.add_client(Client(client_id="printer", client_secret="secret"))
        token = await other.issue_token_credential("printer", "jane")
    async with store, other:
        assert await store.query_token("printer", token.oauth_token) == token
        before = store._cache.generation
        assert isinstance(store, RecordsUses)
        store.note_use("printer", token.oauth_token)
        assert [use.oauth_token for use in await store.last_uses(user_id="jane")] == [token.oauth_token]
        other.note_use("printer", None)
        assert len(await other.last_uses()) == 2
        assert store._cache.generation == before
        # A change made by hand is heard of, so the count above would have shown one.
        await other.revoke_token_credential(token.oauth_token)
        await store.add_client(Client(client_id="another", client_secret="secret"))
        assert store._cache.generation > before


class WithoutUses(MemoryStore):
    """A store that does not record uses."""

    note_use: Any = None


async def test_a_store_that_records_nothing() -> None:
    """Behind the cache, a store of one's own may leave it out."""
    store = CachingStore(WithoutUses(), FakeChangeFeed())
    async with store:
        store.note_use("printer", "token")
        assert await store.last_uses() == []
