"""The cache between the two announcements of a change, and with triggers that do not report changes."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from async_oauth1.stores.announced_changes import CHANGE_TIMEOUT, PendingChanges, begin_message, done_message
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.redis.change_feed import RedisChangeFeed
from tests.servers import Postgres, Valkey, patient, unmeasured_environment

from .test_caching import FakeChangeFeed, SlowStore, Timer, gone, serves_from_memory, soon, until, worker

PRINTER = Client(client_id="printer", client_secret="s")

# Announces a change, waits for a line, makes the change and dies before it can announce that it is done.
DYING = """
import asyncio, os, signal, sys
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.postgres import PostgresStore

async def main():
    store, feed = PostgresStore(sys.argv[1]), open_change_feed(sys.argv[2])
    announce, announced = feed.announce, []
    async def announce_once(change):
        if announced:
            os.kill(os.getpid(), signal.SIGKILL)
        announced.append(change)
        await announce(change)
        print("announced", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    feed.announce = announce_once
    async with CachingStore(store, feed) as cache:
        await eval(sys.argv[3])

asyncio.run(main())
"""

CHANGES = {
    "revoke": "cache.revoke_token_credential({token!r})",
    "revoke-user": "cache.revoke_token_credentials(user_id='jane')",
    "revoke-client": "cache.revoke_token_credentials(client_id='printer')",
    "remove-client": "cache.remove_client('printer')",
    "rotate": "cache.rotate_client_secret('printer', overlap=0)",
    "update": "cache.update_client('printer', callbacks=('oob',))",
}


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres.url


@asynccontextmanager
async def dying(database: str, feed_url: str, code: str) -> AsyncIterator[subprocess.Popen[str]]:
    """A process that announces a change, reads a line, makes the change and is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, database, feed_url, code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=unmeasured_environment(),
    )
    try:
        assert process.stdout is not None
        # In a thread: the change feed has to go on meanwhile, or it would lose its subscription.
        assert await asyncio.to_thread(process.stdout.readline) == "announced\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def settle(cache: CachingStore) -> None:
    """Cache as usual, as if the worker had subscribed a minute ago."""
    cache._cache._settling_until = float("-inf")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("feed_url", ["valkey", "postgres"])
async def test_a_process_is_killed_before_the_second_announcement(
    database: str, request: pytest.FixtureRequest, feed_url: str, change: str
) -> None:
    """The change takes effect elsewhere in under a second, although a lookup came just before it."""
    server: Valkey | Postgres = request.getfixturevalue(feed_url)
    async with worker(database, patient(server.url)) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await serves_from_memory(cache, store)
        settle(cache)
        assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        code = CHANGES[change].format(token=token.oauth_token)
        async with dying(database, patient(server.url), code) as process:
            assert process.stdin is not None
            await until(lambda: feed_url == "postgres" or is_pending(cache, token))
            await cache.query_credentials("printer", token.oauth_token)
            await asyncio.to_thread(process.communicate, "\n")
            assert process.returncode == -signal.SIGKILL
        if change in ("rotate", "update"):
            await until_changed(cache)
        else:
            await gone(cache, "printer", token.oauth_token)


def is_pending(cache: CachingStore, token: TokenCredential) -> bool:
    """Whether a change that affects a token is pending."""
    changes = ("t" + token.oauth_token, "u" + token.user_id, "c" + token.client_id)
    return any(cache._cache._pending.contains(change) for change in changes)


async def until_changed(cache: CachingStore) -> None:
    """Wait until the client is another one; fail after a second."""

    async def is_changed() -> bool:
        return await cache.query_client("printer") != PRINTER

    await soon(is_changed)


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
    """A cache whose change feed the test controls."""
    async with CachingStore(inner, feed, timer=timer) as cache:
        yield cache


async def asked(cache: CachingStore, inner: SlowStore, look_up: Callable[[], object]) -> int:
    """How often the store is asked during two lookups."""
    inner.asked.clear()
    for _ in range(2):
        await look_up()  # type: ignore[misc]
    return len(inner.asked)


