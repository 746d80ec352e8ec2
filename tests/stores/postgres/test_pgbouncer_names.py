"""Behind a pgbouncer without prepared statements, a call may fail, but never runs another process's statement."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import asyncpg
import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.store import PooledConnection
from tests.servers import PgBouncer, Postgres, pgbouncer_binary

pytestmark = pytest.mark.skipif(
    pgbouncer_binary() is None and not os.environ.get("CI"),
    reason="pgbouncer is no wheel and not installed here; CI installs it, and fails without",
)

TOKEN = {"oauth_token": "t", "oauth_token_secret": "s"}


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[PgBouncer]:
    """In transaction mode, with two server connections; prepared statements are passed on as they are."""
    pooler = PgBouncer(postgres, keeps_statements=False)
    yield pooler
    pooler.close()


@pytest.fixture
def url(pooler: PgBouncer, postgres: Postgres) -> str:
    """A URL without options for prepared statements, of an empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return pooler.url.replace("?statement_cache_size=0", "")


async def test_no_statement_of_another_process_runs(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look-up on the connection on which another process has prepared a removal removes nothing."""
    await PostgresStore(url).migrate()
    async with PostgresStore(url) as first, PostgresStore(url) as second:
        await first.create_temporary_credential(TOKEN, "c", "oob")
        # asyncpg numbers the statements of one process; two processes that start alike have the same numbers.
        monkeypatch.setattr("asyncpg.connection._uid", 1000)
        assert await first.get_temporary_credential("t") is not None
        holder = await asyncpg.connect(url, statement_cache_size=0)
        try:
            # The pooler gave both the connection that was used last; now it is taken, and the other one is used.
            await holder.execute("BEGIN")
            monkeypatch.setattr("asyncpg.connection._uid", 1000)
            assert await second.delete_temporary_credential("another") is False
            with pytest.raises(StoreUnavailableError):
                await first.get_temporary_credential("t")
        finally:
            await holder.close()
    assert "set statement_cache_size=0" in caplog.text
    async with PostgresStore(f"{url}?statement_cache_size=0") as third:
        assert await third.get_temporary_credential("t") is not None


async def test_open_warns(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Opening logs a warning that says what to set; if it is set, there is no warning."""
    await PostgresStore(url).migrate()
    with caplog.at_level(logging.WARNING):
        async with PostgresStore(f"{url}?statement_cache_size=0"):
            pass
        assert "prepared statements" not in caplog.text
        async with PostgresStore(url):
            pass
    assert "in transaction mode" in caplog.text
    assert "set statement_cache_size=0" in caplog.text


async def test_the_applications_pool_with_asyncpgs_names_is_refused(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """`open` refuses a pool whose statements have the same names in every process, and says how to make it instead."""
    await PostgresStore(url).migrate()
    async with asyncpg.create_pool(url, min_size=1) as pool:
        message = r"set statement_cache_size=0.*connection_class=PooledConnection"
        with pytest.raises(StoreError, match=message) as caught:
            await PostgresStore(pool=pool).open()
        assert "\n" not in str(caught.value)
    async with asyncpg.create_pool(url, min_size=1, statement_cache_size=0) as pool:
        async with PostgresStore(pool=pool) as store:
            await store.ping()
        assert "prepared statements" not in caplog.text
    async with asyncpg.create_pool(url, min_size=1, connection_class=PooledConnection) as pool:
        async with PostgresStore(pool=pool) as store:
            await store.ping()
        assert "in transaction mode" in caplog.text


async def test_without_a_pooler_any_pool_is_accepted(
    postgres: Postgres, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a pooler, any pool is accepted without a warning."""
    await PostgresStore(postgres.url).migrate()
    async with asyncpg.create_pool(postgres.url, min_size=1) as pool, PostgresStore(pool=pool) as store:
        await store.ping()
    async with PostgresStore(postgres.url) as store:
        await store.ping()
    assert "prepared statements" not in caplog.text


async def test_every_connection_has_its_own_statement_names(postgres: Postgres) -> None:
    """asyncpg takes the names of its statements from our connection class."""
    names = set()
    for _ in range(2):
        connection = await asyncpg.connect(postgres.url, connection_class=PooledConnection)
        try:
            await connection.fetch("SELECT 1")
            names |= {row[0] for row in await connection.fetch("SELECT name FROM pg_prepared_statements")}
        finally:
            await connection.close()
    assert len(names) == 4
    assert all(name.startswith("__oauth1_") for name in names)
    assert len({name[:25] for name in names}) == 2
