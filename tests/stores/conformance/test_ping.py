"""`ping` succeeds only if the store can be written to."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis.crc import key_slot

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import TransientStore, open_store
from async_oauth1.stores.redis import RedisStore
from async_oauth1.stores.sqlite import SQLiteStore
from tests.servers import Valkey, ValkeyCluster, patient, redis_binary, wait_until

pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]


def _binaries() -> list[str | None]:
    found = redis_binary()
    return [None] if found is None else [None, found]


@pytest.fixture(params=_binaries(), ids=lambda binary: "redis" if binary else "valkey")
def server(request: pytest.FixtureRequest) -> Iterator[Valkey]:
    """A server for this test only."""
    server = Valkey(binary=request.param)
    yield server
    server.close()


async def _ping_fails(store: TransientStore, caplog: pytest.LogCaptureFixture, *reasons: str) -> None:
    """Check that ping is refused, and that the log has the reason."""
    caplog.clear()
    with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailableError):
        await store.ping()
    for reason in reasons:
        assert reason in caplog.text
    assert "hunter2" not in caplog.text


async def _is_ill(store: TransientStore, caplog: pytest.LogCaptureFixture, *reasons: str) -> None:
    """Check that ping and a nonce are both refused."""
    await _ping_fails(store, caplog, *reasons)
    with pytest.raises(StoreUnavailableError):
        await store.exists_nonce("n", "4000000000", "c", None)


async def _is_well(store: TransientStore) -> None:
    await store.ping()
    await store.ping()
    await store.exists_nonce("n", "4000000000", "c", None)


def _fill(client: Any) -> None:
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1mb")


async def test_memory_is_full(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """Ping fails if Redis has reached maxmemory and evicts nothing, until it has room again."""
    async with open_store(patient(server.url)) as store:
        await _is_well(store)
        with server.client() as client:
            client.set("other", b"x" * 2_000_000)
            _fill(client)
            await _is_ill(store, caplog, f"127.0.0.1:{server.port}", "used memory")
            client.config_set("maxmemory", "0")
        await _is_well(store)


async def test_a_user_that_may_not_write(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """Ping fails for a user without the rights to SET, to scripts or to the keys, even with the right to INFO."""
    with server.client() as client:
        for rights, missing in (("-set", "run"), ("-evalsha -eval", "eval"), ("resetkeys ~other:*", "key")):
            client.execute_command("ACL", "SETUSER", "jane", "reset", "on", ">hunter2", "~*", "+@all")
            async with open_store(patient(f"redis://jane:hunter2@127.0.0.1:{server.port}")) as store:
                await _is_well(store)
                client.execute_command("ACL", "SETUSER", "jane", *rights.split())
                await _ping_fails(store, caplog, f"127.0.0.1:{server.port}", missing)


async def test_a_failed_save(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """Ping fails if Redis refuses writes after a failed save (MISCONF), until a save succeeds."""
    blocker = server.folder / "dump.rdb"  # a folder in the place of the file stops root, too
    async with open_store(patient(server.url)) as store:
        with server.client() as client:
            client.config_set("appendonly", "no")
            client.config_set("save", "3600 1")
            blocker.mkdir()
            client.bgsave()
            wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the save fails")
            await _is_ill(store, caplog, f"127.0.0.1:{server.port}", "MISCONF")
            blocker.rmdir()
            client.bgsave()
            wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "ok", "the save succeeds")
        await _is_well(store)


async def test_a_replica_fails_ping(server: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """Ping fails if the master has become a replica, even one that accepts writes."""
    async with open_store(patient(server.url)) as store:
        with server.client() as client:
            client.replicaof("127.0.0.1", 1)
            await _is_ill(store, caplog, f"127.0.0.1:{server.port}", "is not a master")
            client.config_set("replica-read-only", "no")
            await _ping_fails(store, caplog)
            client.replicaof("NO", "ONE")
        await _is_well(store)


async def test_ping_removes_what_it_writes(server: Valkey) -> None:
    """Ping writes only one key with the store's prefix, which expires after seconds."""
    async with open_store(f"{patient(server.url)}&prefix=photos") as store:
        await store.ping()
        await store.ping()
    with server.client() as client:
        (key,) = client.keys()
        assert key.startswith(b"photos:")
        assert 0 < client.ttl(key) <= 60


