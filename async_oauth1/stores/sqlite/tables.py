"""Whether an SQLite file has the tables of this release, and bringing them up to date."""

from __future__ import annotations

import asyncio
import sqlite3
import time

import aiosqlite

from .connection import fetch, primary_code, roll_back
from .schema import MIGRATIONS, SCHEMA_VERSION

__all__ = ["UnsuitableFileError", "check_tables", "migrate_tables", "tables_version"]

# A file up to this size is read completely when it is opened, which takes a fraction of a second. Damage in a larger
# one is found when a statement reads it.
_CHECKED_BYTES = 32 * 1024 * 1024

# Writes nothing, but takes the lock that a write takes: enough for a file that is being opened; `ping` does write.
# BEGIN IMMEDIATE would not do: SQLite lets it pass on a file that cannot be written to.
_PROBE = "DELETE FROM oauth1_nonce WHERE false"


class UnsuitableFileError(Exception):
    """The file cannot be used; the message says why, without the file's name."""


async def check_tables(connection: aiosqlite.Connection, lock_timeout: float, *, writes: bool) -> None:
    """Refuse a file that is not this release's; if it is to be written to, also one that is damaged.

    Args:
        connection: to the file; made read-only unless it is to write.
        lock_timeout: seconds to wait for a lock.
        writes: whether the file is to be written to.

    Raises:
        UnsuitableFileError: the reason, and what to do.
        sqlite3.Error: the file is locked, or cannot be read or written.
    """
    version, is_ours = await _version(connection), await _has_tables(connection)
    if version != SCHEMA_VERSION or not is_ours:
        raise _wrong_version(version, is_ours=is_ours)
    if not writes:
        await fetch(connection, "PRAGMA query_only = 1")
        return
    if (await fetch(connection, "PRAGMA journal_mode"))[0][0] != "wal":
        await _use_wal(connection, lock_timeout)
    await _check_pages(connection)
    await fetch(connection, _PROBE)


async def tables_version(connection: aiosqlite.Connection) -> int:
    """The version of the tables; 0 if there are none.

    Raises:
        UnsuitableFileError: the file belongs to another application.
        sqlite3.Error: the file cannot be read.
    """
    version, is_ours = await _version(connection), await _has_tables(connection)
    if version > 0 and not is_ours:
        raise _wrong_version(version, is_ours=is_ours)
    return version


async def migrate_tables(connection: aiosqlite.Connection, lock_timeout: float) -> None:
    """Create the tables, or bring them up to date.

    Args:
        connection: to the file.
        lock_timeout: seconds to wait for a lock.

    Raises:
        UnsuitableFileError: the file was made by a newer release or by another application.
        sqlite3.Error: the file is locked, or cannot be read or written.
    """
    if not await _needs_migration(connection):
        return
    await _use_wal(connection, lock_timeout)
    await fetch(connection, "BEGIN IMMEDIATE")
    try:
        if await _needs_migration(connection):  # still: another process may have been faster
            version = await _version(connection)
            for statement in (statement for migration in MIGRATIONS[version:] for statement in migration):
                await fetch(connection, statement)
            await fetch(connection, f"PRAGMA user_version = {SCHEMA_VERSION:d}")
        await fetch(connection, "COMMIT")
    finally:
        await roll_back(connection)


async def _needs_migration(connection: aiosqlite.Connection) -> bool:
    version, is_ours = await _version(connection), await _has_tables(connection)
    if version > SCHEMA_VERSION or (version > 0 and not is_ours):
        raise _wrong_version(version, is_ours=is_ours)
    return version < SCHEMA_VERSION


async def _check_pages(connection: aiosqlite.Connection) -> None:
    pages, page_size = await fetch(connection, "PRAGMA page_count"), await fetch(connection, "PRAGMA page_size")
    if pages[0][0] * page_size[0][0] > _CHECKED_BYTES:
        return
    result = (await fetch(connection, "PRAGMA quick_check(1)"))[0][0]
    if result != "ok":
        raise UnsuitableFileError(f"is damaged ({' '.join(str(result).split())})")


async def _use_wal(connection: aiosqlite.Connection, lock_timeout: float) -> None:
    # SQLite waits for every lock except the one that changes the mode.
    deadline = time.monotonic() + lock_timeout
    while True:
        try:
            mode = (await fetch(connection, "PRAGMA journal_mode = WAL"))[0][0]
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        else:
            if mode != "wal":
                raise UnsuitableFileError("is on a file system that does not let processes share an SQLite file")
            return
        await asyncio.sleep(0.02)


async def _version(connection: aiosqlite.Connection) -> int:
    return int((await fetch(connection, "PRAGMA user_version"))[0][0])


async def _has_tables(connection: aiosqlite.Connection) -> bool:
    return bool(await fetch(connection, "SELECT 1 FROM sqlite_master WHERE name = 'oauth1_client'"))


def _wrong_version(version: int, *, is_ours: bool) -> UnsuitableFileError:
    if version == 0:
        return UnsuitableFileError("has no tables yet; migrate it first")
    if not is_ours:
        return UnsuitableFileError("belongs to another application")
    if version > SCHEMA_VERSION:
        return UnsuitableFileError(
            f"has schema version {version}, made by a newer release; this one knows up to {SCHEMA_VERSION}"
        )
    return UnsuitableFileError(f"has schema version {version}, this release needs {SCHEMA_VERSION}; migrate it first")
