"""One PostgreSQL database: its pool of connections, statements, and what its errors mean.

Each statement is a transaction of its own and does not depend on session state, so pgbouncer may run each on another
connection. asyncpg resets the session when a connection is returned to its pool, which takes a round trip. Our own pool
skips that, since no statement changes the session.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import asyncpg

from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.stores.batching import QuestionError
from async_oauth1.stores.health.outages import Outages

from .connection import PooledConnection, check_statement_names
from .problems import DATA_ERRORS, cause_without_secrets, line_of, opening_error
from .sql import PING, writes
from .tables import check_tables
from .url import PostgresSettings

__all__ = ["PostgresDatabase", "Row"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
Row = Sequence[Any]

# Connections that `fetch` does not use: one for look-ups, one for nonces, one for `ping`.
_RESERVED = 3

# PostgreSQL has rolled the statement back, and it can be repeated: deadlocks, and conflicts in databases whose default
# isolation is stricter than READ COMMITTED.
_TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_TRIES = 3

_FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection broke at an unlucky moment
    OSError,
    asyncio.TimeoutError,
)

# The server has answered, so the connection can still be used.
_ANSWERS = (asyncpg.UniqueViolationError, *_TRY_AGAIN, *DATA_ERRORS)

# The other connections have the same problem as the one with the error: sessions that began while the database was
# read-only stay read-only, and a server that stops or becomes a standby does so for all of them. If an answer timed
# out, because an address has moved to another server or a firewall has dropped its state, each would cost another
# timeout.
_STALE = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidCachedStatementError,
    asyncio.CancelledError,
)


class PostgresDatabase:
    """Statements on a pool of connections.

    Attributes:
        round_trips: statements sent so far.
    """

    def __init__(self, settings: PostgresSettings, pool: asyncpg.Pool[Any] | None = None) -> None:
        """Remember the arguments; no I/O.

        Args:
            settings: for `open`.
            pool: the caller's own, used instead; `close` does not close it.
        """
        self.settings = settings
        self.round_trips = 0
        self._given_pool = pool
        self._pool: asyncpg.Pool[Any] | None = None
        self._closed = False
        self._unreserved = asyncio.Semaphore()
        self._outages = Outages(settings.url)
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
            size = pool.get_max_size()
            self._unreserved = asyncio.Semaphore(size - min(_RESERVED, size - 1))
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
        """Run one statement to its end, even if the caller is cancelled.

        Some connections are reserved for `fetch_here`, however many of these statements wait for a locked table.

        Raises:
            StoreUnavailableError: the server did not answer; it may have run the statement.
            asyncpg.UniqueViolationError: a key is taken; nothing was done.
        """
        task = self.spawn(self._fetch_in_turn(sql, arguments))
        await asyncio.wait({task})
        return task.result()

    async def fetch_here(self, sql: str, *arguments: object) -> list[Row]:
        """Run one statement for a batch: its caller is never cancelled, and there is one at a time.

        Raises:
            StoreUnavailableError: as for `fetch`.
            QuestionError: one of the arguments cannot be stored or compared; nothing was done.
            asyncpg.UniqueViolationError: as for `fetch`.
        """
        return await self._fetch_until(self._deadline(), sql, arguments)

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the database answers and can be written to."""
        await self.fetch_here(PING)

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start work that `close` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    async def alone(self, work: Callable[[asyncpg.pool.PoolConnectionProxy[Any]], Awaitable[None]]) -> None:
        """Run work on a connection of its own, also if the store is not open.

        Raises:
            StoreError: the server cannot be reached, or the work fails.
        """
        if self._given_pool is not None:
            await self._on_connection(self._given_pool, work)
            return
        pool = await self._connect(max_size=1)
        try:
            await self._on_connection(pool, work)
        finally:
            pool.terminate()

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.settings.timeout

    async def _fetch_in_turn(self, sql: str, arguments: Sequence[object]) -> list[Row]:
        deadline = self._deadline()
        try:
            async with asyncio.timeout_at(deadline):
                await self._unreserved.acquire()
        except TimeoutError as error:
            raise self._unavailable(error, deadline) from error
        try:
            return await self._fetch_until(deadline, sql, arguments)
        finally:
            self._unreserved.release()

    async def _fetch_until(self, deadline: float, sql: str, arguments: Sequence[object]) -> list[Row]:
        for tries_left in reversed(range(_TRIES)):
            self.round_trips += 1
            try:
                rows = await self._fetch(self._require_pool(), deadline, sql, arguments)
            except asyncpg.UniqueViolationError:
                raise
            except DATA_ERRORS as error:
                self._complain(error)
                raise QuestionError() from error
            except _TRY_AGAIN as error:
                if not tries_left:
                    raise self._unavailable(error, deadline, sql) from error
            except _FAILURES as error:
                raise self._unavailable(error, deadline, sql) from error
            else:
                if self._outages.ongoing:
                    self._outages.answered(self._began(deadline), writes=writes(sql))
                self._complaint = None
                return rows
        raise AssertionError("unreachable")

    async def _fetch(
        self, pool: asyncpg.Pool[Any], deadline: float, sql: str, arguments: Sequence[object]
    ) -> list[Row]:
        async with asyncio.timeout_at(deadline):
            connection = await pool.acquire()
            try:
                rows: list[Any] = await connection.fetch(sql, *arguments, record_class=_HiddenRecord)
                if sql is PING:
                    _require_writable(rows)
            except _ANSWERS:
                raise
            except BaseException as error:
                # The connection is broken, in the middle of an answer, or leads to a read-only server. A request to
                # cancel would be useless if the server does not answer.
                _terminate(connection)
                own = pool is not self._given_pool
                if isinstance(error, _STALE if own else asyncpg.ReadOnlySQLTransactionError):
                    await pool.expire_connections()  # each is replaced when it is acquired next
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

    def _began(self, deadline: float) -> float:
        """When a call began, by `time.monotonic`."""
        return monotonic() - self.settings.timeout + deadline - asyncio.get_running_loop().time()

    def _unavailable(self, error: BaseException, deadline: float, sql: str = "") -> StoreUnavailableError:
        self._outages.failed(line_of(error), self._began(deadline), writes=writes(sql))
        return StoreUnavailableError()

    def _complain(self, error: BaseException) -> None:
        """Log a refused value without showing it, once for many of them in a row. This is no outage."""
        complaint = line_of(error)
        if complaint != self._complaint:
            _log.warning("%s: %s", self.settings.url, complaint)
            self._complaint = complaint

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
                    reset=_skip_reset,
                    connection_class=PooledConnection,
                )
        except (ValueError, *_FAILURES) as error:
            raise opening_error(self.settings, error) from cause_without_secrets(error)

    async def _on_connection(
        self, pool: asyncpg.Pool[Any], work: Callable[[asyncpg.pool.PoolConnectionProxy[Any]], Awaitable[None]]
    ) -> None:
        try:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    connection = await pool.acquire()
            except ValueError as error:  # a pool without open connections reads the URL here
                raise opening_error(self.settings, error) from cause_without_secrets(error)
            try:
                await work(connection)
            except BaseException:
                _terminate(connection)
                raise
            finally:
                await pool.release(connection, timeout=self.settings.timeout)
        except _FAILURES as error:
            raise StoreError(f"{self.settings.url}: {line_of(error)}") from error

    async def _check(self, connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
        async with asyncio.timeout(self.settings.timeout):
            await check_tables(connection, self.settings.url)
            await check_statement_names(connection, self.settings.url)


def _terminate(connection: asyncpg.pool.PoolConnectionProxy[Any]) -> None:
    """Close a connection at once. If the server has closed it, asyncpg has removed it from the pool already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


class _HiddenRecord(asyncpg.Record):
    """A row whose values are hidden: asyncio's debug mode logs the results of slow tasks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


async def _skip_reset(connection: object) -> None:
    """Do nothing when a connection is returned to the pool: no statement changes the session."""


def _require_writable(rows: Sequence[Row]) -> None:
    if not rows or rows[0][0] != "off":
        raise asyncpg.ReadOnlySQLTransactionError("is read-only")
