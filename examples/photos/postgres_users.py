"""Users and their sessions in the store's PostgreSQL database."""

from __future__ import annotations

import secrets
import time
from urllib.parse import parse_qsl, urlencode

import asyncpg

from async_oauth1 import StoreUnavailableError

from .users import SESSION_LIFETIME

__all__ = ["PostgresUsers"]

# Seconds that the server is waited for.
_TIMEOUT = 5.0
# What the store's URL says to the store alone.
_STORE_OPTIONS = frozenset({"cache", "connect_timeout", "max_size", "min_size", "statement_cache_size", "timeout"})

# Two processes that create the same table at once would meet in PostgreSQL's catalogue: they take turns.
_TABLES = """
    BEGIN;
    SELECT pg_advisory_xact_lock(7017);
    CREATE TABLE IF NOT EXISTS photos_user (user_id text PRIMARY KEY, password_hash text NOT NULL);
    CREATE TABLE IF NOT EXISTS photos_session
        (session_id text PRIMARY KEY, user_id text NOT NULL, expires_at double precision NOT NULL);
    CREATE INDEX IF NOT EXISTS photos_session_expiry ON photos_session (expires_at);
    CREATE TABLE IF NOT EXISTS photos_mark (name text PRIMARY KEY);
    COMMIT;
"""
_MARK = "INSERT INTO photos_mark VALUES ($1) ON CONFLICT DO NOTHING"
# One statement, so that a crash leaves either both or neither.
_MARK_AND_ADD = """
    WITH marked AS (INSERT INTO photos_mark VALUES ($1) ON CONFLICT DO NOTHING RETURNING name)
    INSERT INTO photos_user SELECT $2::text, $3::text FROM marked ON CONFLICT DO NOTHING
"""


class PostgresUsers:
    """Users in the store's database. A connection per question: pages are few, and nothing is left open or stale."""

    def __init__(self, url: str) -> None:
        """Remember the server; no I/O."""
        location, _, query = url.partition("?")
        options = [(name, value) for name, value in parse_qsl(query) if name not in _STORE_OPTIONS]
        self._dsn = f"postgresql{location[location.index(':') :]}?{urlencode(options)}".removesuffix("?")

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to do in several processes at once."""
        await self._execute(_TABLES)

    async def find(self, user_id: str) -> str | None:
        """The hash of a user's password; ``None`` for one who does not exist."""
        return await self._execute("SELECT password_hash FROM photos_user WHERE user_id = $1", user_id)

    async def begin_session(self, user_id: str) -> str:
        """Sign a user in; returns the identifier of the new session."""
        session_id, now = secrets.token_urlsafe(32), time.time()
        await self._execute("DELETE FROM photos_session WHERE expires_at <= $1", now)
        await self._execute(
            "INSERT INTO photos_session VALUES ($1, $2, $3)", session_id, user_id, now + SESSION_LIFETIME
        )
        return session_id

    async def session_user(self, session_id: str) -> str | None:
        """Who is signed in by this session; ``None`` once it has ended or expired."""
        return await self._execute(
            "SELECT user_id FROM photos_session WHERE session_id = $1 AND expires_at > $2", session_id, time.time()
        )

    async def end_session(self, session_id: str) -> None:
        """Sign out: the identifier is worthless from now on."""
        await self._execute("DELETE FROM photos_session WHERE session_id = $1", session_id)

    async def is_marked(self, name: str) -> bool:
        """Whether `mark` was called with this name, in any process."""
        return await self._execute("SELECT name FROM photos_mark WHERE name = $1", name) is not None

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user in the same statement."""
        if user:
            await self._execute(_MARK_AND_ADD, name, *user)
        else:
            await self._execute(_MARK, name)

    async def _execute(self, sql: str, *parameters: object) -> str | None:
        """Run one statement; the first column of its first row, if there is one."""
        try:
            connection = await asyncpg.connect(self._dsn, timeout=_TIMEOUT, statement_cache_size=0)
            try:
                if not parameters:
                    await connection.execute(sql, timeout=_TIMEOUT)
                    return None
                value: str | None = await connection.fetchval(sql, *parameters, timeout=_TIMEOUT)
                return value
            finally:
                await connection.close(timeout=_TIMEOUT)
        except asyncpg.DataError:  # what no text in PostgreSQL is: nobody has such a name
            return None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise StoreUnavailableError() from error
