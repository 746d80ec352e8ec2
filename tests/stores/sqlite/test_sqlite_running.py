"""The SQLite store in use: problems raise StoreUnavailableError, and end with their cause."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from async_oauth1.credentials import Client, TemporaryCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import open_store
from async_oauth1.stores.sqlite import SQLiteStore

CLIENT = Client(client_id="client", client_secret="secret")
PENDING = TemporaryCredential(oauth_token="p", oauth_token_secret="s", client_id="client", oauth_callback="oob")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "store.db"


@pytest_asyncio.fixture
async def store(path: Path, clock) -> AsyncIterator[SQLiteStore]:
    """A store that waits for locks."""
    store = SQLiteStore(f"sqlite:///{path}?timeout=60", clock=clock)
    await store.migrate()
    async with store:
        await store.add_client(CLIENT)
        yield store


async def _nonce(store: SQLiteStore, name: str) -> bool:
    return await store.exists_nonce(name, str(int(store.clock())), "client", None)


@pytest_asyncio.fixture
async def impatient_store(store: SQLiteStore, path: Path) -> AsyncIterator[SQLiteStore]:
    """A store with a short time-out for locks."""
    async with SQLiteStore(f"sqlite:///{path}?timeout=1", clock=store.clock) as impatient:
        yield impatient


async def test_locked_by_another_program(impatient_store: SQLiteStore, path: Path) -> None:
    """While the file is locked, writes fail after the time-out and reads work; afterwards writes work again."""
    store = impatient_store
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writes = [asyncio.create_task(_nonce(store, f"n{number}")) for number in range(20)]
        await asyncio.sleep(0.01)
        assert await store.query_client("client") == CLIENT
        assert not any(write.done() for write in writes)
        results = await asyncio.gather(*writes, store.ping(), return_exceptions=True)
        assert {type(result) for result in results} == {StoreUnavailableError}
        assert len({id(result) for result in results}) == len(results)
        with pytest.raises(StoreUnavailableError):
            await store.delete_temporary_credential("x")
        other.execute("ROLLBACK")
    assert await _nonce(store, "n0") is False
    await store.ping()


async def test_locked_for_a_moment(store: SQLiteStore, path: Path) -> None:
    """A write waits for a lock that is released before the time-out."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(_nonce(store, "n"))
        await asyncio.sleep(0.05)
        other.execute("ROLLBACK")
        assert await write is False


async def test_deleted_and_made_again(store: SQLiteStore, path: Path) -> None:
    """A deleted file is not used any more; a new file in its place is used at once."""
    for name in (path, *path.parent.glob("store.db-*")):
        name.unlink()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            await store.query_client("client")
        with pytest.raises(StoreUnavailableError):
            await _nonce(store, "n")
        with pytest.raises(StoreUnavailableError):
            await store.revoke_token_credential("t")
        with pytest.raises(StoreUnavailableError):
            await store.ping()
    assert not path.exists()
    await open_store(f"sqlite:///{path}").migrate()
    await store.ping()
    assert await store.query_client("client") is None
    assert await _nonce(store, "n") is False


async def test_replaced_by_a_backup(store: SQLiteStore, path: Path) -> None:
    """After the file is replaced, reads and writes use the new one."""
    backup = SQLiteStore(f"sqlite:///{path.parent}/backup.db")
    await backup.migrate()
    async with backup:
        await backup.add_client(Client(client_id="restored"))
    os.replace(path.parent / "backup.db", path)
    for name in path.parent.glob("store.db-*"):
        name.unlink()
    assert await store.query_client("client") is None
    assert await store.query_client("restored") is not None
    assert await store.remove_client("restored") is True


async def test_damaged_while_running(path: Path) -> None:
    """A damaged file is unavailable: no wrong answers, and no exceptions of SQLite."""
    store = SQLiteStore(f"sqlite:///{path}")
    await store.migrate()
    async with store:
        for number in range(100):
            await store.add_client(Client(client_id=f"client{number}", client_secret="s" * 500))
    async with store:
        octets = bytearray(path.read_bytes())
        octets[4096:] = b"\xa5" * (len(octets) - 4096)
        path.write_bytes(octets)
        with pytest.raises(StoreUnavailableError):
            await store.query_client("client50")
        with pytest.raises(StoreUnavailableError):
            await store.add_client(CLIENT)
        with pytest.raises(StoreUnavailableError):
            await store.exchange(PENDING, {"oauth_token": "t", "oauth_token_secret": "s"})
        with pytest.raises(StoreUnavailableError):
            await store.list_clients()
        with pytest.raises(StoreUnavailableError):
            await store.ping()


