"""Connections are made so that a commit survives a power failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from async_oauth1.stores.sqlite.connection import connect

FULL = 2


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", FULL), ("fullfsync", 1)])
async def test_each_commit_is_synced(tmp_path: Path, pragma: str, value: int) -> None:
    """The operating system syncs each commit; macOS also empties the drive's cache."""
    connection = await connect(f"file:{tmp_path}/store.db?mode=rwc", 1.0)
    try:
        async with connection.execute(f"PRAGMA {pragma}") as cursor:
            assert [row[0] for row in await cursor.fetchall()] == [value]
    finally:
        await connection.close()
