"""One SQLite file: where it is, connecting to it, what its errors mean, bringing its tables up to date."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import sqlite3
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, quote, unquote

import aiosqlite

from async_oauth1.errors import StoreError
from async_oauth1.stores.base import redact_url, shown_name

from .schema import MIGRATIONS, SCHEMA_VERSION

__all__ = ["PROBE", "Rows", "SQLiteFile", "breaks_connection", "fetch", "is_no_text", "roll_back"]

_log = logging.getLogger(__name__)

Rows = list[tuple[Any, ...]]

#: Seconds that a locked file is waited for, unless the URL says otherwise.
DEFAULT_TIMEOUT = 5.0
_MAX_TIMEOUT = 3600.0

# RETURNING and upsert on the same statement.
_OLDEST_SQLITE = (3, 35)

#: Writes nothing, but takes the lock that a write takes: enough for a file that is being opened; `ping` does write.
#: BEGIN IMMEDIATE would not do: of a file that cannot be written to SQLite lets it pass.
PROBE = "DELETE FROM oauth1_nonce WHERE false"

# A file up to this size is read whole when it is opened, which takes a fraction of a second; damage in a larger one
# shows when it is met.
_CHECKED_BYTES = 32 * 1024 * 1024

# After these the connection is as good as before; after any other error it is opened anew.
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
    """Values that are not shown: aiosqlite logs parameters, and asyncio's debug mode results."""

    __slots__ = ()

    @classmethod
    def row(cls, _: object, row: tuple[Any, ...]) -> _Hidden:
        """For sqlite3's ``row_factory``."""
        return cls(row)

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


async def fetch(connection: aiosqlite.Connection, sql: str, parameters: Iterable[object] = ()) -> Rows:
    """Run one statement to its end and return its rows: one hop to the connection's thread."""
    return cast("Rows", await connection.execute_fetchall(sql, _Hidden(parameters)))


async def roll_back(connection: aiosqlite.Connection) -> None:
    """End an open transaction, if there is one."""
    if connection.in_transaction:
        await connection.execute_fetchall("ROLLBACK")


def is_no_text(error: sqlite3.Error) -> bool:
    """Whether a row holds text that is not UTF-8; the message of the error shows that text."""
    return not hasattr(error, "sqlite_errorcode") and str(error).startswith("Could not decode to UTF-8")


def breaks_connection(error: sqlite3.Error) -> bool:
    """Whether the connection should not be used again after this error."""
    if not hasattr(error, "sqlite_errorcode"):  # Python's own, such as a row with text that is not UTF-8
        return False
    return _primary_code(error) not in _HARMLESS


def _primary_code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF


