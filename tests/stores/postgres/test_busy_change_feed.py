"""A change feed on a busy machine: what is read late is not taken for what never arrives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from async_oauth1.stores import change_feed, open_store
from async_oauth1.stores.postgres.change_feed import PostgresChangeFeed
from tests.servers import Postgres


class LateFeed(PostgresChangeFeed):
    """Reads nothing from the server for two seconds, from the moment that it listens."""

    async def _connect(self) -> Any:
        connection = await super()._connect()
        if self._connection is not None:
            listening: Any = self._connection
            listening._transport.pause_reading()
            asyncio.get_running_loop().call_later(2, listening._transport.resume_reading)
        return connection


async def test_it_is_not_taken_for_a_pooler(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has delivered its notification in time, so the feed opens."""
    monkeypatch.setattr(change_feed, "_PROBE_TIMEOUT", 60.0)
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await open_store(postgres.url).migrate()
    feed = LateFeed(postgres.url)
    await feed.open(lambda change: None)
    await feed.close()