@pytest.mark.parametrize("kind", ["t", "c", "u"])
async def test_a_name_is_not_cached_until_the_change_is_done(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, timer: Timer, kind: str
) -> None:
    """From the first announcement to the second, or for a minute. Other names are cached."""
    await inner.add_client(PRINTER)
    await inner.add_client(Client(client_id="other"))
    token = await inner.issue_token_credential("printer", "jane")
    change = {"t": "t" + token.oauth_token, "c": "cprinter", "u": "ujane"}[kind]
    look_up = lambda: cache.query_credentials("printer", token.oauth_token)  # noqa: E731
    for end in ("done", "timeout"):
        feed.on_change(begin_message(change, "1"))
        feed.on_change(begin_message(change, "2"))
        assert await asked(cache, inner, look_up) == 2
        assert await asked(cache, inner, lambda: cache.query_client("other")) <= 1
        feed.on_change(done_message(change, "2"))
        assert await asked(cache, inner, look_up) == 2
        if end == "done":
            feed.on_change(done_message(change, "1"))
        else:
            timer.now += CHANGE_TIMEOUT
        assert await asked(cache, inner, look_up) == 1


async def test_a_change_that_fails_is_not_announced_as_done(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may still carry out the statement, so the name stays uncached here and elsewhere."""
    await inner.add_client(PRINTER)

    async def fail(client_id: str, *, overlap: float) -> Client | None:
        raise StoreUnavailableError()

    monkeypatch.setattr(inner, "rotate_client_secret", fail)
    with pytest.raises(StoreUnavailableError):
        await cache.rotate_client_secret("printer", overlap=0)
    assert {message[0] for message in feed.announced} == {"<"}
    assert await asked(cache, inner, lambda: cache.query_client("printer")) == 2


async def test_a_change_that_cannot_be_announced_is_not_pending(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is not made, and the name is cached as before."""
    await inner.add_client(PRINTER)

    async def fail(change: str) -> None:
        raise StoreUnavailableError()

    monkeypatch.setattr(feed, "announce", fail)
    with pytest.raises(StoreUnavailableError):
        await cache.remove_client("printer")
    assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1


async def test_a_long_change_is_announced_again(
    cache: CachingStore, inner: SlowStore, feed: FakeChangeFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the process that makes the change is alive, no other process caches the name."""
    monkeypatch.setattr("async_oauth1.stores.caching.store.CHANGE_TIMEOUT", 0.03)
    gate = asyncio.Event()

    async def revoke(oauth_token: str, *, user_id: str | None = None) -> bool:
        await gate.wait()
        return True

    monkeypatch.setattr(inner, "revoke_token_credential", revoke)
    task = asyncio.create_task(cache.revoke_token_credential("token"))
    await until(lambda: len(feed.announced) >= 3)
    gate.set()
    assert await task
    *before, last = feed.announced
    assert len(set(before)) == 1
    assert last == ">" + before[0][1:]


async def test_answers_are_cached_briefly_after_subscribing(
    inner: SlowStore, feed: FakeChangeFeed, timer: Timer
) -> None:
    """A new subscriber may have missed an announcement, so for a minute it caches answers for half a second."""
    feed.settling_time = CHANGE_TIMEOUT
    await inner.add_client(PRINTER)
    async with CachingStore(inner, feed, timer=timer) as cache:
        feed.on_change("*")
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += 0.5
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += CHANGE_TIMEOUT
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += 20
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 0


async def test_announcements_of_an_older_release_count_as_begun(valkey: Valkey) -> None:
    """They do not say whether the change is done, so the name is not cached for a minute."""
    inner = SlowStore()
    await inner.add_client(PRINTER)
    async with CachingStore(inner, open_change_feed(patient(valkey.url))) as cache:
        feed = cache._feed
        assert isinstance(feed, RedisChangeFeed)
        await feed.announce("cprinter")
        await until(lambda: cache._cache._pending.contains("cprinter"))
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 2


async def test_only_redis_has_a_settling_time(valkey: Valkey, database: str) -> None:
    """PostgreSQL reports changes when they are committed, so there is nothing to wait for."""
    async with CachingStore(MemoryStore(), open_change_feed(patient(valkey.url))) as cache:
        assert cache._cache._settling_until > cache._cache._timer()
    async with worker(database, database) as (cache, _):
        assert cache._cache._settling_until <= cache._cache._timer()


def test_too_many_pending_changes_affect_every_name() -> None:
    """Memory stays bounded, and no pending change is missed."""
    timer = Timer()
    pending = PendingChanges(timer)
    for number in range(10_001):
        pending.begin(f"t{number}", "1")
    assert pending.contains("t0")
    assert pending.contains("tother")
    timer.now = CHANGE_TIMEOUT
    assert not any(pending.contains(change) for change in ("t0", "t10000", "tother"))
    assert len(pending._ends) == len(pending._counts) == 0


# Triggers ----------------------------------------------------------------------------------------------------------

BROKEN = {
    "missing": "DROP TRIGGER oauth1_token_credential_deleted ON oauth1_token_credential",
    "disabled": "ALTER TABLE oauth1_client DISABLE TRIGGER oauth1_client_updated",
    "all-disabled": "ALTER TABLE oauth1_token_credential DISABLE TRIGGER USER",
    "skipped by replica sessions": "ALTER TABLE oauth1_client ENABLE TRIGGER oauth1_client_deleted",
    "another function": (
        "DROP TRIGGER oauth1_client_truncated ON oauth1_client;"
        "CREATE TRIGGER oauth1_client_truncated AFTER TRUNCATE ON oauth1_client"
        " FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_clients()"
    ),
    "another body": (
        "CREATE OR REPLACE FUNCTION oauth1_tell_of_all() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_nothing_is_cached_with_broken_triggers(
    database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """The store opens, caches nothing and logs what to do. `migrate` repairs it without a restart."""
    store = PostgresStore(database)
    await store.migrate()
    postgres.sql(BROKEN[broken])
    async with CachingStore(store, open_change_feed(database)) as cache:
        await store.add_client(PRINTER)
        for _ in range(2):
            before = store.round_trips
            await cache.query_client("printer")
            assert store.round_trips == before + 1
        assert [r.message for r in caplog.records if "run async-oauth1 migrate on this database" in r.message]
        assert "is not connected" not in caplog.text
        await store.migrate()
        await until(cache._feed.is_current)
        await serves_from_memory(cache, store)


async def test_triggers_that_are_disabled_while_in_use(
    database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """The next probe finds them, so a revocation after that takes effect in under a second."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        postgres.sql("ALTER TABLE oauth1_token_credential DISABLE TRIGGER USER")
        await store.revoke_token_credential(token.oauth_token)
        await gone(cache, "printer", token.oauth_token)
        await until(lambda: "run async-oauth1 migrate" in caplog.text)


async def test_changes_in_a_replicating_session_are_reported(database: str, postgres: Postgres) -> None:
    """session_replication_role=replica skips ordinary triggers; these are enabled with ALWAYS."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        postgres.sql("SET session_replication_role=replica; DELETE FROM oauth1_token_credential")
        await gone(cache, "printer", token.oauth_token)


async def test_a_role_that_does_not_own_the_tables_can_migrate(
    database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """`migrate` succeeds if only triggers are missing, and logs that the owner has to run it."""
    await PostgresStore(database).migrate()
    postgres.sql(
        "DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN; GRANT USAGE ON SCHEMA public TO app;"
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO app;"
        "ALTER TABLE oauth1_client DISABLE TRIGGER USER"
    )
    with caplog.at_level(logging.WARNING):
        await PostgresStore(database.replace("postgres@", "app@")).migrate()
    assert "run async-oauth1 migrate as the owner" in caplog.text
    postgres.sql("DROP OWNED BY app; DROP ROLE app")
