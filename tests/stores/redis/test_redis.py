"""The Redis store: URLs, checks of the servers, replicas, and slots that move."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from contextlib import suppress

import pytest

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError, TransientStore, open_store
from async_oauth1.stores.redis import RedisStore
from async_oauth1.stores.redis.node import Moved, RedisNode
from async_oauth1.stores.redis.topology import SentinelView, elect_master
from async_oauth1.stores.redis.url import Address, RedisSettings
from tests.servers import Valkey, ValkeyCluster, patient, wait_until

# If a timeout interrupts redis-py while it connects, it leaves the connection to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("default::ResourceWarning"), pytest.mark.usefixtures("collected")]


def test_urls_are_parsed() -> None:
    """Every kind of URL: hosts, ports, users, databases and options."""
    single = RedisSettings.from_url("redis://jane:hun%40ter2@db.example:7000/3?timeout=0.5&prefix=x:&max_connections=5")
    assert single.addresses == (("db.example", 7000),)
    assert (single.database, single.timeout, single.prefix, single.max_connections) == (3, 0.5, b"x:", 5)
    assert single.login == {"username": "jane", "password": "hun@ter2"}
    assert (single.tls, single.wait_replicas) == ({}, 0)
    assert RedisSettings.from_url("rediss://:p@[::1]").addresses == (("::1", 6379),)
    assert RedisSettings.from_url("rediss://:p@[::1]").tls == {"ssl": True, "ssl_check_hostname": True}
    sentinel = RedisSettings.from_url("redis+sentinel://:p@a,b:26380/photos/2?sentinel_password=s&tls=1")
    assert sentinel.addresses == (("a", 26379), ("b", 26380))
    assert (sentinel.service, sentinel.database, sentinel.wait_replicas) == ("photos", 2, 1)
    assert sentinel.sentinel_login == {"password": "s"}
    assert sentinel.tls["ssl"] is True
    cluster = RedisSettings.from_url("redis+cluster://a:1,b:2?wait_replicas=2")
    assert (cluster.addresses, cluster.wait_replicas) == ((("a", 1), ("b", 2)), 2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("redis://", "a host name is missing"),
        ("redis://a,,b", "a host name is missing"),
        ("redis://a:port", "a port must be a number"),
        ("redis://a:0", "a port must be a number"),
        ("redis://a:65536", "a port must be a number"),
        ("redis://a/photos", "the database must be a number"),
        ("redis://hunter2@a", "a user name without a password"),
        ("redis://a?db=1", 'there is no option "db"'),
        ("redis://a?timeout=soon", "timeout must be a number of seconds"),
        ("redis://a?timeout=0", "timeout must be a number of seconds"),
        ("redis://a?max_connections=0.5", "max_connections must be a whole number"),
        ("redis://a?wait_replicas=-1", "wait_replicas must be a whole number"),
        ("redis://a?prefix={x}", "prefix must be"),
        ("redis://a?tls=yes", "tls must be 0 or 1"),
        ("rediss://a?tls=0", "tls must be 0 or 1"),
        ("redis://a?ssl_ca_certs=/x", "requires tls=1"),
        ("rediss://a?ssl_cert_reqs=maybe", "ssl_cert_reqs must be"),
        ("redis+sentinel://a", "a Sentinel URL is"),
        ("redis+cluster://a/1", "only database 0"),
    ],
)
def test_invalid_urls_are_refused(bad: str, reason: str) -> None:
    """The error is one line that says what is wrong, without the password."""
    with pytest.raises(StoreError) as caught:
        open_store(bad)
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def _refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        await open_store(patient(url)).open()
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_servers_that_cannot_be_used(valkey: Valkey, cluster: ValkeyCluster) -> None:
    """An unreachable server, a wrong password, and URLs of the wrong kind give a one-line error."""
    for scheme, path in (("redis", ""), ("redis+cluster", ""), ("redis+sentinel", "/photos")):
        assert "127.0.0.1:1" in await _refusal(f"{scheme}://:hunter2@127.0.0.1:1{path}")
    refused = await _refusal(f"redis://jane:hunter2@127.0.0.1:{valkey.port}")
    assert "invalid username-password" in refused
    assert "hunter2" not in refused
    assert "use redis+cluster:// in the URL" in await _refusal(cluster.masters[0].url)
    assert "cluster support disabled" in await _refusal(f"redis+cluster://127.0.0.1:{valkey.port}")


async def test_a_replica_accepts_no_nonces() -> None:
    """`open` refuses a replica. If a master becomes a replica, nonces and pings fail until it is a master again."""
    master = Valkey()
    replica = Valkey("--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0")
    try:
        assert "is a replica; connect to its master" in await _refusal(replica.url)
        async with open_store(patient(master.url)) as store:
            await store.ping()
            with master.client() as client:
                client.replicaof("127.0.0.1", 1)
            with pytest.raises(StoreUnavailableError):
                await store.exists_nonce("n", "4000000000", "c", None)
            with pytest.raises(StoreUnavailableError):
                await store.ping()
            with master.client() as client:
                client.replicaof("NO", "ONE")
            await store.ping()
            assert await store.exists_nonce("n", "4000000000", "c", None) is False
    finally:
        replica.close()
        master.close()


async def test_a_sentinel_that_knows_no_such_master(sentinel) -> None:
    """If the Sentinels do not know the service, the error says so."""
    assert 'know no master named "videos"' in await _refusal(sentinel.url.replace("/photos", "/videos"))


async def test_a_server_that_may_lose_nonces_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    """`open` warns if there is no append-only file, or an eviction policy."""
    server = Valkey("--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
    try:
        with caplog.at_level(logging.WARNING):
            async with open_store(patient(server.url)):
                pass
    finally:
        server.close()
    assert "appendonly is off, so a restart loses nonces" in caplog.text
    assert "maxmemory-policy is allkeys-lru, so a full server evicts nonces" in caplog.text


async def test_a_durable_server_causes_no_warning(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    """With appendonly and noeviction nothing is logged."""
    with caplog.at_level(logging.WARNING):
        async with open_store(patient(valkey.url)) as store:
            await store.ping()
            await store.migrate()
    assert caplog.text == ""


async def test_before_open_and_after_close(valkey: Valkey) -> None:
    """Before `open`, calls raise RuntimeError; after `close`, StoreUnavailableError. Both can be repeated."""
    store = open_store(patient(valkey.url))
    with pytest.raises(RuntimeError, match="before it was opened"):
        await store.exists_nonce("n", "4000000000", "c", None)
    async with store:
        await store.open()
        await store.ping()
    await store.close()
    with pytest.raises(StoreUnavailableError):
        await store.exists_nonce("n", "4000000000", "c", None)


async def test_concurrent_nonces_share_round_trips(valkey: Valkey) -> None:
    """One nonce takes one round trip, a hundred take at most two. Scripts that were flushed are sent again."""
    valkey.flush()
    async with RedisStore(patient(valkey.url)) as store:
        assert await store.exists_nonce("n0", "4000000000", "c", "t") is False
        before = store.round_trips
        assert await store.exists_nonce("n1", "4000000000", "c", "t") is False
        assert store.round_trips - before == 1
        before = store.round_trips
        answers = await asyncio.gather(*(store.exists_nonce(f"m{n}", "4000000000", "c", "t") for n in range(100)))
        assert not any(answers)
        assert store.round_trips - before <= 2
        with valkey.client() as client:
            client.script_flush()
        assert await store.exists_nonce("n1", "4000000000", "c", "t") is True
        assert await store.exists_nonce("n2", "4000000000", "c", "t") is False


async def test_keys_are_small_and_all_expire(valkey: Valkey) -> None:
    """A nonce of any length is a key of 24 bytes, a client's count is one number, and all keys expire."""
    valkey.flush()
    async with open_store(patient(valkey.url)) as store:
        await store.exists_nonce("n" * 255, str(int(time.time())), "c" * 255, "t" * 255)
        await store.create_temporary_credential({"oauth_token": "t", "oauth_token_secret": "s"}, "c", "oob")
    with valkey.client() as client:
        keys = client.keys()
        assert sorted(len(key) for key in keys) == [9, 17, 24]
        assert all(0 < client.ttl(key) <= 660 for key in keys)


