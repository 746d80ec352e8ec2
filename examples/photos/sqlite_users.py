"""Users and their sessions in the store's SQLite file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar
from urllib.parse import quote

from async_oauth1 import StoreUnavailableError

from .users import SQLUsers

__all__ = ["SQLiteUsers"]

T = TypeVar("T")

# Seconds to wait for a locked file.
_TIMEOUT = 5.0

_TABLES = (
    "CREATE TABLE IF NOT EXISTS photos_user (user_id TEXT PRIMARY KEY, password_hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS photos_session (session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at REAL)",
    "CREATE INDEX IF NOT EXISTS photos_session_expiry ON photos_session (expires_at)",
    "CREATE TABLE IF NOT EXISTS photos_mark (name TEXT PRIMARY KEY)",
)


class SQLiteUsers(SQLUsers):
    """Users in the store's file. Opens a connection per statement: pages are few, and no connection goes stale."""

    def __init__(self, path: str) -> None:
        """Remember the file; no I/O."""
        self._uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=rw"

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to run in several processes at once."""
        for statement in _TABLES:
            await self._execute(statement)

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user in the same transaction."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            is_new = connection.execute("INSERT OR IGNORE INTO photos_mark VALUES (?)", (name,)).rowcount
            if is_new and user:
                connection.execute("INSERT OR IGNORE INTO photos_user VALUES (?, ?)", user)
            connection.execute("COMMIT")

        await self._run(work)

    async def _execute(self, sql: str, *parameters: object) -> str | None:
        row = await self._run(lambda connection: connection.execute(sql, parameters).fetchone())
        return row[0] if row else None

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.to_thread(self._with_connection, work)
        except sqlite3.Error as error:
            raise StoreUnavailableError() from error

    def _with_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._uri, uri=True, timeout=_TIMEOUT, isolation_level=None)) as connection:
            return work(connection)
