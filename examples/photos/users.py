"""Users and their sessions: two small tables beside the store's own, or dicts where the store is in memory."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Protocol, TypeVar
from urllib.parse import quote

from async_oauth1 import StoreUnavailableError

__all__ = ["MemoryUsers", "SQLiteUsers", "Users"]

T = TypeVar("T")

#: Twelve hours, in seconds.
SESSION_LIFETIME = 12 * 60 * 60
# Seconds that a locked file is waited for.
_TIMEOUT = 5.0

_TABLES = (
    "CREATE TABLE IF NOT EXISTS photos_user (user_id TEXT PRIMARY KEY, password_hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS photos_session (session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at REAL)",
    "CREATE INDEX IF NOT EXISTS photos_session_expiry ON photos_session (expires_at)",
    "CREATE TABLE IF NOT EXISTS photos_mark (name TEXT PRIMARY KEY)",
)


class Users(Protocol):
    """Who may sign in, and who is signed in. Raises `StoreUnavailableError` where that cannot be told."""

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to do in several processes at once."""
        ...

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for one who does not exist."""
        ...

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        ...

    async def session_user(self, session_id: str) -> str | None:
        """Who is signed in by this session; ``None`` once it has ended or expired."""
        ...

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is worthless from now on."""
        ...

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name, in any process."""
        ...

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good. The first call with it adds a user in the same step.

        Args:
            name: what is remembered.
            user: identifier and password hash; a later call with the same name does not add it.
        """
        ...


class MemoryUsers:
    """Users of one process."""

    def __init__(self) -> None:
        """Start empty."""
        self._users: dict[str, str] = {}
        self._sessions: dict[str, tuple[str, float]] = {}
        self._marks: set[str] = set()

    async def migrate(self) -> None:
        """Nothing to create."""

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for one who does not exist."""
        return self._users.get(user_id)

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        now = time.time()
        self._sessions = {key: session for key, session in self._sessions.items() if session[1] > now}
        session_id = secrets.token_urlsafe(32)
        self._sessions[session_id] = user_id, now + SESSION_LIFETIME
        return session_id

    async def session_user(self, session_id: str) -> str | None:
        """Who is signed in by this session; ``None`` once it has ended or expired."""
        user_id, expires_at = self._sessions.get(session_id, (None, 0.0))
        return user_id if expires_at > time.time() else None

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is worthless from now on."""
        self._sessions.pop(session_id, None)

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name."""
        return name in self._marks

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user."""
        if name not in self._marks:
            self._marks.add(name)
            if user:
                self._users.setdefault(*user)


class SQLiteUsers:
    """Users in the store's file. A connection per question: pages are few, and nothing is left open or stale."""

    def __init__(self, path: str) -> None:
        """Remember the file; no I/O."""
        self._uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=rw"

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to do in several processes at once."""
        for statement in _TABLES:
            await self._execute(statement)

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for one who does not exist."""
        return await self._execute("SELECT password_hash FROM photos_user WHERE user_id = ?", user_id)

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        session_id, now = secrets.token_urlsafe(32), time.time()
        await self._execute("DELETE FROM photos_session WHERE expires_at <= ?", now)
        await self._execute("INSERT INTO photos_session VALUES (?, ?, ?)", session_id, user_id, now + SESSION_LIFETIME)
        return session_id

    async def session_user(self, session_id: str) -> str | None:
        """Who is signed in by this session; ``None`` once it has ended or expired."""
        return await self._execute(
            "SELECT user_id FROM photos_session WHERE session_id = ? AND expires_at > ?", session_id, time.time()
        )

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is worthless from now on."""
        await self._execute("DELETE FROM photos_session WHERE session_id = ?", session_id)

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name, in any process."""
        return await self._execute("SELECT name FROM photos_mark WHERE name = ?", name) is not None

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
        """Run one statement; the first column of its first row, if there is one."""
        row = await self._run(lambda connection: connection.execute(sql, parameters).fetchone())
        return row[0] if row else None

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await asyncio.to_thread(self._connected, work)
        except sqlite3.Error as error:
            raise StoreUnavailableError() from error

    def _connected(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self._uri, uri=True, timeout=_TIMEOUT, isolation_level=None)) as connection:
            return work(connection)
