"""Opening the SQLite store: each problem with the file is a clear message of one line."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError, open_store
from async_oauth1.stores.sqlite.schema import SCHEMA_VERSION

ThreadsLeft = Callable[[], list[threading.Thread]]


@pytest.fixture
def threads_left() -> ThreadsLeft:
    """The threads that this test has started and that do not end within a moment."""
    before = set(threading.enumerate())

    def left() -> list[threading.Thread]:
        started = [thread for thread in threading.enumerate() if thread not in before]
        for thread in started:
            thread.join(60)
        return [thread for thread in started if thread.is_alive()]

    return left


async def _made(path: Path, clients: int = 1) -> str:
    url = f"sqlite:///{path}?timeout=0.2"
    store = open_store(url)
    await store.migrate()
    async with store:
        for number in range(clients):
            await store.add_client(Client(client_id=f"client{number}", client_secret="s" * 100))
    return url


def _garbage(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)


def _damaged(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[4096:] = os.urandom(len(octets) - 4096)
    path.write_bytes(octets)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE song (title TEXT); PRAGMA user_version = 7")


def _read_only(path: Path) -> None:
    # The file format's own write protection, which holds for root as well: a write version that SQLite does not know.
    octets = bytearray(path.read_bytes())
    octets[18] = 3
    path.write_bytes(octets)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _device(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (os.unlink, "there is no such file"),
        (_garbage, "is not an SQLite database"),
        (_damaged, "is damaged"),
        (_truncated, "is damaged"),
        (_empty, "has no tables yet; migrate it first"),
        (_newer, f"has schema version 99, made by a newer release; this one knows up to {SCHEMA_VERSION}"),
        (_foreign, "belongs to another application"),
        (_read_only, "cannot be written to"),
        (_folder, "is not a file"),
        (_device, "is not a file"),
    ],
)
async def test_a_file_that_cannot_be_used(
    tmp_path: Path, threads_left: ThreadsLeft, spoil: Callable[[Path], None], reason: str
) -> None:
    """The error is one line with the URL and the reason; nothing is created, and no thread is left."""
    path = tmp_path / "store.db"
    url = await _made(path, clients=50)
    spoil(path)
    before = set(tmp_path.iterdir())
    store = open_store(url)
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert str(caught.value).startswith(f"{url}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert set(tmp_path.iterdir()) <= before | {tmp_path / "store.db-shm", tmp_path / "store.db-wal"}
    assert threads_left() == []


@pytest.mark.parametrize("spoil", [_garbage, _damaged, _newer, _foreign, _folder])
async def test_migrate_does_not_change_an_unsuitable_file(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """`migrate` does not change a file that is damaged, newer or another application's."""
    path = tmp_path / "store.db"
    url = await _made(path, clients=50)
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError):
        await _migrate_and_open(url)
    assert (path.read_bytes() if path.is_file() else None) == before


async def _migrate_and_open(url: str) -> None:
    store = open_store(url)
    await store.migrate()
    await store.open()


async def test_a_locked_file(tmp_path: Path) -> None:
    """A locked file is refused after the time-out, and works once it is free."""
    url = await _made(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another program"):
            await open_store(url).open()
        other.execute("ROLLBACK")
        async with open_store(url) as store:
            await store.ping()


async def test_migrating_a_locked_file(tmp_path: Path) -> None:
    """Migrating a locked file fails after the time-out, with one line."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="is locked by another program"):
            await open_store(f"sqlite:///{path}?timeout=0.2").migrate()


async def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """Folders are not created."""
    with pytest.raises(StoreError, match="cannot be created: No such file or directory"):
        await open_store(f"sqlite:///{tmp_path}/nowhere/store.db").migrate()


async def test_permissions() -> None:
    """A file without permission to read or write is refused with one line."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    try:
        folder.chmod(0o777)
        path = folder / "store.db"
        url = await _made(path)
        if user == 0:
            os.seteuid(65534)
        else:
            path.chmod(0)
        with pytest.raises(StoreError, match="permission denied"):
            await open_store(url).open()
        os.seteuid(user)
        path.chmod(0o444)
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(StoreError, match="cannot be written to"):
            await open_store(url).open()
    finally:
        os.seteuid(user)
        shutil.rmtree(folder)


async def test_migrate_creates_a_private_file(tmp_path: Path) -> None:
    """The file has mode 600, WAL mode and the schema's version; migrating again changes nothing."""
    path = tmp_path / "store.db"
    url = await _made(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    await open_store(url).migrate()
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


async def test_an_application_may_keep_its_tables_in_the_same_file(tmp_path: Path) -> None:
    """`migrate` adds its tables to a file with other tables and no schema version."""
    path = tmp_path / "app.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE client (name TEXT); INSERT INTO client VALUES ('theirs')")
    url = await _made(path)
    async with open_store(url) as store:
        assert [client.client_id for client in await store.list_clients()] == ["client0"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM client").fetchall() == [("theirs",)]


async def test_ten_migrations_at_once(tmp_path: Path) -> None:
    """Workers that migrate at the same time all succeed."""
    url = f"sqlite:///{tmp_path}/store.db"
    await asyncio.gather(*(open_store(url).migrate() for _ in range(10)))
    async with open_store(url) as store:
        await store.ping()


async def test_opened_and_closed_in_any_order(tmp_path: Path, threads_left: ThreadsLeft) -> None:
    """Opening and closing can be repeated; use before opening is a RuntimeError, use after closing is unavailable."""
    store = open_store(await _made(tmp_path / "store.db"))
    await store.close()
    for _ in range(2):
        await asyncio.gather(store.open(), store.open())
        await store.ping()
        await store.close()
        await store.close()
        with pytest.raises(StoreUnavailableError):
            await store.ping()
    with pytest.raises(RuntimeError, match="before it was opened"):
        await open_store(store.url).query_client("client0")
    assert threads_left() == []
