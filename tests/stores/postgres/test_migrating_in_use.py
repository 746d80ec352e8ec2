"""Migrating while a release is in use, and while a long transaction reads."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from async_oauth1.stores import StoreError
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.schema import MIGRATIONS
from tests.servers import Postgres

LOOK_UP = "SELECT oauth_token FROM oauth1_token_credential WHERE oauth_token = 't'"


@pytest.fixture
def old_tables(postgres: Postgres) -> Postgres:
    """The tables of the first release, with some rows."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    postgres.sql("CREATE TABLE oauth1_schema (version integer NOT NULL); INSERT INTO oauth1_schema VALUES (1)")
    postgres.sql(";".join(MIGRATIONS[0]))
    postgres.sql("INSERT INTO oauth1_token_credential VALUES ('t', 's', 'c', 'u', '', 1)")
    return postgres


async def _wait_for_lock(watcher: asyncpg.Connection) -> None:
    async with asyncio.timeout(60):
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
        while not await watcher.fetchval(query):
            await asyncio.sleep(0.005)


async def test_look_ups_do_not_wait_for_a_migration_that_waits(old_tables: Postgres) -> None:
    """While a backup reads the table, look-ups are answered; the migration continues once the backup has ended."""
    backup, watcher, worker = [await asyncpg.connect(old_tables.url) for _ in range(3)]
    await backup.execute(f"BEGIN; {LOOK_UP}")
    migration = asyncio.create_task(PostgresStore(old_tables.url).migrate())
    try:
        await _wait_for_lock(watcher)
        assert await worker.fetchval(LOOK_UP, timeout=60) == "t"
        assert not migration.done()
        await backup.execute("COMMIT")
        await migration
    finally:
        migration.cancel()
        for connection in (backup, watcher, worker):
            connection.terminate()
    async with PostgresStore(old_tables.url) as store:
        assert await store.query_token("c", "t") is not None


async def test_migrating_gives_up_after_a_while(old_tables: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the obstacle, nothing has changed, and the next attempt succeeds."""
    monkeypatch.setattr("async_oauth1.stores.postgres.tables._ATTEMPTS", 2)
    monkeypatch.setattr("async_oauth1.stores.postgres.tables._PAUSE", 0.01)
    backup = await asyncpg.connect(old_tables.url)
    await backup.execute(f"BEGIN; {LOOK_UP}")
    with pytest.raises(StoreError, match="locked by another transaction, such as a backup") as caught:
        await PostgresStore(old_tables.url).migrate()
    assert "\n" not in str(caught.value)
    await backup.close()
    assert old_tables.sql("SELECT version FROM oauth1_schema") == "1"
    await PostgresStore(old_tables.url).migrate()
    async with PostgresStore(old_tables.url):
        pass


async def test_look_ups_do_not_wait_for_an_index(old_tables: Postgres) -> None:
    """Look-ups are answered while the creation of an index waits for a writer."""
    old_tables.sql("ALTER TABLE oauth1_token_credential ADD COLUMN expires_at double precision")  # as after a crash
    writer, watcher, worker = [await asyncpg.connect(old_tables.url) for _ in range(3)]
    await writer.execute("BEGIN; INSERT INTO oauth1_token_credential VALUES ('t2', 's', 'c', 'u', '', 1)")
    migration = asyncio.create_task(PostgresStore(old_tables.url).migrate())
    try:
        async with asyncio.timeout(60):
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            while not await watcher.fetchval(query):
                await asyncio.sleep(0.005)
        assert await worker.fetchval(LOOK_UP, timeout=60) == "t"
        await writer.execute("COMMIT")
        await migration
    finally:
        migration.cancel()
        for connection in (writer, watcher, worker):
            connection.terminate()
    async with PostgresStore(old_tables.url) as store:
        assert await store.query_token("c", "t2") is not None


async def test_an_up_to_date_database_is_not_touched(old_tables: Postgres) -> None:
    """Migrating again needs no lock that a reader or a writer may hold."""
    await PostgresStore(old_tables.url).migrate()
    other = await asyncpg.connect(old_tables.url)
    try:
        await other.execute(f"BEGIN; {LOOK_UP}; LOCK TABLE oauth1_client IN ROW EXCLUSIVE MODE")
        async with asyncio.timeout(60):
            await PostgresStore(old_tables.url).migrate()
    finally:
        other.terminate()