async def test_disk_full(store: SQLiteStore) -> None:
    """While the disk is full nothing is accepted; once there is room, it is."""
    writer = store._database._writer
    assert writer is not None
    assert writer.connection is not None
    await writer.connection.execute_fetchall("PRAGMA max_page_count = 1")  # SQLite raises it to the present size
    clients = [Client(client_id=f"c{number}", client_secret="s" * 1000) for number in range(200)]
    added = await asyncio.gather(*(store.add_client(client) for client in clients), return_exceptions=True)
    assert {type(result) for result in added} <= {type(None), StoreUnavailableError}
    assert isinstance(added[-1], StoreUnavailableError)
    assert len(await store.list_clients()) == 1 + added.count(None)
    assert await store.query_client("client") == CLIENT
    await writer.connection.execute_fetchall("PRAGMA max_page_count = 100000")
    await store.add_client(Client(client_id="last", client_secret="s" * 1000))


async def test_an_invalid_client_row(store: SQLiteStore, path: Path) -> None:
    """A row that another program made invalid is unavailable."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE oauth1_client SET callbacks = 'http://a.example/'")
    with pytest.raises(StoreUnavailableError):
        await store.query_client("client")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE oauth1_client SET callbacks = '[\"javascript:x\"]'")
    with pytest.raises(StoreUnavailableError):
        await store.query_credentials("client", "token")


async def test_cancellation_leaves_no_transaction_open(store: SQLiteStore, path: Path) -> None:
    """Callers that are cancelled at any point of a transaction do not block the next writer in any process."""
    for turns in range(40):
        task = asyncio.create_task(store.remove_client("unknown"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await _nonce(store, f"n{turns}") is False
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


async def test_closing_finishes_what_is_under_way(store: SQLiteStore, path: Path) -> None:
    """Closing waits for the requests under way, and their answers are stored."""
    tasks = [asyncio.create_task(_nonce(store, f"n{number}")) for number in range(100)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*tasks) == [False] * 100
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM oauth1_nonce").fetchone() == (100,)


async def test_an_event_loop_that_ends_leaves_the_file_usable(path: Path) -> None:
    """If the event loop ends in the middle of a write, the file is not locked afterwards."""

    def interrupted() -> None:
        async def program() -> None:
            async with SQLiteStore(f"sqlite:///{path}") as store:
                tasks = [asyncio.create_task(store.remove_client("x")) for _ in range(5)]
                await asyncio.sleep(0.001)
                assert tasks
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(program())

    await SQLiteStore(f"sqlite:///{path}").migrate()
    await asyncio.to_thread(interrupted)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


async def test_expired_rows_are_removed_in_portions(store: SQLiteStore, path: Path, clock) -> None:
    """Under traffic the file only holds live rows, and no single request removes all expired ones."""
    for _ in range(4):
        await asyncio.gather(*(_nonce(store, f"{clock.now}-{number}") for number in range(500)))
        clock.advance(661)
    await store.create_temporary_credential({"oauth_token": "t", "oauth_token_secret": "s"}, "client", "oob")
    clock.advance(661)
    for number in range(4):
        await asyncio.gather(*(_nonce(store, f"last{number}-{other}") for other in range(300)))
    await store.close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM oauth1_nonce WHERE expires_at <= ?", (clock.now,)).fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM oauth1_temporary_credential").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM oauth1_nonce").fetchone() == (1200,)


async def test_concurrent_nonces_share_transactions(store: SQLiteStore) -> None:
    """A thousand concurrent requests share a few transactions."""
    writer = store._database._writer
    assert writer is not None
    assert writer.connection is not None
    statements: list[str] = []
    await writer.connection.set_trace_callback(statements.append)
    await asyncio.gather(*(_nonce(store, f"n{number}") for number in range(1000)))
    assert sum(statement.startswith("INSERT") for statement in statements) <= 4
