"""Users and their sessions in the store's PostgreSQL database."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import asyncpg

from async_oauth1 import StoreUnavailableError

from .users import SQLUsers

__all__ = ["PostgresUsers"]

# Seconds to wait for the server.
_TIMEOUT = 5.0
# Options in the store's URL that libpq and asyncpg do not know.
_STORE_OPTIONS = frozenset({"cache", "connect_timeout", "max_size", "min_size", "statement_cache_size", "timeout"})

# The lock keeps two processes from creating the same table at once: one of them would fail in PostgreSQL's catalogue.
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
_MARK = "INSERT INTO photos_mark VALUES (?1) ON CONFLICT DO NOTHING"
# One statement, so that a crash leaves either both or neither.
_MARK_AND_ADD = """
    WITH marked AS (INSERT INTO photos_mark VALUES (?1) ON CONFLICT DO NOTHING RETURNING name)
    INSERT INTO photos_user SELECT ?2::text, ?3::text FROM marked ON CONFLICT DO NOTHING
"""


class PostgresUsers(SQLUsers):
    """Users in the store's database. Opens a connection per statement: pages are few, and no connection goes stale."""

    def __init__(self, url: str) -> None:
        """Remember the server; no I/O."""
        location, _, query = url.partition("?")
        options = [(name, value) for name, value in parse_qsl(query) if name not in _STORE_OPTIONS]
        self._dsn = f"postgresql{location[location.index(':') :]}?{urlencode(options)}".removesuffix("?")

    async def migrate(self) -> None:
        """Create the tables. Safe to repeat, and to run in several processes at once."""
        await self._execute(_TABLES)

    async def mark(self, name: str, user: tuple[str, str] | None = None) -> None:
        """Remember a name for good; the first call with it adds the user in the same statement."""
        if user:
            await self._execute(_MARK_AND_ADD, name, *user)
        else:
            await self._execute(_MARK, name)

    async def _execute(self, sql: str, *parameters: object) -> str | None:
        try:
            connection = await asyncpg.connect(self._dsn, timeout=_TIMEOUT, statement_cache_size=0)
            try:
                if not parameters:
                    await connection.execute(sql, timeout=_TIMEOUT)
                    return None
                value: str | None = await connection.fetchval(sql.replace("?", "$"), *parameters, timeout=_TIMEOUT)
                return value
            finally:
                await connection.close(timeout=_TIMEOUT)
        except asyncpg.DataError:  # PostgreSQL cannot hold this text, so there is no user of that name
            return None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise StoreUnavailableError() from error
