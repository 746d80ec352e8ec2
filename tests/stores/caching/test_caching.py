"""The caching store: nothing is asked twice, and nothing revoked is served."""

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
from async_oauth1.stores.caching import CachingStore, open_notifier
from async_oauth1.stores.change_feed import EVERYTHING, LEASE, Notifier
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres, SentinelTrio, Valkey, ValkeyCluster

#: Seconds after which a change made elsewhere must be known.
PROMISED = 1.0
PRINTER = Client(client_id="printer", client_secret="s")


class FakeNotifier(Notifier):
    """Hears what a test says, and proves it when a test says so."""

    def __init__(self) -> None:
        super().__init__("fake://")
        self.current = True
        self.announced: list[str] = []

    def is_current(self) -> bool:
        return self.current

    async def open(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    async def announce(self, change: str) -> None:
        self.announced.append(change)

    @property
    def changes(self) -> list[str]:
        """What was announced, without the identifiers of the announcements."""
        return [
            message[:1] + message.partition(":")[2] if message[0] in "<>" else message for message in self.announced
        ]

    async def _subscribe(self) -> None: ...

    async def _beat(self) -> None: ...

    async def _unsubscribe(self) -> None: ...


class SlowStore(MemoryStore):
    """Counts what it is asked, and answers when a test lets it."""

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
    """Seconds that a test counts."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def inner() -> SlowStore:
    """The store behind the cache."""
    return SlowStore()


@pytest.fixture
def notifier() -> FakeNotifier:
    """Who tells of changes."""
    return FakeNotifier()


@pytest.fixture
def timer() -> Timer:
    """What the cache goes by."""
    return Timer()


@pytest.fixture
async def cache(inner: SlowStore, notifier: FakeNotifier, timer: Timer) -> AsyncIterator[CachingStore]:
    """A cache of three entries of each kind."""
    async with CachingStore(inner, notifier, max_entries=3, timer=timer) as cache:
        yield cache


async def test_it_is_a_store(cache: CachingStore, inner: SlowStore) -> None:
    """With all that a store has."""
    assert isinstance(cache, Store)
    assert (cache.url, cache.shared) == (inner.url, inner.shared)


async def test_what_is_known_is_not_asked_again(cache: CachingStore, inner: SlowStore, timer: Timer) -> None:
    """Client and token come from memory for 30 seconds, however they are looked up, and to their client alone."""
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


async def test_unknown_names_are_remembered_briefly_and_apart(
    cache: CachingStore, inner: SlowStore, timer: Timer
) -> None:
    """For a second; any number of them drives out nobody's credentials."""
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


async def test_it_is_bounded(cache: CachingStore, inner: SlowStore) -> None:
    """What was not used for longest goes."""
    for number in range(4):
        await inner.add_client(Client(client_id=f"client{number}"))
    for number in (0, 1, 2, 0, 3, 0):
        await cache.query_client(f"client{number}")
    assert inner.asked == [("client0",), ("client1",), ("client2",), ("client3",)]
    await cache.query_client("client1")
    assert inner.asked[4:] == [("client1",)]


async def test_one_asks_for_all(cache: CachingStore, inner: SlowStore) -> None:
    """A hundred requests at once are one question; one that hangs up takes nobody with it."""
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


async def test_an_answer_from_before_a_change_is_not_kept(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier
) -> None:
    """Who asks after the change gets a new answer, though the old one is still on its way."""
    await inner.add_client(PRINTER)
    inner.gate.clear()
    early = asyncio.create_task(cache.query_client("printer"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await inner.remove_client("printer")
    notifier.tell("cprinter")
    late = asyncio.create_task(cache.query_client("printer"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    inner.gate.set()
    assert await early == PRINTER
    assert await late is None
    assert await cache.query_client("printer") is None
    assert inner.asked == [("printer",)] * 2


@pytest.mark.parametrize("change", ["tTOKEN", "cprinter", "ujane", EVERYTHING, "?", ""])
async def test_a_change_is_forgotten(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, change: str
) -> None:
    """A token by its name, its client's or its user's; and everything for a word that is not understood."""
    await inner.add_client(PRINTER)
    token = await inner.issue_token_credential("printer", "jane")
    await cache.query_credentials("printer", token.oauth_token)
    await inner.revoke_token_credential(token.oauth_token)
    notifier.tell("tanother")
    notifier.tell("unobody")
    assert await cache.query_token("printer", token.oauth_token) == token
    notifier.tell(change.replace("TOKEN", token.oauth_token))
    assert await cache.query_token("printer", token.oauth_token) is None


async def test_without_proof_nothing_is_remembered(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier
) -> None:
    """Each look-up goes to the store, and leaves nothing behind."""
    await inner.add_client(PRINTER)
    await cache.query_client("printer")
    notifier.current = False
    await cache.query_client("printer")
    await cache.query_credentials("printer", "t")
    await cache.query_token("printer", "t")
    assert len(inner.asked) == 3
    notifier.current = True
    await inner.issue_token_credential("printer", "jane")
    assert await cache.query_client("printer") == PRINTER
    assert len(inner.asked) == 3


async def test_changes_are_told_before_and_after(cache: CachingStore, notifier: FakeNotifier) -> None:
    """Each by the name of what it concerns."""
    await cache.add_client(PRINTER)
    await cache.rotate_client_secret("printer", overlap=1)
    await cache.revoke_token_credential("t")
    await cache.revoke_token_credentials(user_id="jane")
    await cache.revoke_token_credentials(client_id="printer")
    await cache.remove_client("printer")
    expected = ["cprinter", "cprinter", "tt", "ujane", "cprinter", "cprinter"]
    assert notifier.changes == [stage + change for change in expected for stage in "<>"]


@pytest.mark.parametrize("closes", [False, True])
async def test_a_change_whose_caller_leaves_is_told_when_it_is_made(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, monkeypatch, *, closes: bool
) -> None:
    """Not before: who heard of it and asked the store again would remember what has ended."""
    made = asyncio.Event()

    async def revoke(oauth_token: str, *, user_id: str | None = None) -> bool:
        await made.wait()
        notifier.announced.append("made")
        return True

    monkeypatch.setattr(inner, "revoke_token_credential", revoke)
    caller = asyncio.create_task(cache.revoke_token_credential("token"))
    await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()
    assert notifier.changes == ["<ttoken"]
    made.set()
    await (cache.close() if closes else asyncio.sleep(0.01))
    assert notifier.changes == ["<ttoken", "made", ">ttoken"]


async def test_time_passes_in_memory_too(inner: SlowStore, notifier: FakeNotifier, clock) -> None:
    """A remembered token expires, and a remembered secret's overlap ends, to the second."""
    inner.clock = clock
    cache = CachingStore(inner, notifier, clock=clock, timer=Timer())
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


async def test_a_failure_is_not_remembered(cache: CachingStore, inner: SlowStore, monkeypatch) -> None:
    """Everybody who asked gets it, each as an exception of their own; the next one asks anew."""

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
def told_by(request: pytest.FixtureRequest, database: str) -> str:
    """The URL of each kind of notifier."""
    if request.param == "postgres":
        return database
    server: Valkey | SentinelTrio | ValkeyCluster = request.getfixturevalue(request.param)
    return server.url


@asynccontextmanager
async def worker(url: str, told_by: str) -> AsyncIterator[tuple[CachingStore, PostgresStore]]:
    """A cache as each worker process has one, and the store in it, which counts."""
    store = PostgresStore(url)
    await store.migrate()
    async with CachingStore(store, open_notifier(told_by)) as cache:
        yield cache, store


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Fail unless it becomes true at all."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def soon(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; fail where it does not for somebody who asks a second from now."""
    end = time.monotonic() + PROMISED
    while True:
        asked = time.monotonic()  # a busy machine may take long to answer
        if await holds():
            return
        assert asked < end
        await asyncio.sleep(0.005)


async def gone(cache: CachingStore, client_id: str, oauth_token: str) -> None:
    """The token is unknown in under a second."""

    async def is_gone() -> bool:
        return (await cache.query_credentials(client_id, oauth_token))[1] is None

    await soon(is_gone)


async def shows(cache: CachingStore, client_id: str, expected: Client | None) -> None:
    """The client is so in under a second."""

    async def is_so() -> bool:
        return await cache.query_client(client_id) == expected

    await soon(is_so)


async def test_a_cached_request_asks_nothing(database: str, told_by: str) -> None:
    """No round trip for credentials that are known; one for both that are not."""
    async with worker(database, told_by) as (cache, store):
        await cache.add_client(PRINTER)
        token = await cache.issue_token_credential("printer", "jane")
        before = store.round_trips
        assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        assert store.round_trips == before + 1
        # What PostgreSQL tells of the new client may arrive meanwhile: then the next answer is the one that is kept.
        await serves_from_memory(cache, store)
        await cache.query_credentials("printer", token.oauth_token)
        before = store.round_trips
        for _ in range(100):
            assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        assert store.round_trips == before


async def test_every_worker_hears_of_every_change(database: str, told_by: str) -> None:
    """Revocations, rotations, removals and new clients, under a second after they were made elsewhere."""
    async with worker(database, told_by) as (here, _), worker(database, told_by) as (there, _):
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
        token = await here.issue_token_credential("printer", "jane")
        await there.query_credentials("printer", token.oauth_token)
        await here.remove_client("printer")
        await gone(there, "printer", token.oauth_token)
        await shows(there, "printer", None)


async def test_postgres_tells_of_changes_that_others_make(database: str, postgres: Postgres) -> None:
    """By a store without a cache, by the command in another process, and by psql, one row or very many."""
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


async def test_a_lost_connection_forgets_everything(database: str, postgres: Postgres) -> None:
    """What is revoked while nobody listens is not served; once listening again the cache serves as before."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        listeners = "query LIKE '%pg_is_in_recovery%' AND pid <> pg_backend_pid()"
        await until(lambda: postgres.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {listeners}") == "1")
        postgres.sql(
            "ALTER TABLE oauth1_token_credential DISABLE TRIGGER USER;"
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listeners};"
            "DELETE FROM oauth1_token_credential"
        )
        await gone(cache, "printer", token.oauth_token)
        await store.migrate()
        await until(cache._notifier.is_current)
        await serves_from_memory(cache, store)


async def serves_from_memory(cache: CachingStore, store: PostgresStore) -> None:
    """Sooner or later a look-up asks nothing."""
    async with asyncio.timeout(30):
        while True:
            await cache.query_client("printer")
            before = store.round_trips
            await cache.query_client("printer")
            if store.round_trips == before:
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server that a test may freeze and kill."""
    server = Valkey()
    yield server
    server.thaw()
    server.close()


@pytest.mark.parametrize("fault", ["freeze", "kill"])
async def test_a_notifier_that_is_gone_is_survived(database: str, own_valkey: Valkey, fault: str) -> None:
    """Silently or not: what is revoked meanwhile is not served a second later, and everything is as before afterwards.

    Changes through a worker are refused as long as nobody could be told; those made past it are found all the same.
    """
    async with worker(database, own_valkey.url) as (cache, store):
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
    """A worker whose database stops answering stops serving from memory within the lease, and not for ever."""
    server = Postgres("-c", "fsync=off")
    try:
        async with worker(f"{server.url}&timeout=1", server.url) as (cache, store):
            await store.add_client(PRINTER)
            assert await cache.query_client("printer") == PRINTER
            server.freeze()
            try:
                await asyncio.sleep(LEASE)
                assert not cache._notifier.is_current()
                with pytest.raises(StoreUnavailableError):
                    await cache.query_client("printer")
            finally:
                server.thaw()
            await serves_from_memory(cache, store)
    finally:
        server.close()


async def test_the_option_in_the_url(database: str, postgres: Postgres) -> None:
    """`cache=1000` brings the cache, and the same database tells of changes."""
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
        ("nonsense", "tells of no changes"),
        ("sqlite:///x.db", "tells of no changes"),
        ("x://u:hunter2@h", r"x://u:\*\*\*@h: tells of no changes"),
        ("redis://:hunter2@h/x", "a database is a number"),
        ("postgresql://u:hunter2@h/x?bogus=1", 'there is no option "bogus"'),
    ],
)
def test_urls_that_name_no_notifier(url: str, reason: str) -> None:
    """One line, without the password."""
    with pytest.raises(StoreError, match=reason) as caught:
        open_notifier(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://:hunter2@127.0.0.1:1/0", "postgresql://u:hunter2@127.0.0.1:1/x"])
async def test_a_notifier_that_is_not_there(url: str) -> None:
    """The store is not opened: one line, without the password, and nothing is left running."""
    cache = CachingStore(MemoryStore(), open_notifier(url))
    with pytest.raises(StoreError) as caught:
        await cache.open()
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    await cache.close()


def test_numbers_out_of_range() -> None:
    """Refused by name."""
    for wrong in ({"max_entries": 0}, {"lifetime": 0.0}, {"unknown_lifetime": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            CachingStore(MemoryStore(), FakeNotifier(), **wrong)
