"""The caching store: cached answers are reused, and nothing revoked is served."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore, Store, StoreError, open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.change_feed import EVERYTHING, LEASE, ChangeFeed
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres, SentinelTrio, Valkey, ValkeyCluster, patient

#: Seconds after which a change made elsewhere must be known.
PROMISED = 1.0
PRINTER = Client(client_id="printer", client_secret="s")


class FakeChangeFeed(ChangeFeed):
    """Reports the changes of a test, and has a lease if the test says so."""

    def __init__(self) -> None:
        super().__init__("fake://")
        self.current = True
        self.announced: list[str] = []

    def is_current(self) -> bool:
        return self.current

    async def open(self, on_change: Callable[[str], None]) -> None:
        self.on_change = on_change

    async def announce(self, change: str) -> None:
        self.announced.append(change)

    @property
    def changes(self) -> list[str]:
        """What was announced, without the identifiers of the announcements."""
        return [
            message[:1] + message.partition(":")[2] if message[0] in "<>" else message for message in self.announced
        ]

    async def _subscribe(self) -> None: ...

    async def _probe(self) -> None: ...

    async def _unsubscribe(self) -> None: ...


class SlowStore(MemoryStore):
    """Records lookups, and answers when the test opens the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def query_client(self, client_id: str) -> Client | None:
        self.asked.append((client_id,))
        found = await super().query_client(client_id)
        await self.gate.wait()
        return found

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        self.asked.append((client_id, oauth_token))
        found = await MemoryStore.query_client(self, client_id), await self.query_token(client_id, oauth_token)
        await self.gate.wait()
        return found


