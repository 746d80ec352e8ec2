"""Servers that die, freeze, fill up or run out of connections: requests are refused until the server is back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError, TransientStore, open_store
from tests.servers import Postgres, SentinelTrio, Valkey, ValkeyCluster, patient, wait_until

from .faults import PATIENCE, TIMEOUT, impatient, ticks_until_refused, under_load

# Where a timeout interrupts redis-py while it connects, it leaves the connection to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]


@pytest_asyncio.fixture
async def store(server: Valkey | Postgres) -> AsyncIterator[TransientStore]:
    """A store on that server with short time-outs."""
    await open_store(patient(server.url)).migrate()
    async with impatient(server.url) as store:
        yield store


@pytest_asyncio.fixture
async def patient_store(server: Valkey | Postgres) -> AsyncIterator[TransientStore]:
    """A store on that server which waits for a busy machine."""
    store = open_store(patient(server.url))
    await store.migrate()
    async with store:
        yield store


async def test_a_killed_server(server: Valkey | Postgres, store: TransientStore) -> None:
    """After SIGKILL under load and a restart, no nonce is accepted twice, no token is lost, and the store recovers."""
    async with under_load(store) as account:
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.5)
        await ticks_until_refused(account)
        await asyncio.to_thread(server.start)
    account.assert_safe()


async def test_a_frozen_server(server: Valkey | Postgres, store: TransientStore) -> None:
    """While the server is stopped (SIGSTOP), callers are refused without blocking the loop; then it recovers."""
    async with under_load(store) as account:
        await asyncio.to_thread(server.freeze)
        async with asyncio.timeout(PATIENCE):  # callers that time out together are refused together
            while await ticks_until_refused(account) <= 10:
                pass
        await asyncio.to_thread(server.thaw)
    account.assert_safe()


async def test_a_server_that_is_not_there_at_first_use(server: Valkey | Postgres, store: TransientStore) -> None:
    """While the server is stopped, each kind of question is refused within the time-out."""
    await asyncio.to_thread(server.kill)
    questions = [
        store.ping(),
        store.exists_nonce("n", "4000000000", "c", None),
        store.get_temporary_credential("t"),
        store.delete_temporary_credential("t"),
        store.deny_temporary_credential("t"),
        store.count_wrong_verifier("t"),
        store.create_temporary_credential({"oauth_token": "t", "oauth_token_secret": "s"}, "c", "oob"),
    ]
    for question in questions:
        with pytest.raises(StoreUnavailableError):
            await question


async def test_callers_that_are_cancelled_in_a_batch(patient_store: TransientStore) -> None:
    """If half of the callers are cancelled at any moment, the others get their answers."""
    store = patient_store
    for turns in range(12):
        tasks = [asyncio.create_task(store.exists_nonce(f"{turns}-{n}", "4000000000", "c", None)) for n in range(64)]
        tasks += [asyncio.create_task(store.count_wrong_verifier(f"{n}")) for n in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [answer for answer in answers[1:64:2] if answer is not False] == []
        assert [answer for answer in answers if isinstance(answer, Exception)] == []
    await store.ping()


async def test_memory_is_full() -> None:
    """A full Valkey without eviction refuses new nonces, and still knows the old ones."""
    server = Valkey("--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
    try:
        async with open_store(patient(server.url)) as store:
            questions = (store.exists_nonce(f"n{n}", "4000000000", "c", None) for n in range(50_000))
            answers = await asyncio.gather(*questions, return_exceptions=True)
            assert {type(answer) for answer in answers} == {bool, StoreUnavailableError}
            with server.client() as client:
                client.config_set("maxmemory", "100mb")
            known = next(n for n, answer in enumerate(answers) if answer is False)
            assert await store.exists_nonce(f"n{known}", "4000000000", "c", None) is True
            assert await store.exists_nonce("new", "4000000000", "c", None) is False
    finally:
        server.close()


async def test_no_connection_is_left() -> None:
    """If PostgreSQL has no connections left, callers are refused; once it has some, they are served again."""
    server = Postgres("-c", "max_connections=6", "-c", "superuser_reserved_connections=0", "-c", "fsync=off")
    hogs = []
    try:
        store = open_store(patient(server.url))
        await store.migrate()
        async with store:
            with contextlib.suppress(asyncpg.TooManyConnectionsError):
                while len(hogs) < 10:
                    hogs.append(await asyncpg.connect(server.url))
            with pytest.raises(StoreError, match="too many clients"):
                await open_store(server.url).open()
            counts = await asyncio.gather(*(store.count_wrong_verifier("t") for _ in range(8)), return_exceptions=True)
            assert {type(count) for count in counts} <= {int, StoreUnavailableError}
            assert any(isinstance(count, StoreUnavailableError) for count in counts)
            await asyncio.gather(*(hog.close() for hog in hogs))
            hogs.clear()
            await _served_again(store)
    finally:
        await asyncio.gather(*(hog.close() for hog in hogs))
        server.close()


async def test_the_limit_of_clients_is_reached() -> None:
    """If Valkey has reached its limit of clients, the store keeps its connection, and opens others later."""
    server = Valkey("--maxclients", "4")
    hogs = []
    try:
        async with open_store(patient(server.url)) as store:
            assert await store.exists_nonce("n", "4000000000", "c", None) is False
            refused = False
            while not refused:
                hogs.append(socket.create_connection(("127.0.0.1", server.port)))
                hogs[-1].sendall(b"PING\r\n")
                refused = b"max number of clients" in hogs[-1].recv(100)
            assert await store.exists_nonce("n", "4000000000", "c", None) is True
            with pytest.raises(StoreError):
                await open_store(server.url).open()
            for hog in hogs:
                hog.close()
            await _served_again(store)
    finally:
        server.close()


async def _served_again(store: TransientStore) -> None:
    """Wait until the server has freed a closed connection."""
    for attempt in range(200):
        try:
            await asyncio.gather(*(store.count_wrong_verifier("t") for _ in range(4)))
        except StoreUnavailableError:
            assert attempt < 199
            await asyncio.sleep(0.05)
        else:
            return


class Wire:
    """A proxy to a server. After `cut`, nothing arrives on its connections; new ones work."""

    def __init__(self, server: Valkey | Postgres) -> None:
        self.server = server
        self.whole = asyncio.Event()
        self.whole.set()
        self.writers: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        self.whole.clear()
        self.whole = asyncio.Event()
        self.whole.set()

    def give_up(self) -> None:
        """Reset the dead connections, as TCP does later."""
        for writer in self.writers:
            writer.close()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if isinstance(self.server, Postgres):
            there, back = await asyncio.open_unix_connection(f"{self.server.folder}/.s.PGSQL.5432")
        else:
            there, back = await asyncio.open_connection("127.0.0.1", self.server.port)
        whole = self.whole
        self.writers.append(writer)
        try:
            await asyncio.gather(self._pass_on(reader, back, whole), self._pass_on(there, writer, whole))
        finally:
            back.close()
            writer.close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, whole: asyncio.Event) -> None:
        while octets := await source.read(65_536):
            if whole.is_set():
                target.write(octets)
        target.close()


@pytest.mark.parametrize("kind", ["postgres", "valkey"])
async def test_connections_that_die_in_silence(kind: str) -> None:
    """If an address moves to another server, there is one time-out, not one for each pooled connection."""
    server = Postgres("-c", "fsync=off") if kind == "postgres" else Valkey()
    wire = Wire(server)
    try:
        await open_store(patient(server.url)).migrate()
        async with await asyncio.start_server(wire.connected, "127.0.0.1", 0) as listener:
            place = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            url = f"postgresql://postgres@{place}/postgres" if kind == "postgres" else f"redis://{place}"
            async with open_store(f"{url}?timeout={4 * TIMEOUT}") as store:
                await asyncio.gather(*(store.count_wrong_verifier("t") for _ in range(8)))
                wire.cut()
                with pytest.raises(StoreUnavailableError):
                    await store.exists_nonce("n", "4000000000", "c", None)
                assert await store.exists_nonce("n", "4000000000", "c", None) is False
                await asyncio.gather(*(store.count_wrong_verifier("t") for _ in range(8)))
            wire.give_up()  # from Python 3.12 on the listener waits for all its connections
    finally:
        server.close()


@pytest.mark.parametrize("fault", ["kill", "freeze", "failover"])
async def test_sentinels_choose_another_master(fault: str) -> None:
    """The master dies, or stops and comes back when another has taken over, or is relieved: nothing is accepted twice.

    A demoted master is the last to learn of it, and meanwhile has a replica that confirms what it writes.
    One that is relieved while it writes must have asked both: either may be the next.
    """
    trio = SentinelTrio()
    wait_replicas = 2 if fault == "failover" else 1
    try:
        async with (
            impatient(f"{trio.url}?wait_replicas={wait_replicas}") as store,
            under_load(store) as account,
        ):
            old = trio.master_port()
            await asyncio.to_thread(trio.failover if fault == "failover" else getattr(trio.node(old), fault))
            await asyncio.to_thread(wait_until, lambda: trio.master_port() != old, "there is another master")
            if fault == "freeze":
                await asyncio.to_thread(trio.node(old).thaw)
        account.assert_safe()
    finally:
        trio.close()


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_a_cluster_replaces_a_master(fault: str) -> None:
    """If one of three masters dies, or stops and comes back as a replica, the slots of the others are not affected."""
    cluster = ValkeyCluster(1)
    try:
        async with impatient(cluster.url) as store, under_load(store) as account:
            await asyncio.to_thread(getattr(cluster.masters[2], fault))
            await asyncio.to_thread(wait_until, lambda: cluster.is_master(cluster.nodes[5]), "its replica took over")
            if fault == "freeze":
                await asyncio.to_thread(cluster.masters[2].thaw)
        account.assert_safe()
    finally:
        cluster.close()
