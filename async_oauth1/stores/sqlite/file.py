"""One SQLite file: its URL, who may read it, creating it and connecting to it."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sqlite3
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

import aiosqlite

from async_oauth1.errors import StoreError
from async_oauth1.stores.urls.redaction import redact_url, shown_name

from .connection import Rows, connect, fetch_octets, meaning
from .tables import UnsuitableFileError, check_tables, migrate_tables, tables_version

__all__ = ["SQLiteFile"]

_log = logging.getLogger(__name__)

#: Seconds to wait for a locked file, unless the URL says otherwise.
DEFAULT_TIMEOUT = 5.0
_MAX_TIMEOUT = 3600.0

# RETURNING and upsert on the same statement.
_OLDEST_SQLITE = (3, 35)


@dataclass(frozen=True, slots=True)
class SQLiteFile:
    """A database file, and how long to wait for a lock on it.

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
        """A `StoreError` that says what an error of SQLite means."""
        return self.error(meaning(error))

    def identity(self) -> tuple[int, int] | None:
        """Differs between this file and another one of the same name; ``None`` if there is no file."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def warn_of_readers(self) -> None:
        """Log a warning if other users of the machine may read the file or one of its companions."""
        readable: list[tuple[str, int]] = []
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
        """Rows over a connection of their own, with bytes in the place of text that is not UTF-8.

        Raises:
            StoreError: the file cannot be opened.
            sqlite3.Error: the statement failed.
        """
        connection = await self.connect()
        try:
            return await fetch_octets(connection, sql, parameters)
        finally:
            await connection.close()

    async def connect(self) -> aiosqlite.Connection:
        """A connection to an existing file, in autocommit mode.

        Raises:
            StoreError: there is no such file, or it cannot be opened.
        """
        self._check_is_file()
        try:
            return await connect(f"file:{quote(os.fsencode(self.path))}?mode=rw", self.timeout)
        except sqlite3.Error as error:
            raise self.translated(error) from error

    async def check(self, connection: aiosqlite.Connection, *, writes: bool) -> None:
        """Refuse a file that is not this release's; if it is to be written to, also one that is damaged or locked.

        Raises:
            StoreError: says which.
        """
        try:
            await check_tables(connection, self.timeout, writes=writes)
        except sqlite3.Error as error:
            raise self.translated(error) from error
        except UnsuitableFileError as error:
            raise self.error(str(error)) from None

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
            await migrate_tables(connection, self.timeout)
        except sqlite3.Error as error:
            raise self.translated(error) from error
        except UnsuitableFileError as error:
            raise self.error(str(error)) from None
        finally:
            await connection.close()

    async def schema_version(self) -> int:
        """The version of the file's tables; 0 if there are none.

        Raises:
            StoreError: the file is not an SQLite file, or belongs to another application.
        """
        if self.identity() is None:
            return 0
        connection = await self.connect()
        try:
            return await tables_version(connection)
        except sqlite3.Error as error:
            raise self.translated(error) from error
        except UnsuitableFileError as error:
            raise self.error(str(error)) from None
        finally:
            await connection.close()

    def _check_is_file(self) -> None:
        if not os.path.exists(self.path):
            raise self.error("there is no such file")
        if not os.path.isfile(self.path):
            raise self.error("is not a file")
        if not os.access(self.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            raise self.error("cannot be read: permission denied")

    def _create(self) -> None:
        try:
            # It holds secrets, so only its owner may read it. SQLite gives its companion files the same mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise self.error(f"cannot be created: {error.strerror}") from error


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