class Timer:
    """A timer that the test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def inner() -> SlowStore:
    """The store behind the cache."""
    return SlowStore()


@pytest.fixture
def feed() -> FakeChangeFeed:
    """The change feed of the cache."""
    return FakeChangeFeed()


@pytest.fixture
def timer() -> Timer:
    """The timer of the cache."""
    return Timer()


@pytest.fixture
async def cache(inner: SlowStore, feed: FakeChangeFeed, timer: Timer) -> AsyncIterator[CachingStore]:
    """A cache of three entries of each kind."""
    async with CachingStore(inner, feed, max_entries=3, timer=timer) as cache:
        yield cache


async def test_it_is_a_store(cache: CachingStore, inner: SlowStore) -> None:
    """A caching store has all methods of a store."""
    assert isinstance(cache, Store)
    assert (cache.url, cache.shared) == (inner.url, inner.shared)


async def test_cached_credentials_are_not_looked_up_again(cache: CachingStore, inner: SlowStore, timer: Timer) -> None:
    """Client and token are cached for 30 seconds for every kind of lookup. Another client does not get the token."""
    await cache.add_client(PRINTER)
    token = await cache.issue_token_credential("printer", "jane")
    for _ in range(3):
        assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        assert await cache.query_client("printer") == PRINTER
        assert await cache.query_token("printer", token.oauth_token) == token
        assert await cache.query_token("other", token.oauth_token) is None
    assert inner.asked == [("printer", token.oauth_token)]
    timer.now = 30
    assert await cache.query_client("printer") == PRINTER
    assert len(inner.asked) == 2


async def test_unknown_names_are_cached_separately_for_a_second(
    cache: CachingStore, inner: SlowStore, timer: Timer
) -> None:
    """Any number of them does not evict credentials."""
    await cache.add_client(PRINTER)
    await cache.query_client("printer")
    for _ in range(2):
        assert await cache.query_client("unknown") is None
        assert await cache.query_credentials("printer", "unknown") == (PRINTER, None)
    assert inner.asked == [("printer",), ("unknown",), ("printer", "unknown")]
    for number in range(100):
        await cache.query_client(f"unknown{number}")
    inner.asked.clear()
    assert await cache.query_client("printer") == PRINTER
    assert inner.asked == []
    await cache.query_client("unknown99")
    timer.now = 1
    await cache.query_client("unknown99")
    assert inner.asked == [("unknown99",)]


async def test_the_cache_is_bounded(cache: CachingStore, inner: SlowStore) -> None:
    """The least recently used entry is evicted."""
    for number in range(4):
        await inner.add_client(Client(client_id=f"client{number}"))
    for number in (0, 1, 2, 0, 3, 0):
        await cache.query_client(f"client{number}")
    assert inner.asked == [("client0",), ("client1",), ("client2",), ("client3",)]
    await cache.query_client("client1")
    assert inner.asked[4:] == [("client1",)]


async def test_concurrent_lookups_are_shared(cache: CachingStore, inner: SlowStore) -> None:
    """A hundred concurrent callers cause one lookup. Cancelling one caller does not affect the others."""
    await cache.add_client(PRINTER)
    inner.gate.clear()
    tasks = [asyncio.create_task(cache.query_client("printer")) for _ in range(100)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    inner.gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [PRINTER] * 99
    assert inner.asked == [("printer",)]


async def test_an_answer_from_before_a_change_is_not_cached(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed
) -> None:
    """A caller after the change gets a new answer, although the older lookup is still under way."""
    await inner.add_client(PRINTER)
    inner.gate.clear()
    early = asyncio.create_task(cache.query_client("printer"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await inner.remove_client("printer")
    feed.on_change("cprinter")
    late = asyncio.create_task(cache.query_client("printer"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    inner.gate.set()
    assert await early == PRINTER
    assert await late is None
    assert await cache.query_client("printer") is None
    assert inner.asked == [("printer",)] * 2


@pytest.mark.parametrize("change", ["tTOKEN", "cprinter", "ujane", EVERYTHING, "?", ""])
async def test_a_change_invalidates_entries(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, change: str
) -> None:
    """A token is invalidated by its name, client or user; a change of an unknown kind invalidates everything."""
    await inner.add_client(PRINTER)
    token = await inner.issue_token_credential("printer", "jane")
    await cache.query_credentials("printer", token.oauth_token)
    await inner.revoke_token_credential(token.oauth_token)
    feed.on_change("tanother")
    feed.on_change("unobody")
    assert await cache.query_token("printer", token.oauth_token) == token
    feed.on_change(change.replace("TOKEN", token.oauth_token))
    assert await cache.query_token("printer", token.oauth_token) is None


async def test_without_a_lease_nothing_is_cached(cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed) -> None:
    """Each lookup goes to the store, and its answer is not cached."""
    await inner.add_client(PRINTER)
    await cache.query_client("printer")
    feed.current = False
    await cache.query_client("printer")
    await cache.query_credentials("printer", "t")
    await cache.query_token("printer", "t")
    assert len(inner.asked) == 3
    feed.current = True
    await inner.issue_token_credential("printer", "jane")
    assert await cache.query_client("printer") == PRINTER
    assert len(inner.asked) == 3


async def test_changes_are_announced_before_and_after(cache: CachingStore, feed: FakeChangeFeed) -> None:
    """Each announcement names the client, token or user."""
    await cache.add_client(PRINTER)
    await cache.rotate_client_secret("printer", overlap=1)
    await cache.revoke_token_credential("t")
    await cache.revoke_token_credentials(user_id="jane")
    await cache.revoke_token_credentials(client_id="printer")
    await cache.remove_client("printer")
    expected = ["cprinter", "cprinter", "tt", "ujane", "cprinter", "cprinter"]
    assert feed.changes == [stage + change for change in expected for stage in "<>"]


@pytest.mark.parametrize("closes", [False, True])
async def test_a_change_of_a_cancelled_caller_is_announced_when_it_is_made(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, monkeypatch, *, closes: bool
) -> None:
    """Not earlier: another process would ask the store too soon, and cache the old answer."""
    made = asyncio.Event()

    async def revoke(oauth_token: str, *, user_id: str | None = None) -> bool:
        await made.wait()
        feed.announced.append("made")
        return True

    monkeypatch.setattr(inner, "revoke_token_credential", revoke)
    caller = asyncio.create_task(cache.revoke_token_credential("token"))
    await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()
    assert feed.changes == ["<ttoken"]
    made.set()
    await (cache.close() if closes else until(lambda: len(feed.changes) == 3))
    assert feed.changes == ["<ttoken", "made", ">ttoken"]


async def test_cached_credentials_expire(inner: SlowStore, feed: FakeChangeFeed, clock) -> None:
    """A cached token expires, and the overlap of a cached secret ends, to the second."""
    inner.clock = clock
    cache = CachingStore(inner, feed, clock=clock, timer=Timer())
    await inner.add_client(PRINTER)
    token = await inner.issue_token_credential("printer", "jane", lifetime=5)
    rotated = await inner.rotate_client_secret("printer", overlap=5)
    assert await cache.query_credentials("printer", token.oauth_token) == (rotated, token)
    clock.advance(5)
    client, left = await cache.query_credentials("printer", token.oauth_token)
    assert left is None
    assert client is not None
    assert client.overlapping_secrets == ()
    assert len(inner.asked) == 1


async def test_a_failure_is_not_cached(cache: CachingStore, inner: SlowStore, monkeypatch) -> None:
    """Every caller gets its own exception object, and the next caller asks the store again."""

    async def fail(client_id: str) -> Client | None:
        raise StoreUnavailableError()

    with monkeypatch.context() as patch:
        patch.setattr(inner, "query_client", fail)
        failures = await asyncio.gather(*(cache.query_client("c") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(failure, StoreUnavailableError) for failure in failures)
    assert len({id(failure) for failure in failures}) == 5
    assert await cache.query_client("c") is None


# With real servers -------------------------------------------------------------------------------------------------


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres.url


@pytest.fixture(params=["postgres", "valkey", "sentinel", "cluster"])
def feed_url(request: pytest.FixtureRequest, database: str) -> str:
    """The URL of each kind of change feed."""
    if request.param == "postgres":
        return database
    server: Valkey | SentinelTrio | ValkeyCluster = request.getfixturevalue(request.param)
    return patient(server.url)


@asynccontextmanager
async def worker(url: str, feed_url: str) -> AsyncIterator[tuple[CachingStore, PostgresStore]]:
    """A cache as in a worker process, and the store behind it, which counts round trips."""
    store = PostgresStore(url)
    await store.migrate()
    async with CachingStore(store, open_change_feed(feed_url)) as cache:
        yield cache, store


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition is true; fail after a timeout."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def soon(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds; fail if it does not for a lookup that begins a second from now."""
    end = time.monotonic() + PROMISED
    while True:
        asked = time.monotonic()  # a busy machine may take long to answer
        if await holds():
            return
        assert asked < end
        await asyncio.sleep(0.005)