@pytest.mark.parametrize("finished", [False, True])
async def test_a_slot_moves_to_another_node(cluster: ValkeyCluster, *, finished: bool) -> None:
    """During and after the migration of a slot, nonces are known, and credentials can be created and taken."""
    cluster.flush()
    slot = 10_000
    source, target = cluster.masters[1], cluster.masters[2]
    async with open_store(patient(cluster.url)) as store:
        names = await _names_in_slot(slot)
        for name in names[:5]:
            token = {"oauth_token": name, "oauth_token_secret": "s"}
            await store.create_temporary_credential(token, "c", "oob")
        _migrate(source, target, slot, finished=finished)
        try:
            for name in names[:5]:
                assert await store.get_temporary_credential(name) is not None
                assert await store.delete_temporary_credential(name) is True
                assert await store.delete_temporary_credential(name) is False
            for name in names[5:]:
                token = {"oauth_token": name, "oauth_token_secret": "s"}
                await store.create_temporary_credential(token, "c", "oob")
                assert await store.delete_temporary_credential(name) is True
            questions = [(f"n{n}", "4000000000", "c", None) for n in range(2_000)]  # of every slot, some of this one
            assert not any(await asyncio.gather(*(store.exists_nonce(*question) for question in questions)))
            assert all(await asyncio.gather(*(store.exists_nonce(*question) for question in questions)))
        finally:
            if not finished:
                _migrate(source, target, slot, finished=True)
            _migrate(target, source, slot, finished=True)


