"""Filling the stores in bulk with the credentials of the signed requests."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, open_store
from tests.servers import Postgres

from .signing import CLIENT_ID, CLIENT_SECRET, token_of

__all__ = ["seed_postgres", "seed_sqlite"]

#: Named, so that a migration may add columns.
_INTO = "INSERT INTO oauth1_token_credential (oauth_token, oauth_token_secret, client_id, user_id, scope, created_at)"


async def _prepare(url: str) -> None:
    store = open_store(url)
    await store.migrate()
    if not isinstance(store, Store):
        raise TypeError(f"{url} keeps no clients")
    async with store:
        await store.add_client(Client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET))


def seed_postgres(server: Postgres, tokens: int) -> None:
    """Add a client and tokens; the SQL computes the same names as `token_of`."""
    asyncio.run(_prepare(server.url))
    rows = f"SELECT left(md5(n::text), 24), md5(n::text || 's'), '{CLIENT_ID}', 'jane', '', 0"
    server.sql(f"{_INTO} {rows} FROM generate_series(0, {tokens - 1}) AS n")
    server.sql("VACUUM ANALYZE")
    server.sql("CHECKPOINT")  # now, rather than during a measurement


def seed_sqlite(path: Path, tokens: int) -> None:
    """Add a client and tokens to an SQLite file."""
    asyncio.run(_prepare(f"sqlite:///{path}"))
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            f"{_INTO} VALUES (?, ?, ?, 'jane', '', 0)",
            ((*token_of(number), CLIENT_ID) for number in range(tokens)),
        )
    connection.close()