async def gone(cache: CachingStore, client_id: str, oauth_token: str) -> None:
    """Wait until the token is unknown; fail after a second."""

    async def is_gone() -> bool:
        return (await cache.query_credentials(client_id, oauth_token))[1] is None

    await soon(is_gone)


async def shows(cache: CachingStore, client_id: str, expected: Client | None) -> None:
    """Wait until the client is as expected; fail after a second."""

    async def is_so() -> bool:
        return await cache.query_client(client_id) == expected

    await soon(is_so)


async def test_cached_credentials_take_no_round_trip(database: str, feed_url: str) -> None:
    """Looking up client and token takes one round trip, and none if they are cached."""
    async with worker(database, feed_url) as (cache, store):
        await cache.add_client(PRINTER)
        token = await cache.issue_token_credential("printer", "jane")
        before = store.round_trips
        assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        assert store.round_trips == before + 1
        # The announcement of the new client may arrive in between; then the next answer is cached.
        await serves_from_memory(cache, store)
        await cache.query_credentials("printer", token.oauth_token)
        before = store.round_trips
        for _ in range(100):
            assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        assert store.round_trips == before


async def test_every_worker_learns_of_every_change(database: str, feed_url: str) -> None:
    """Revocations, rotations, edits, removals and new clients take effect in other processes in under a second."""
    async with worker(database, feed_url) as (here, _), worker(database, feed_url) as (there, _):
        assert await there.query_client("printer") is None
        await here.add_client(PRINTER)
        await shows(there, "printer", PRINTER)
        for revoke in (
            here.revoke_token_credential,
            lambda token: here.revoke_token_credentials(user_id="jane"),
            lambda token: here.revoke_token_credentials(client_id="printer"),
        ):
            token = await here.issue_token_credential("printer", "jane")
            assert await there.query_credentials("printer", token.oauth_token) == (PRINTER, token)
            await revoke(token.oauth_token)
            await gone(there, "printer", token.oauth_token)
        rotated = await here.rotate_client_secret("printer", overlap=0)
        await shows(there, "printer", rotated)
        updated = await here.update_client("printer", callbacks=("oob",))
        await shows(there, "printer", updated)
        token = await here.issue_token_credential("printer", "jane")
        await there.query_credentials("printer", token.oauth_token)
        await here.remove_client("printer")
        await gone(there, "printer", token.oauth_token)
        await shows(there, "printer", None)