async def test_a_hundred_pings_share_their_writes(server: Valkey, tmp_path: Path) -> None:
    """Pings that arrive while one is under way share the next write."""
    async with RedisStore(patient(server.url)) as store:
        await store.ping()
        before = store.round_trips
        await asyncio.gather(*(store.ping() for _ in range(100)))
        assert store.round_trips - before <= 6
    file = SQLiteStore(f"sqlite:///{tmp_path}/store.db")
    await file.migrate()
    async with file:
        await file.ping()
        size = (tmp_path / "store.db-wal").stat().st_size
        await file.ping()
        one = (tmp_path / "store.db-wal").stat().st_size - size
        await asyncio.gather(*(file.ping() for _ in range(100)))
        assert (tmp_path / "store.db-wal").stat().st_size <= size + 3 * one


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_each_node_of_a_cluster(cluster: ValkeyCluster, caplog: pytest.LogCaptureFixture, number: int) -> None:
    """Ping fails if one node of a Cluster refuses writes, and the log names the node."""
    node = cluster.masters[number]
    async with open_store(patient(cluster.url)) as store:
        await store.ping()
        with node.client() as client:
            client.set(_key_of(number), b"x" * 2_000_000)
            _fill(client)
            try:
                await _ping_fails(store, caplog, f"127.0.0.1:{node.port}: command not allowed when used memory")
            finally:
                client.config_set("maxmemory", "0")
                client.flushall()
        await store.ping()


def _key_of(number: int) -> str:
    bounds = [0, 5461, 10923, 16384]
    return next(k for k in map(str, range(100)) if bounds[number] <= key_slot(k.encode()) < bounds[number + 1])


async def test_each_node_is_written_to(cluster: ValkeyCluster) -> None:
    """Ping writes a key on every master."""
    cluster.flush()
    async with open_store(patient(cluster.url)) as store:
        await store.ping()
    for node in cluster.masters:
        with node.client() as client:
            assert client.dbsize() == 1


async def test_ping_fails_if_sqlite_is_read_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ping fails on a read-only connection, works again afterwards, and leaves no row."""
    path = tmp_path / "store.db"
    store = SQLiteStore(f"sqlite:///{path}")
    await store.migrate()
    async with store:
        await _is_well(store)
        writer = store._database._writer
        assert writer is not None
        assert writer.connection is not None
        await writer.connection.execute_fetchall("PRAGMA query_only = 1")
        await _ping_fails(store, caplog, str(path), "cannot be written to")
        await _is_well(store)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM oauth1_nonce").fetchone() == (1,)


_FULL_DISK = """
import asyncio, logging, resource, sys, pathlib
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import open_store

async def main(path):
    store = open_store(f"sqlite:///{path}")
    await store.migrate()
    async with store:
        await store.ping()
        size = pathlib.Path(path + "-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for ask in (store.ping, lambda: store.exists_nonce("n", "4000000000", "c", None), store.ping):
            try:
                await ask()
            except StoreUnavailableError:
                print("refused")
            else:
                print("accepted")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await store.ping()
        print("well")

logging.basicConfig(stream=sys.stdout)
asyncio.run(main(sys.argv[1]))
"""


def test_ping_fails_if_sqlite_cannot_grow(tmp_path: Path) -> None:
    """If the write-ahead log cannot grow, ping and nonces are refused, and the log has the reason."""
    command = [sys.executable, "-c", _FULL_DISK, f"{tmp_path}/store.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("WARNING")] == ["refused", "refused", "refused", "well"]
    assert any("store.db" in line and "cannot be" in line for line in lines)
