"""Errors of PostgreSQL and asyncpg may contain values; the log shows none of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres


@pytest_asyncio.fixture
async def opened(postgres: Postgres, caplog: pytest.LogCaptureFixture) -> AsyncIterator[PostgresStore]:
    """An open, empty store; everything is logged from now on."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    store = PostgresStore(postgres.url)
    await store.migrate()
    caplog.set_level(logging.DEBUG)
    async with store:
        yield store


@pytest.mark.parametrize("statement", ["SELECT $1::int", "SELECT $1::bytea", "SELECT $1::text::int"])
@pytest.mark.parametrize("method", ["fetch", "fetch_here"])
async def test_an_argument_that_is_refused(
    opened: PostgresStore, caplog: pytest.LogCaptureFixture, statement: str, method: str
) -> None:
    """A value that asyncpg or the server refuses is a 503, and the connection is used again."""
    before = await opened._database.fetch("SELECT pg_backend_pid()")
    with pytest.raises(StoreUnavailableError):
        await getattr(opened._database, method)(statement, "s3cret")
    assert "s3cret" not in caplog.text
    assert await opened._database.fetch("SELECT pg_backend_pid()") == before


async def test_a_row_that_is_refused(
    opened: PostgresStore, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names a violated constraint without its details, which contain the row."""
    postgres.sql("ALTER TABLE oauth1_client ADD CONSTRAINT of_the_operator CHECK (name <> 'Printer')")
    with pytest.raises(StoreUnavailableError):
        await opened.add_client(Client(client_id="c", client_secret="s3cret", name="Printer"))
    assert "of_the_operator" in caplog.text
    assert "s3cret" not in caplog.text
