"""One PostgreSQL database: connections to it, statements, what its errors mean, bringing its tables up to date.

A statement is a transaction of its own and needs nothing of its session, so that pgbouncer may give each to another
connection. What asyncpg does when a connection goes back to its pool (a round trip that resets a session we never
changed) is left out where the pool is ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import asyncpg

from async_oauth1.errors import StoreUnavailableError

from ._base import StoreError
from ._postgres_schema import ENABLE_TRIGGERS, LOCK, MIGRATIONS, MISSING_TRIGGERS, REPAIR_TRIGGERS, SCHEMA_VERSION
from ._postgres_url import PostgresSettings

__all__ = ["PostgresDatabase", "Row"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
Row = Sequence[Any]

# Where a migration waits for another worker's, or builds an index on a large table.
_MIGRATION_TIMEOUT = 600.0

# PostgreSQL has undone the statement, and asks to try it again: deadlocks, and the conflicts of databases whose
# default is a stricter isolation than READ COMMITTED.
_TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_TRIES = 3

_FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # where a connection breaks at an unlucky moment
    OSError,
    asyncio.TimeoutError,
)

_STATE = """SELECT to_regclass('oauth1_schema') IS NOT NULL, to_regclass('oauth1_client') IS NOT NULL,
    current_setting('transaction_read_only') = 'on', current_setting('fsync'), current_setting('synchronous_commit')"""


class PostgresDatabase:
    """Statements on a pool of connections.

    Attributes:
        round_trips: statements sent so far.
    """

    def __init__(self, settings: PostgresSettings, pool: asyncpg.Pool[Any] | None = None) -> None:
        """Remember the arguments; no I/O.

        Args:
            settings: what ``open`` connects with.
            pool: the caller's, which stays open when this is closed.
        """
        self.settings = settings
        self.round_trips = 0
        self._given_pool = pool
        self._pool: asyncpg.Pool[Any] | None = None
        self._closed = False
        self._complaint: str | None = None
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()

    async def open(self) -> None:
        """Connect.

        Raises:
            StoreError: the server cannot be reached, or its tables are not those of this release.
        """
        async with self._opening:
            if self._pool is not None:
                return
            pool = self._given_pool or await self._connect()
            try:
                await self._on_connection(pool, self._check)
            except BaseException:
                if pool is not self._given_pool:
                    pool.terminate()
                raise
            self._pool, self._closed = pool, False

    async def close(self) -> None:
        """Finish what is under way, then disconnect."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        pool, self._pool = self._pool, None
        if pool is None or pool is self._given_pool:
            return
        try:
            async with asyncio.timeout(self.settings.timeout):
                await pool.close()
        except _FAILURES:  # the server is gone or does not answer: nothing is lost
            pool.terminate()

    async def fetch(self, sql: str, *arguments: object) -> list[Row]:
        """Run one statement to its end, whatever becomes of the caller.

        Raises:
            StoreUnavailableError: the server could not be asked; it may have done what it was told.
            asyncpg.UniqueViolationError: a key is taken; nothing was done.
        """
        task = self.spawn(self.fetch_here(sql, *arguments))
        await asyncio.wait({task})
        return task.result()

    async def fetch_here(self, sql: str, *arguments: object) -> list[Row]:
        """As `fetch`, for a caller that is never cancelled, such as a batch."""
        for tries_left in reversed(range(_TRIES)):
            self.round_trips += 1
            try:
                rows = await self._fetch(self._require_pool(), sql, arguments)
            except asyncpg.UniqueViolationError:
                raise
            except _TRY_AGAIN as error:
                if not tries_left:
                    raise self._unavailable(error) from error
            except _FAILURES as error:
                raise self._unavailable(error) from error
            else:
                self._complaint = None
                return rows
        raise AssertionError("unreachable")

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start work that `close` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date.

        Raises:
            StoreError: the server cannot be reached, or its tables were made by a newer release.
        """
        if self._given_pool is not None:
            await self._on_connection(self._given_pool, self._apply_migrations)
            return
        pool = await self._connect(max_size=1)
        try:
            await self._on_connection(pool, self._apply_migrations)
        finally:
            pool.terminate()

    async def _fetch(self, pool: asyncpg.Pool[Any], sql: str, arguments: Sequence[object]) -> list[Row]:
        async with asyncio.timeout(self.settings.timeout):
            connection = await pool.acquire()
            try:
                rows: list[Any] = await connection.fetch(sql, *arguments, record_class=_HiddenRecord)
            except (asyncpg.UniqueViolationError, *_TRY_AGAIN):
                raise  # an answer: the connection is as good as before
            except BaseException as error:
                # Broken, in the middle of an answer, or to a server that has become read-only. Asking it to cancel
                # would be of no use where it does not answer.
                connection.terminate()
                if isinstance(error, asyncio.CancelledError) and pool is not self._given_pool:
                    # No answer in time. Where an address has passed to another server, or a firewall has forgotten
                    # us, the other connections are as dead, and each of them would cost another timeout.
                    await pool.expire_connections()
                raise
            finally:
                await pool.release(connection, timeout=self.settings.timeout)
        return rows

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it when the caller has gone

    def _require_pool(self) -> asyncpg.Pool[Any]:
        if self._closed:
            raise StoreUnavailableError()
        if self._pool is None:
            raise RuntimeError(f"{self.settings.url}: the store is used before it was opened; await store.open() first")
        return self._pool

    def _unavailable(self, error: BaseException) -> StoreUnavailableError:
        complaint = _line(error)
        if complaint != self._complaint:  # every request of the moment meets the same trouble; one line tells of it
            _log.warning("%s: %s", self.settings.url, complaint)
            self._complaint = complaint
        return StoreUnavailableError()

    async def _connect(self, *, max_size: int | None = None) -> asyncpg.Pool[Any]:
        settings = self.settings
        try:
            async with asyncio.timeout(settings.timeout):
                return await asyncpg.create_pool(
                    settings.dsn,
                    min_size=settings.min_size if max_size is None else 0,
                    max_size=max_size or settings.max_size,
                    timeout=settings.connect_timeout,
                    statement_cache_size=settings.statement_cache_size,
                    reset=_leave_as_it_is,
                )
        except ValueError:
            raise self._not_understood() from None
        except _FAILURES as error:
            raise StoreError(f"{settings.url}: {_line(error)}") from error

    async def _on_connection(
        self, pool: asyncpg.Pool[Any], work: Callable[[asyncpg.pool.PoolConnectionProxy[Any]], Awaitable[None]]
    ) -> None:
        try:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    connection = await pool.acquire()
            except ValueError:  # a pool that keeps no connection open reads the URL here
                raise self._not_understood() from None
            try:
                await work(connection)
            except BaseException:
                connection.terminate()
                raise
            finally:
                await pool.release(connection, timeout=self.settings.timeout)
        except _FAILURES as error:
            raise StoreError(f"{self.settings.url}: {_line(error)}") from error

    async def _check(self, connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
        """Refuse a database that is not this release's; warn of one that forgets what it has confirmed."""
        async with asyncio.timeout(self.settings.timeout):
            has_schema, is_ours, read_only, fsync, synchronous_commit = (await connection.fetch(_STATE))[0]
            if not has_schema:
                raise self._error(
                    "belongs to another application" if is_ours else "has no tables yet; migrate it first"
                )
            version = await _version(connection)
        if version != SCHEMA_VERSION:
            raise self._wrong_version(version)
        if read_only:
            raise self._error("is read-only; connect to the primary")
        for name, value in (("fsync", fsync), ("synchronous_commit", synchronous_commit)):
            if value == "off":
                _log.warning(
                    "%s: %s is off: a crash forgets nonces, which can then be replayed", self.settings.url, name
                )

    async def _apply_migrations(self, connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
        # Whatever the database's default: under a stricter one, who has waited for the lock would not see what whoever
        # held it has made.
        async with asyncio.timeout(_MIGRATION_TIMEOUT), connection.transaction(isolation="read_committed"):
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            has_schema, is_ours = (await connection.fetch(_STATE))[0][:2]
            if is_ours and not has_schema:
                raise self._error("belongs to another application")
            if not has_schema:
                await connection.execute("CREATE TABLE oauth1_schema (version integer NOT NULL)")
                await connection.execute("INSERT INTO oauth1_schema VALUES (0)")
            version = await _version(connection)
            if version > SCHEMA_VERSION:
                raise self._wrong_version(version)
            for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
                await connection.execute(statement)
            await connection.execute("UPDATE oauth1_schema SET version = $1", SCHEMA_VERSION)
            await self._repair_triggers(connection)

    async def _repair_triggers(self, connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
        """Make the triggers anew that a restore has left out or disabled; they belong to the version of the schema."""
        try:
            async with connection.transaction():
                for name, exists in await connection.fetch(MISSING_TRIGGERS):
                    for statement in () if exists else REPAIR_TRIGGERS[name]:
                        await connection.execute(statement)
                    await connection.execute(ENABLE_TRIGGERS[name])
        except asyncpg.InsufficientPrivilegeError as error:  # everything but the cache works without them
            _log.warning(
                "%s: the triggers that tell of changes cannot be made: %s; run async-oauth1 migrate as the owner of "
                "the tables, or nothing is cached",
                self.settings.url,
                _line(error),
            )

    def _wrong_version(self, version: int) -> StoreError:
        if version > SCHEMA_VERSION:
            return self._error(
                f"has schema version {version}, made by a newer release; this one knows up to {SCHEMA_VERSION}"
            )
        return self._error(f"has schema version {version}, this release needs {SCHEMA_VERSION}; migrate it first")

    def _not_understood(self) -> StoreError:
        """For a `ValueError` of asyncpg's, whose message may show a piece of the URL that belongs to the password."""
        return self._error("is not a URL that libpq understands")

    def _error(self, reason: str) -> StoreError:
        return StoreError(f"{self.settings.url}: {reason}")


class _HiddenRecord(asyncpg.Record):
    """A row whose values are not shown: asyncio's debug mode logs the results of slow tasks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


async def _version(connection: asyncpg.pool.PoolConnectionProxy[Any]) -> int:
    rows = await connection.fetch("SELECT version FROM oauth1_schema")
    return int(rows[0][0]) if rows else 0


async def _leave_as_it_is(connection: object) -> None:
    """What happens to a connection on its way back to the pool: nothing, it has no state of ours."""


def _line(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return " ".join(str(error).split()) or type(error).__name__