async def test_postgres_reports_changes_made_without_a_cache(database: str, postgres: Postgres) -> None:
    """Changes by a store without a cache, by the command line, and in SQL, of one row or of many."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        tokens = [await store.issue_token_credential("printer", "jane") for _ in range(4)]
        many = [await store.issue_token_credential("printer", "john") for _ in range(150)]
        for token in tokens + many:
            assert await cache.query_token("printer", token.oauth_token) == token
        await store.revoke_token_credential(tokens[0].oauth_token)
        await gone(cache, "printer", tokens[0].oauth_token)
        command = [sys.executable, "-m", "async_oauth1", "token", "revoke", "--store", database]
        await asyncio.to_thread(subprocess.run, [*command, tokens[1].oauth_token], check=True, capture_output=True)
        await gone(cache, "printer", tokens[1].oauth_token)
        postgres.sql(f"UPDATE oauth1_token_credential SET expires_at = 1 WHERE oauth_token = '{tokens[2].oauth_token}'")
        await gone(cache, "printer", tokens[2].oauth_token)
        postgres.sql("DELETE FROM oauth1_token_credential WHERE user_id = 'john'")
        await gone(cache, "printer", many[0].oauth_token)
        postgres.sql("TRUNCATE oauth1_token_credential")
        await gone(cache, "printer", tokens[3].oauth_token)


async def test_a_lost_connection_clears_the_cache(database: str, postgres: Postgres) -> None:
    """A token that is revoked while the feed is disconnected is not served. Later the cache works as before."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        listeners = "query LIKE '%pg_is_in_recovery%' AND pid <> pg_backend_pid()"
        async with asyncio.timeout(60):
            count = f"SELECT count(*) FROM pg_stat_activity WHERE {listeners}"
            while await asyncio.to_thread(postgres.sql, count) != "1":  # which leaves the event loop to the change feed
                await asyncio.sleep(0.01)
        postgres.sql(
            "ALTER TABLE oauth1_token_credential DISABLE TRIGGER USER;"
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listeners};"
            "DELETE FROM oauth1_token_credential"
        )
        await gone(cache, "printer", token.oauth_token)
        await store.migrate()
        await until(cache._feed.is_current)
        await serves_from_memory(cache, store)


