"""The PostgreSQL store: everything in one database, for any number of processes on any number of machines.

Each method is one statement, and PostgreSQL makes it atomic: if several callers in several processes take, decide or
use the same thing, one of them succeeds. Nonces that arrive while a statement is under way are inserted by one
``INSERT``; concurrent look-ups share one ``SELECT``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg

from async_oauth1.credentials import TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.records.audit import Actor
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.auditing.in_sql import APPLICATION, EXPIRED_AT_ONCE
from async_oauth1.stores.base import EXPIRED_TOKENS_STAY, TOKEN_TAKEN, is_text, nonce_key, nonce_seconds
from async_oauth1.stores.batching import Batcher, NonceBatcher
from async_oauth1.stores.sql_store import Question, Row, SQLStore
from async_oauth1.stores.uses.last_use import SECONDS_BETWEEN_USES, LastUse

from . import sql
from .connection import PooledConnection
from .database import PostgresDatabase
from .schema import SCHEMA_VERSION
from .tables import migrate_tables, tables_version
from .url import PostgresSettings

__all__ = ["PooledConnection", "PostgresStore"]

# Columns with an index hold less than a third of a page. Identifiers are far shorter.
_MAX_IDENTIFIER_BYTES = 1024


class PostgresStore(SQLStore[PostgresDatabase]):
    """A store in one PostgreSQL database."""

    COLLATION = ' COLLATE "C"'
    PURGE_AFTER = 1000  # a removal costs a round trip of its own

    def __init__(
        self,
        url: str | None = None,
        *,
        pool: asyncpg.Pool[Any] | None = None,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Read the URL; no I/O.

        Args:
            url: libpq's ``postgresql://user@host/database``, with ``min_size``, ``max_size``, ``timeout`` (seconds)
                and ``statement_cache_size`` in its query. ``None`` if a pool is given.
            pool: the application's own pool, which the application closes. Behind a pooler in transaction mode, create
                it with ``connection_class=PooledConnection`` or ``statement_cache_size=0``.
            nonce_lifetime: seconds, as for `BaseStore`.
            clock: Unix time, in seconds.
            keys: encrypt the secrets, newest first.

        Raises:
            StoreError: the URL or one of the keys is not valid.
            TypeError: neither a URL nor a pool, or both.
        """
        if (url is None) is (pool is None):
            raise TypeError("PostgresStore takes a URL or a pool")
        settings = PostgresSettings("postgresql://") if url is None else PostgresSettings.from_url(url)
        super().__init__(settings.url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._settings = settings
        self._pool = pool
        if pool is not None:
            self._can_restart = False
            self._fork_advice = "make the pool and the store in each worker (gunicorn's post_fork)"
        self._start()

    @property
    def round_trips(self) -> int:
        """Statements sent so far; the first of each kind on a connection takes two round trips."""
        return self._database.round_trips

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date. Several processes may do so at once.

        Raises:
            StoreError: the server cannot be reached, or the tables were made by a newer release.
        """
        self._restart()
        await self._database.alone(lambda connection: migrate_tables(connection, self.url))

    async def schema_versions(self) -> tuple[int, int]:
        """As `HasSchema.schema_versions`."""
        self._restart()
        found: list[int] = []

        async def read(connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
            found.append(await tables_version(connection, self.url))

        await self._database.alone(read)
        return found[0], SCHEMA_VERSION

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """As `Store.exists_nonce`."""
        known = await self._nonces.ask(str(UUID(bytes=nonce_key(nonce, timestamp, client_id, oauth_token))))
        return known or self.is_stale(nonce_seconds(timestamp))

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`."""
        if not is_text(client_id):
            return False
        return bool(await self._write(sql.REMOVE_CLIENT, client_id, self.clock(), *self._actor(APPLICATION)))

    def _start(self) -> None:
        super()._start()
        self._database = PostgresDatabase(self._settings, self._pool)
        self._nonces = NonceBatcher(self._remember, fail_together=True)
        self._lookups = Batcher(self._look_up, fail_together=True)

    async def _read(self, statement: str, *arguments: object) -> Sequence[Row]:
        return await self._database.fetch(statement, *arguments)

    async def _write(self, statement: str, *arguments: object) -> Sequence[Row]:
        return await self._database.fetch(statement, *arguments)

    async def _change(self, event: str, usual: Actor, statement: str, *arguments: object) -> Sequence[Row]:
        record = sql.recorded(statement, event, len(arguments))
        return await self._database.fetch(record, *arguments, self.clock(), *self._actor(usual))

    async def _expire(self, now: float) -> None:
        await self._database.fetch(sql.EXPIRE, now, EXPIRED_AT_ONCE)
        await self._database.fetch(sql.PURGE_TEMPORARY, now, EXPIRED_AT_ONCE)

    async def _insert_temporary(self, *values: object) -> tuple[bool, bool]:
        actor = self._actor(Actor("client", str(values[2])))
        ((created, has_room),) = await self._database.fetch(sql.INSERT_TEMPORARY, *values, *actor)
        return created, has_room

    async def _exchange(self, oauth_token: str, new: TokenCredential) -> tuple[str, str] | None:
        sealed = self.keys.seal(new.oauth_token_secret, rows.token_place(new.oauth_token)[0])
        values = (new.oauth_token, sealed, new.scope, new.expires_at, self.max_ended_per_client)
        actor = self._actor(Actor("client", new.client_id))
        try:
            exchanged = await self._database.fetch(
                sql.EXCHANGE, oauth_token, new.client_id, new.created_at, *values, *actor
            )
        except asyncpg.UniqueViolationError:
            raise ValueError(TOKEN_TAKEN) from None
        return (exchanged[0][0], exchanged[0][1]) if exchanged else None

    async def _find_tokens(self, user_id: str | None, client_id: str | None) -> Sequence[Row]:
        return await self._database.fetch(sql.LIST_TOKENS, user_id, client_id, self.clock())

    async def _record(self, uses: Sequence[LastUse]) -> None:
        found = ((use.client_id, use.oauth_token or "", use.used_at, use.user_agent) for use in uses)
        columns = zip(*found, strict=True)
        await self._database.fetch(sql.RECORD_USES, *columns, SECONDS_BETWEEN_USES)

    def _check_lengths(self, **identifiers: str) -> None:
        for name, value in identifiers.items():
            if len(value.encode()) > _MAX_IDENTIFIER_BYTES:
                raise ValueError(f"{name} is longer than {_MAX_IDENTIFIER_BYTES} bytes")

    async def _look_up(self, questions: Sequence[Question]) -> Mapping[Question, Row]:
        client_ids, oauth_tokens = zip(*questions, strict=True)
        found = await self._database.fetch_here(sql.LOOK_UP, client_ids, oauth_tokens)
        return {questions[row[0] - 1]: row for row in found}

    async def _remember(self, keys: Sequence[str]) -> Collection[str]:
        # Sorted: two workers that insert the same nonces in different orders would deadlock.
        keys = sorted(keys)
        seconds = [int(key[:8], 16) for key in keys]
        fresh = await self._database.fetch_here(sql.REMEMBER, keys, seconds, self.nonce_lifetime)
        self._purge_after(len(keys))
        return {row[0] for row in fresh}

    async def _purge(self, now: float, limit: int) -> None:
        with suppress(StoreUnavailableError):  # logged; expired rows are ignored, and the next removal includes them
            await self._database.fetch(sql.PURGE_NONCES, now, limit)
            await self._database.fetch(sql.PURGE_TEMPORARY, now, limit)
            await self._database.fetch(sql.EXPIRE, now, limit)
            await self._database.fetch(sql.PURGE_TOKENS, now, limit, EXPIRED_TOKENS_STAY)
