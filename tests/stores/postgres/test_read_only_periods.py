"""After a database was read-only for a while, the store works again without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
import pytest_asyncio

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres


@pytest.fixture
def server(postgres: Postgres) -> Postgres:
    """The server, with an empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres


@pytest_asyncio.fixture
async def administrator(server: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A session from before the read-only time, which may write."""
    connection = await asyncpg.connect(server.url)
    yield connection
    await connection.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    await connection.close()


async def _begin_spell(administrator: asyncpg.Connection) -> None:
    await administrator.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
    # It waits until they have ended, 60 seconds at most: until then a session from before could still be used.
    ended = await administrator.fetch(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = 'postgres'"
    )
    assert all(row[0] for row in ended)


async def _end_spell(administrator: asyncpg.Connection) -> None:
    await administrator.execute("ALTER DATABASE postgres RESET default_transaction_read_only")


async def _fails(store: PostgresStore) -> None:
    with pytest.raises(StoreUnavailableError):
        await store.ping()


@pytest.mark.parametrize("given", [False, True])
async def test_health_recovers(server: Postgres, administrator: asyncpg.Connection, *, given: bool) -> None:
    """After a ping has found a session that is still read-only, no such session is used again."""
    await PostgresStore(server.url).migrate()
    pool = await asyncpg.create_pool(server.url, min_size=1) if given else None
    store = PostgresStore(pool=pool) if pool else PostgresStore(server.url)
    async with store:
        await store.ping()
        await _begin_spell(administrator)
        for _ in range(3):
            await _fails(store)
        await _end_spell(administrator)
        with suppress(StoreUnavailableError):  # asyncpg may have opened a session in advance, before the spell ended
            await store.ping()
        await store.ping()
        assert await store.exists_nonce("n", "4000000000", "c", None) is False
        await store.ping()
    if pool:
        await pool.close()


async def test_one_refused_nonce_is_enough(server: Postgres, administrator: asyncpg.Connection) -> None:
    """After one write is refused as read-only, no session from the read-only time is used."""
    await PostgresStore(server.url).migrate()
    async with PostgresStore(f"{server.url}") as store:
        await _begin_spell(administrator)
        answers: list[object] = []
        async with asyncio.timeout(60):
            while answers != [[]] * 5:  # the first ones meet sessions that were ended; those of the spell may read
                answers = [*await asyncio.gather(*(store.list_clients() for _ in range(5)), return_exceptions=True)]
        await _end_spell(administrator)
        with pytest.raises(StoreUnavailableError):
            await store.exists_nonce("n", "4000000000", "c", None)
        for number in range(5):
            assert await store.exists_nonce(f"n{number}", "4000000000", "c", None) is False
            await store.ping()


async def test_a_column_that_changes_its_type(server: Postgres, administrator: asyncpg.Connection) -> None:
    """A statement is prepared again without an error for the caller."""
    await PostgresStore(server.url).migrate()
    async with PostgresStore(server.url) as store:
        client = Client(client_id="c", client_secret="s")
        await store.add_client(client)
        assert await store.query_client("c") == client
        await administrator.execute("ALTER TABLE oauth1_client ALTER COLUMN name TYPE varchar(100)")
        assert await store.query_client("c") == client