async def _names_in_slot(slot: int) -> list[str]:
    from redis.crc import key_slot

    return [name for name in map(str, range(400_000)) if key_slot(b"oauth1:t" + name.encode()) == slot][:10]


def _migrate(source: Valkey, target: Valkey, slot: int, *, finished: bool) -> None:
    """Migrate a slot with all its keys. Unless it is finished, the nodes are not told of the new owner."""
    with source.client() as from_client, target.client() as to_client:
        ids = [client.execute_command("CLUSTER", "MYID").decode() for client in (from_client, to_client)]
        to_client.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        from_client.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        for key in from_client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1000):
            from_client.execute_command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
        if finished:
            to_client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])
            from_client.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[1])


async def test_a_write_counts_if_a_replica_confirms_it() -> None:
    """If the replica is frozen, writes are refused. If it is gone, writes count again after one refusal."""
    master = Valkey()
    replica = Valkey("--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0")
    try:
        with master.client() as client:
            wait_until(lambda: len(client.execute_command("ROLE")[2]) == 1, "the replica follows")
        async with open_store(f"{master.url}?wait_replicas=1&timeout=3") as store:
            assert await store.exists_nonce("n0", "4000000000", "c", None) is False
            with replica.client() as client:
                assert client.dbsize() == 1
            replica.freeze()
            for name in ("n1", "n2"):
                with pytest.raises(StoreUnavailableError):
                    await store.exists_nonce(name, "4000000000", "c", None)
            replica.thaw()
            await _served(store)
            replica.kill()
            await _served(store)
            assert await store.exists_nonce("n1", "4000000000", "c", None) is True
    finally:
        replica.close()
        master.close()


