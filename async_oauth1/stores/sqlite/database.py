"""Two connections to one SQLite file: one reads, and one writes.

Reads never queue behind writes: in WAL mode they see the last commit. Every write runs in a task of its own under one
lock, so a caller that is cancelled neither interrupts it nor leaves a transaction open.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from time import monotonic
from typing import TypeVar

import aiosqlite

from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.stores.health.outages import Outages

from .connection import Rows, breaks_connection, fetch, is_no_text, meaning, roll_back
from .file import SQLiteFile

__all__ = ["Execute", "SQLiteDatabase"]

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Runs one statement inside a transaction.
Execute = Callable[[str, Iterable[object]], Awaitable[Rows]]

# What `ping` writes, in one transaction. No nonce is an empty text; those are JSON arrays.
_ADD_PROBE = "INSERT INTO oauth1_nonce (nonce, expires_at) VALUES ('', 0)"
_REMOVE_PROBE = "DELETE FROM oauth1_nonce WHERE nonce = ''"


class _Link:
    """One connection, and the file it was made to."""

    __slots__ = ("connection", "identity", "lock", "writes")

    def __init__(self, *, writes: bool) -> None:
        self.writes = writes
        self.connection: aiosqlite.Connection | None = None
        self.identity: tuple[int, int] | None = None
        self.lock = asyncio.Lock()


class SQLiteDatabase:
    """Reads, writes and transactions on one file. A broken connection is replaced when it is used next."""

    def __init__(self, file: SQLiteFile) -> None:
        """Remember the file; no I/O."""
        self.file = file
        self._reader: _Link | None = None
        self._writer: _Link | None = None
        self._closed = False
        self._outages = Outages(file.url)
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()

    async def open(self) -> None:
        """Connect twice.

        Raises:
            StoreError: the file is missing, damaged, locked, or not of this release.
        """
        async with self._opening:
            if self._reader is not None:
                return
            reader, writer = _Link(writes=False), _Link(writes=True)
            try:
                await self._connect(writer)
                await self._connect(reader)
            except BaseException:
                await self._disconnect(writer)
                raise
            self._reader, self._writer, self._closed = reader, writer, False

    async def close(self) -> None:
        """Finish what is under way, then disconnect."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        for link in (self._reader, self._writer):
            if link is not None:
                await self._disconnect(link)
        self._reader = self._writer = None

    async def read(self, sql: str, parameters: Iterable[object]) -> Rows:
        """The rows of one SELECT; text that is not UTF-8 is returned as bytes.

        Raises:
            StoreUnavailableError: the file cannot be read.
        """
        link, began = self._require(self._reader), monotonic()
        connection = link.connection
        if connection is None or link.identity != self.file.identity():
            connection = await self.detached(self._reconnect(link))
        try:
            rows = await fetch(connection, sql, parameters)
        except sqlite3.Error as error:
            if is_no_text(error):
                return await self.detached(self._read_octets(sql, parameters))
            if breaks_connection(error) and link.connection is connection:
                await self.detached(self._distrust(link))
            raise self._unavailable(error, began, writes=False) from error
        except ValueError as error:  # aiosqlite's, if another reader has just closed the broken connection
            raise self._unavailable(error, began, writes=False) from error
        if self._outages.ongoing:
            self._outages.answered(began, writes=False)
        return rows

    async def write(self, sql: str, parameters: Iterable[object]) -> Rows:
        """Run one statement as its own transaction, and return its rows; those of a SELECT as in `read`.

        Raises:
            StoreUnavailableError: nothing was written.
            sqlite3.IntegrityError: a key is taken.
        """
        return await self.detached(self._write(self._require(self._writer), lambda execute: execute(sql, parameters)))

    async def transaction(self, work: Callable[[Execute], Awaitable[T]]) -> T:
        """Run several statements as one transaction.

        Raises:
            StoreUnavailableError: nothing was written.
            sqlite3.IntegrityError: a key is taken.
        """

        async def in_transaction(execute: Execute) -> T:
            await execute("BEGIN IMMEDIATE", ())
            result = await work(execute)
            await execute("COMMIT", ())
            return result

        return await self.detached(self._write(self._require(self._writer), in_transaction))

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the file can be read and written."""
        await self.read("SELECT 1 FROM oauth1_client LIMIT 1", ())
        await self.transaction(_write_nothing)

    async def detached(self, work: Coroutine[object, object, T]) -> T:
        """Run work to its end, even if the caller is cancelled."""
        task = self.spawn(work)
        await asyncio.wait({task})
        return task.result()

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start work that `close` waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it when the caller has gone

    async def _write(self, link: _Link, work: Callable[[Execute], Awaitable[T]]) -> T:
        began = monotonic()
        result = await self._write_in_turn(link, work)
        if self._outages.ongoing:
            self._outages.answered(began)
        return result

    async def _write_in_turn(self, link: _Link, work: Callable[[Execute], Awaitable[T]]) -> T:
        async with link.lock:
            connection = link.connection
            if connection is None or link.identity != self.file.identity():
                connection = await self._connect_again(link)

            async def execute(sql: str, parameters: Iterable[object]) -> Rows:
                try:
                    return await fetch(connection, sql, parameters)
                except sqlite3.Error as error:
                    if is_no_text(error) and sql.startswith("SELECT"):
                        return await self._read_octets(sql, parameters)
                    raise

            try:
                return await work(execute)
            except sqlite3.IntegrityError:
                raise
            except asyncio.CancelledError:  # the event loop ends; the thread may not have started the statement
                await self._disconnect(link)
                raise
            except sqlite3.Error as error:
                if breaks_connection(error):
                    await self._disconnect(link)
                raise self._unavailable(error) from error
            finally:
                await self._settle(link)

    async def _settle(self, link: _Link) -> None:
        """Roll back an open transaction; close the connection if that fails."""
        try:
            if link.connection is not None:
                await roll_back(link.connection)
        except (sqlite3.Error, ValueError):
            await self._disconnect(link)

    async def _read_octets(self, sql: str, parameters: Iterable[object]) -> Rows:
        try:
            return await self.file.fetch_octets(sql, parameters)
        except (sqlite3.Error, StoreError) as error:
            raise self._unavailable(error) from error

    async def _distrust(self, reader: _Link) -> None:
        """Replace both connections: a page that the reader found damaged may still be intact in the writer's cache."""
        await self._disconnect(reader)
        writer = self._writer
        if writer is not None:
            async with writer.lock:
                await self._disconnect(writer)

    async def _reconnect(self, link: _Link) -> aiosqlite.Connection:
        async with link.lock:
            if link.connection is not None and link.identity == self.file.identity():
                return link.connection
            return await self._connect_again(link)

    async def _connect_again(self, link: _Link) -> aiosqlite.Connection:
        await self._disconnect(link)
        try:
            return await self._connect(link)
        except StoreError as error:
            raise self._unavailable(error, writes=link.writes) from error

    async def _connect(self, link: _Link) -> aiosqlite.Connection:
        identity = self.file.identity()
        connection = await self.file.connect()
        try:
            await self.file.check(connection, writes=link.writes)
        except BaseException:
            await connection.close()
            raise
        link.connection, link.identity = connection, identity
        return connection

    async def _disconnect(self, link: _Link) -> None:
        connection, link.connection = link.connection, None
        if connection is not None:
            try:
                await connection.close()
            except (sqlite3.Error, ValueError) as error:
                _log.warning("%s: while disconnecting: %s", self.file.url, error)

    def _require(self, link: _Link | None) -> _Link:
        if link is not None and not self._closed:
            return link
        if self._closed:
            raise StoreUnavailableError()
        raise RuntimeError(f"{self.file.url}: the store is used before it was opened; await store.open() first")

    def _unavailable(
        self, error: Exception, began: float | None = None, *, writes: bool = True
    ) -> StoreUnavailableError:
        reason = meaning(error) if isinstance(error, sqlite3.Error) else str(error)
        self._outages.failed(reason.removeprefix(f"{self.file.url}: "), began, writes=writes)
        return StoreUnavailableError()


async def _write_nothing(execute: Execute) -> None:
    """Add a row and remove it: the transaction is committed, so the changed pages must reach the disk."""
    await execute(_ADD_PROBE, ())
    await execute(_REMOVE_PROBE, ())