async def serves_from_memory(cache: CachingStore, store: PostgresStore) -> None:
    """Wait until a lookup takes no round trip."""
    async with asyncio.timeout(60):
        while True:
            await cache.query_client("printer")
            before = store.round_trips
            await cache.query_client("printer")
            if store.round_trips == before:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server that the test may freeze and kill."""
    server = Valkey()
    yield server
    server.thaw()
    server.close()


@pytest.mark.parametrize("fault", ["freeze", "kill"])
async def test_a_change_feed_that_fails_is_survived(database: str, own_valkey: Valkey, fault: str) -> None:
    """With a frozen or killed server, a revoked token is not served after a second. Later the cache works as before.

    Changes through a caching store are refused while they cannot be announced. Other changes are found as well.
    """
    async with worker(database, f"{own_valkey.url}?timeout=4") as (cache, store):
        await cache.add_client(PRINTER)
        token = await cache.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        (own_valkey.freeze if fault == "freeze" else own_valkey.kill)()
        await store.revoke_token_credential(token.oauth_token)
        await gone(cache, "printer", token.oauth_token)
        kept = await cache.issue_token_credential("printer", "jane")
        with pytest.raises(StoreUnavailableError):
            await cache.revoke_token_credential(kept.oauth_token)
        assert await cache.query_token("printer", kept.oauth_token) == kept
        (own_valkey.thaw if fault == "freeze" else own_valkey.start)()
        await serves_from_memory(cache, store)
        assert await cache.revoke_token_credential(kept.oauth_token) is True
        await gone(cache, "printer", kept.oauth_token)


async def test_a_frozen_database_is_noticed(database: str) -> None:
    """If the database stops answering, cached entries are not used after the lease, until it answers again."""
    server = Postgres("-c", "fsync=off")
    try:
        async with worker(f"{server.url}&timeout=4", server.url) as (cache, store):
            await store.add_client(PRINTER)
            assert await cache.query_client("printer") == PRINTER
            server.freeze()
            try:
                await asyncio.sleep(LEASE)
                assert not cache._feed.is_current()
                with pytest.raises(StoreUnavailableError):
                    await cache.query_client("printer")
            finally:
                server.thaw()
            await serves_from_memory(cache, store)
    finally:
        server.close()


async def test_the_cache_option_in_the_url(database: str, postgres: Postgres) -> None:
    """`cache=1000` adds a cache with the change feed of the same database."""
    store = open_store(f"{database}&cache=1000")
    assert isinstance(store, CachingStore)
    assert isinstance(store, Store)
    assert "cache" not in store.url
    await store.migrate()
    async with store:
        await store.add_client(PRINTER)
        assert await store.query_client("printer") == PRINTER
        postgres.sql("DELETE FROM oauth1_client")
        await shows(store, "printer", None)
    assert isinstance(open_store(f"{database}&cache=0"), PostgresStore)
    for bad in ("cache=", "cache=-1", "cache=many", "cache=1e3", "cache=999999999"):
        with pytest.raises(StoreError, match="cache is a number of entries"):
            open_store(f"{database}&{bad}")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "not the URL of a change feed"),
        ("sqlite:///x.db", "not the URL of a change feed"),
        ("x://u:hunter2@h", r"x://u:\*\*\*@h: not the URL of a change feed"),
        ("redis://:hunter2@h/x", "the database must be a number"),
        ("postgresql://u:hunter2@h/x?bogus=1", 'there is no option "bogus"'),
    ],
)
def test_urls_of_no_change_feed_are_refused(url: str, reason: str) -> None:
    """The error is one line without the password."""
    with pytest.raises(StoreError, match=reason) as caught:
        open_change_feed(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/0", "postgresql://u:hunter2@127.0.0.1:1/x"])
async def test_an_unreachable_change_feed(url: str) -> None:
    """`open` raises a one-line error without the password, and leaves nothing running."""
    cache = CachingStore(MemoryStore(), open_change_feed(url))
    with pytest.raises(StoreError) as caught:
        await cache.open()
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    await cache.close()


def test_numbers_out_of_range_are_refused() -> None:
    """The error names the argument."""
    for wrong in ({"max_entries": 0}, {"lifetime": 0.0}, {"unknown_lifetime": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            CachingStore(MemoryStore(), FakeChangeFeed(), **wrong)