async def test_a_write_does_not_count_if_a_replica_has_left() -> None:
    """The replica may be the new master, although the other replica still confirms. The next write counts again."""
    master = Valkey()
    follow = ("--replicaof", f"127.0.0.1 {master.port}", "--repl-diskless-sync-delay", "0")
    replicas = [Valkey(*follow), Valkey(*follow)]
    try:
        with master.client() as client:
            wait_until(lambda: len(client.execute_command("ROLE")[2]) == 2, "the replicas follow")
        async with open_store(f"{patient(master.url)}&wait_replicas=1") as store:
            assert await store.exists_nonce("n0", "4000000000", "c", None) is False
            with replicas[0].client() as client:
                client.replicaof("NO", "ONE")
            with pytest.raises(StoreUnavailableError):
                await store.exists_nonce("n1", "4000000000", "c", None)
            assert await store.exists_nonce("n2", "4000000000", "c", None) is False
    finally:
        for server in (*replicas, master):
            server.close()


async def test_a_write_does_not_count_without_role() -> None:
    """If the user may not use ROLE, writes are refused with StoreUnavailableError."""
    server = Valkey()
    try:
        async with open_store(f"{patient(server.url)}&wait_replicas=1") as store:
            assert await store.exists_nonce("n0", "4000000000", "c", None) is False
            with server.client() as client:
                client.execute_command("ACL", "SETUSER", "default", "-role")
                with pytest.raises(StoreUnavailableError):
                    await store.exists_nonce("n1", "4000000000", "c", None)
                client.execute_command("ACL", "SETUSER", "default", "+role")
            assert await store.exists_nonce("n2", "4000000000", "c", None) is False
    finally:
        server.close()


async def test_a_second_redirection_is_refused(cluster: ValkeyCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the node that we are redirected to redirects again, the nonce is refused."""
    moved = Moved(("127.0.0.1", cluster.masters[1].port), asking=False)

    async def send_on(*_: object, **__: object) -> list[object]:
        return [moved]

    async def send_on_again(*_: object, **__: object) -> list[object]:
        raise moved

    async with open_store(patient(cluster.url)) as store:
        monkeypatch.setattr(RedisNode, "write_each", send_on)
        monkeypatch.setattr(RedisNode, "write", send_on_again)
        with pytest.raises(StoreUnavailableError):
            await store.exists_nonce("n", "4000000000", "c", None)


OLD, NEW = ("10.0.0.1", 6379), ("10.0.0.2", 6379)


@pytest.mark.parametrize(
    ("views", "master"),
    [
        ([SentinelView(3, True, OLD), SentinelView(3, True, OLD)], OLD),
        (
            [SentinelView(3, True, OLD), SentinelView(3, False, OLD), SentinelView(3, True, OLD)],
            None,
        ),  # one leads a failover, or sees the master down
        (
            [SentinelView(3, True, OLD), SentinelView(3, False, OLD), SentinelView(4, True, NEW)],
            NEW,
        ),  # two have not heard of it yet
        ([SentinelView(4, False, OLD), SentinelView(4, True, NEW)], NEW),  # the one that leads it has not finished
        ([SentinelView(3, True, OLD), SentinelView(4, False, OLD)], None),  # and no other has heard of it
        ([SentinelView(4, True, OLD), SentinelView(4, True, NEW)], None),
    ],
)
def test_the_elected_master(views: list[SentinelView], master: Address | None) -> None:
    """The latest epoch counts. During a failover, the old master is not elected."""
    assert elect_master(views) == elect_master(views[::-1]) == master


def test_distrust_outlives_earlier_answers() -> None:
    """A node is trusted again only if the topology was asked for after the node was distrusted."""
    settings = RedisSettings.from_url("redis://127.0.0.1:1")
    node = RedisNode(settings.addresses[0], settings)
    asked = time.monotonic() - 1
    node.distrust("one replica fewer")
    node.trust(asked)
    assert not node.trusted
    node.trust(time.monotonic() + 1e-6)
    assert node.trusted


async def _served(store: TransientStore) -> None:
    async with asyncio.timeout(60):
        for number in itertools.count():
            with suppress(StoreUnavailableError):
                await store.exists_nonce(f"served{number}", "4000000000", "c", None)
                return
            await asyncio.sleep(0.02)