@dataclass(frozen=True, slots=True)
class SQLiteFile:
    """A database file and how long it is waited for.

    Attributes:
        url: printable.
        path: absolute, so that a change of the working folder does not matter.
        timeout: seconds.
    """

    url: str
    path: str
    timeout: float = DEFAULT_TIMEOUT

    @classmethod
    def from_url(cls, url: str) -> SQLiteFile:
        """Read ``sqlite:///relative.db`` and ``sqlite:////absolute.db``, with ``?timeout=SECONDS``.

        Raises:
            StoreError: the URL is not understood.
        """
        shown = redact_url(url)
        location, _, query = url.partition("://")[2].partition("?")
        if not location.startswith("/"):
            raise StoreError(f"{shown}: an SQLite URL is sqlite:///relative.db or sqlite:////absolute/path.db")
        name = unquote(location[1:], errors="surrogateescape")
        if name == ":memory:":
            raise StoreError(f"{shown}: for a store in memory use memory://")
        if not name or name.endswith("/") or "\0" in name:
            raise StoreError(f"{shown}: names no file")
        return cls(shown, os.path.abspath(name), _timeout_of(query, shown))

    def error(self, reason: str) -> StoreError:
        """A `StoreError` that names the file."""
        return StoreError(f"{self.url}: {reason}")

    def translated(self, error: sqlite3.Error) -> StoreError:
        """What an error of SQLite's means, in one line."""
        if is_no_text(error):
            return self.error("holds text that is not UTF-8")
        reason = _MEANINGS.get(_primary_code(error))
        detail = " ".join(str(error).split())
        return self.error(f"{reason} ({detail})" if reason else detail)

    def identity(self) -> tuple[int, int] | None:
        """What tells this file from another of the same name; ``None`` where it is gone."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def warn_of_readers(self) -> None:
        """Warn, in one line, if other users of the machine may read the file or one of its companions."""
        readable = []
        for path in (self.path, f"{self.path}-wal", f"{self.path}-shm"):
            with contextlib.suppress(OSError):
                mode = stat.S_IMODE(os.stat(path).st_mode)
                if mode & (stat.S_IRGRP | stat.S_IROTH):
                    readable.append((os.path.basename(path), mode))
        if os.name == "posix" and readable:  # elsewhere the mode says nothing about other users
            found = ", ".join(f"{name} has mode {mode:o}" for name, mode in readable)
            names = " ".join(name for name, _ in readable)
            _log.warning("%s: other users may read the secrets in it: %s; run chmod 600 %s", self.url, found, names)

    async def fetch_octets(self, sql: str, parameters: Iterable[object]) -> Rows:
        """Rows as `fetch` reads them, but with bytes in the place of text that is not UTF-8.

        Raises:
            StoreError: the file cannot be opened.
            sqlite3.Error: the statement failed.
        """
        connection = await self.connect()
        try:
            connection.text_factory = _text_or_octets
            await fetch(connection, "PRAGMA query_only = 1")
            return await fetch(connection, sql, parameters)
        finally:
            await connection.close()

    async def connect(self) -> aiosqlite.Connection:
        """A connection to an existing file, in autocommit mode.

        Raises:
            StoreError: there is no such file, or it cannot be opened.
        """
        self._check_is_file()
        uri = f"file:{quote(os.fsencode(self.path))}?mode=rw"
        try:
            connection = await aiosqlite.connect(uri, uri=True, timeout=self.timeout, isolation_level=None)
        except sqlite3.Error as error:
            raise self.translated(error) from error
        connection.row_factory = _Hidden.row  # type: ignore[assignment]  # declared as a class, and any callable will do
        try:
            # A nonce or a take that a power failure undoes could be used again; in WAL mode only FULL syncs every
            # commit. Batches share its cost.
            await fetch(connection, "PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            await connection.close()
            raise self.translated(error) from error
        except BaseException:  # also when cancelled: its thread would run on
            await connection.close()
            raise
        return connection

    async def check(self, connection: aiosqlite.Connection, *, writes: bool) -> None:
        """Refuse a file that is not this release's; for one that is written to, also if it is damaged or locked.

        Raises:
            StoreError: says which.
        """
        try:
            version = await _version(connection)
            if version != SCHEMA_VERSION:
                raise self._wrong_version(version, is_ours=await _has_tables(connection))
            if writes:
                await self._check_writable(connection)
            else:
                await fetch(connection, "PRAGMA query_only = 1")
        except sqlite3.Error as error:
            raise self.translated(error) from error

    async def _check_writable(self, connection: aiosqlite.Connection) -> None:
        if (await fetch(connection, "PRAGMA journal_mode"))[0][0] != "wal":
            await self._use_wal(connection)
        pages, page_size = await fetch(connection, "PRAGMA page_count"), await fetch(connection, "PRAGMA page_size")
        if pages[0][0] * page_size[0][0] <= _CHECKED_BYTES:
            result = (await fetch(connection, "PRAGMA quick_check(1)"))[0][0]
            if result != "ok":
                raise self.error(f"is damaged ({' '.join(str(result).split())})")
        await fetch(connection, PROBE)

    async def migrate(self) -> None:
        """Create the file and its tables, or bring them up to date.

        Raises:
            StoreError: the file cannot be created or used, or was made by a newer release.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise self.error(f"needs SQLite 3.35 or newer; this Python has {sqlite3.sqlite_version}")
        self._create()
        connection = await self.connect()
        try:
            if await self._needs_migration(connection):
                await self._use_wal(connection)
                await self._apply_migrations(connection)
        except sqlite3.Error as error:
            raise self.translated(error) from error
        finally:
            await connection.close()

    async def _needs_migration(self, connection: aiosqlite.Connection) -> bool:
        version, is_ours = await _version(connection), await _has_tables(connection)
        if version > SCHEMA_VERSION or (version > 0 and not is_ours):
            raise self._wrong_version(version, is_ours=is_ours)
        return version < SCHEMA_VERSION

    async def _apply_migrations(self, connection: aiosqlite.Connection) -> None:
        await fetch(connection, "BEGIN IMMEDIATE")
        try:
            if await self._needs_migration(connection):  # still: another process may have been faster
                version = await _version(connection)
                for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
                    await fetch(connection, statement)
                await fetch(connection, f"PRAGMA user_version = {SCHEMA_VERSION:d}")
            await fetch(connection, "COMMIT")
        finally:
            await roll_back(connection)

    async def _use_wal(self, connection: aiosqlite.Connection) -> None:
        # The change of mode is the one lock that SQLite does not wait for.
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                mode = (await fetch(connection, "PRAGMA journal_mode = WAL"))[0][0]
            except sqlite3.OperationalError as error:
                if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            else:
                if mode != "wal":
                    raise self.error("is on a file system that does not let processes share an SQLite file")
                return
            await asyncio.sleep(0.02)

    def _check_is_file(self) -> None:
        if not os.path.exists(self.path):
            raise self.error("there is no such file")
        if not os.path.isfile(self.path):
            raise self.error("is not a file")
        if not os.access(self.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            raise self.error("cannot be read: permission denied")

    def _create(self) -> None:
        try:
            # Holds secrets: for its owner's eyes only. SQLite gives its companion files the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise self.error(f"cannot be created: {error.strerror}") from error

    def _wrong_version(self, version: int, *, is_ours: bool) -> StoreError:
        if version == 0:
            return self.error("has no tables yet; migrate it first")
        if not is_ours:
            return self.error("belongs to another application")
        if version > SCHEMA_VERSION:
            return self.error(
                f"has schema version {version}, made by a newer release; this one knows up to {SCHEMA_VERSION}"
            )
        return self.error(f"has schema version {version}, this release needs {SCHEMA_VERSION}; migrate it first")


def _text_or_octets(octets: bytes) -> str | bytes:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets


async def _version(connection: aiosqlite.Connection) -> int:
    return int((await fetch(connection, "PRAGMA user_version"))[0][0])


async def _has_tables(connection: aiosqlite.Connection) -> bool:
    return bool(await fetch(connection, "SELECT 1 FROM sqlite_master WHERE name = 'oauth1_client'"))


def _timeout_of(query: str, shown: str) -> float:
    timeout = DEFAULT_TIMEOUT
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "timeout":
            raise StoreError(f'{shown}: there is no option "{shown_name(name, shown)}"; known is timeout=SECONDS')
        try:
            timeout = float(value)
        except ValueError:
            timeout = math.nan
        if not 0 < timeout <= _MAX_TIMEOUT:
            raise StoreError(f"{shown}: timeout is a number of seconds above 0 and up to 3600")
    return timeout
