"""One connection to an SQLite file: running statements, and what SQLite's errors mean."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, cast

import aiosqlite

__all__ = [
    "Rows",
    "breaks_connection",
    "connect",
    "fetch",
    "fetch_octets",
    "is_damaged",
    "is_no_text",
    "meaning",
    "primary_code",
    "roll_back",
]

Rows = list[tuple[Any, ...]]

# After these errors the connection can still be used; after any other error it is replaced.
_HARMLESS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_TOOBIG,
    }
)

_MEANINGS = {
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_PERM: "cannot be opened: permission denied",
    sqlite3.SQLITE_READONLY: "cannot be written to",
}


class _Hidden(tuple[Any, ...]):
    """Values that are hidden in logs: aiosqlite logs parameters, and asyncio's debug mode logs results."""

    __slots__ = ()

    @classmethod
    def row(cls, _: object, row: tuple[Any, ...]) -> _Hidden:
        """A row, for sqlite3's ``row_factory``."""
        return cls(row)

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


async def fetch(connection: aiosqlite.Connection, sql: str, parameters: Iterable[object] = ()) -> Rows:
    """Run one statement and return all of its rows, in one hop to the connection's thread."""
    return cast("Rows", await connection.execute_fetchall(sql, _Hidden(parameters)))


async def connect(uri: str, lock_timeout: float) -> aiosqlite.Connection:
    """A connection in autocommit mode.

    Args:
        uri: of the file.
        lock_timeout: seconds to wait for a lock.

    Raises:
        sqlite3.Error: the file cannot be opened.
    """
    connection = await _open(uri, lock_timeout)
    connection.row_factory = _Hidden.row  # type: ignore[assignment]  # declared as a class, and any callable will do
    try:
        # A nonce or a take that a power failure undoes could be used again; in WAL mode only FULL syncs every commit.
        # Batches share its cost.
        await fetch(connection, "PRAGMA synchronous = FULL")
        # On macOS an ordinary sync leaves what was written in the drive's own cache. Elsewhere this changes nothing.
        await fetch(connection, "PRAGMA fullfsync = ON")
    except BaseException:  # also when cancelled: its thread would run on
        await connection.close()
        raise
    return connection


# If aiosqlite cannot open a file or is cancelled meanwhile, it does not wait for its thread, which would report to
# an event loop that may be closed by then.
async def _open(uri: str, lock_timeout: float) -> aiosqlite.Connection:
    opening = asyncio.ensure_future(_opened(uri, lock_timeout))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with suppress(sqlite3.Error):
            await (await opening).close()
        raise


async def _opened(uri: str, lock_timeout: float) -> aiosqlite.Connection:
    connection = aiosqlite.connect(uri, uri=True, timeout=lock_timeout, isolation_level=None)
    try:
        return await connection
    except sqlite3.Error:
        thread: Any = getattr(connection, "_thread", connection)  # up to aiosqlite 0.21 it is a thread itself
        await asyncio.to_thread(thread.join)
        raise


async def fetch_octets(connection: aiosqlite.Connection, sql: str, parameters: Iterable[object]) -> Rows:
    """Rows as `fetch` reads them, but with bytes in the place of text that is not UTF-8."""
    connection.text_factory = _text_or_octets
    await fetch(connection, "PRAGMA query_only = 1")
    return await fetch(connection, sql, parameters)


async def roll_back(connection: aiosqlite.Connection) -> None:
    """End an open transaction, if there is one."""
    if connection.in_transaction:
        await connection.execute_fetchall("ROLLBACK")


def is_no_text(error: sqlite3.Error) -> bool:
    """Whether a row holds text that is not UTF-8; the message of the error shows that text."""
    return not hasattr(error, "sqlite_errorcode") and str(error).startswith("Could not decode to UTF-8")


def is_damaged(error: BaseException | None) -> bool:
    """Whether SQLite has found that the file is damaged, perhaps in one place only."""
    return isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_CORRUPT


def breaks_connection(error: sqlite3.Error) -> bool:
    """Whether the connection should not be used again after this error."""
    if not hasattr(error, "sqlite_errorcode"):  # Python's own, such as a row with text that is not UTF-8
        return False
    return primary_code(error) not in _HARMLESS


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code, without the extended part."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


def meaning(error: sqlite3.Error) -> str:
    """What an error says about the file, in one line."""
    if is_no_text(error):
        return "holds text that is not UTF-8"
    reason = _MEANINGS.get(primary_code(error))
    detail = " ".join(str(error).split())
    return f"{reason} ({detail})" if reason else detail


def _text_or_octets(octets: bytes) -> str | bytes:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets
