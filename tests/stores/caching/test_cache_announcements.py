"""The cache between the two announcements of a change, and with triggers that do not tell."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from async_oauth1.stores.announced_changes import HOLD, Holds, begun, done
from async_oauth1.stores.caching import CachingStore, open_notifier
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.redis.notifier import RedisNotifier
from tests.servers import Postgres, Valkey, unmeasured_environment

from .test_caching import FakeNotifier, SlowStore, Timer, gone, serves_from_memory, until, worker

PRINTER = Client(client_id="printer", client_secret="s")

# Announces a change, waits for a line, makes the change and dies before it can announce that it is done.
DYING = """
import asyncio, os, signal, sys
from async_oauth1.stores.caching import CachingStore, open_notifier
from async_oauth1.stores.postgres import PostgresStore

async def main():
    store, notifier = PostgresStore(sys.argv[1]), open_notifier(sys.argv[2])
    announce, announced = notifier.announce, []
    async def announce_once(change):
        if announced:
            os.kill(os.getpid(), signal.SIGKILL)
        announced.append(change)
        await announce(change)
        print("announced", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    notifier.announce = announce_once
    async with CachingStore(store, notifier) as cache:
        await eval(sys.argv[3])

asyncio.run(main())
"""

CHANGES = {
    "revoke": "cache.revoke_token_credential({token!r})",
    "revoke-user": "cache.revoke_token_credentials(user_id='jane')",
    "revoke-client": "cache.revoke_token_credentials(client_id='printer')",
    "remove-client": "cache.remove_client('printer')",
    "rotate": "cache.rotate_client_secret('printer', overlap=0)",
}


@pytest.fixture
def database(postgres: Postgres) -> str:
    """An empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres.url


@contextmanager
def dying(database: str, told_by: str, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has announced a change, and makes it and is killed once it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, database, told_by, code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=unmeasured_environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "announced\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def settle(cache: CachingStore) -> None:
    """Cache as usual, as if the worker had been listening for a minute."""
    cache._unsettled_until = float("-inf")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("told_by", ["valkey", "postgres"])
async def test_a_process_that_is_killed_before_it_says_done(
    database: str, request: pytest.FixtureRequest, told_by: str, change: str
) -> None:
    """The change counts elsewhere in under a second, although other processes asked the store just before it."""
    server: Valkey | Postgres = request.getfixturevalue(told_by)
    async with worker(database, server.url) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await serves_from_memory(cache, store)
        settle(cache)
        assert await cache.query_credentials("printer", token.oauth_token) == (PRINTER, token)
        code = CHANGES[change].format(token=token.oauth_token)
        with dying(database, server.url, code) as process:
            assert process.stdin is not None
            await until(lambda: told_by == "postgres" or cache._holds.cover("ttoken", "cprinter", *held(token)))
            await cache.query_credentials("printer", token.oauth_token)
            await asyncio.to_thread(process.communicate, "\n")
            assert process.returncode == -signal.SIGKILL
        if change == "rotate":
            await until_changed(cache)
        else:
            await gone(cache, "printer", token.oauth_token)


def held(token) -> tuple[str, ...]:
    """All changes that concern a token."""
    return "t" + token.oauth_token, "u" + token.user_id, "c" + token.client_id


async def until_changed(cache: CachingStore) -> None:
    """The client has a new secret in under a second."""
    async with asyncio.timeout(1):
        while await cache.query_client("printer") == PRINTER:
            await asyncio.sleep(0.005)


@pytest.fixture
def inner() -> SlowStore:
    """The store behind the cache."""
    return SlowStore()


@pytest.fixture
def notifier() -> FakeNotifier:
    """Announces what a test says."""
    return FakeNotifier()


@pytest.fixture
def timer() -> Timer:
    """What the cache goes by."""
    return Timer()


@pytest.fixture
async def cache(inner: SlowStore, notifier: FakeNotifier, timer: Timer) -> AsyncIterator[CachingStore]:
    """A cache that hears what a test says."""
    async with CachingStore(inner, notifier, timer=timer) as cache:
        yield cache


async def asked(cache: CachingStore, inner: SlowStore, look_up: Callable[[], object]) -> int:
    """How often the store is asked for two look-ups."""
    inner.asked.clear()
    for _ in range(2):
        await look_up()  # type: ignore[misc]
    return len(inner.asked)


@pytest.mark.parametrize("kind", ["t", "c", "u"])
async def test_a_name_is_not_cached_until_the_change_is_done(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, timer: Timer, kind: str
) -> None:
    """A token, a client or a user, from the first announcement to the second, or for a minute; others are cached."""
    await inner.add_client(PRINTER)
    await inner.add_client(Client(client_id="other"))
    token = await inner.issue_token_credential("printer", "jane")
    change = {"t": "t" + token.oauth_token, "c": "cprinter", "u": "ujane"}[kind]
    look_up = lambda: cache.query_credentials("printer", token.oauth_token)  # noqa: E731
    for end in ("done", "timeout"):
        notifier.tell(begun(change, "1"))
        notifier.tell(begun(change, "2"))
        assert await asked(cache, inner, look_up) == 2
        assert await asked(cache, inner, lambda: cache.query_client("other")) <= 1
        notifier.tell(done(change, "2"))
        assert await asked(cache, inner, look_up) == 2
        if end == "done":
            notifier.tell(done(change, "1"))
        else:
            timer.now += HOLD
        assert await asked(cache, inner, look_up) == 1


async def test_a_change_that_fails_is_not_announced_as_done(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may still carry out what it was told: the name stays uncached here and elsewhere."""
    await inner.add_client(PRINTER)

    async def fail(client_id: str, *, overlap: float) -> Client | None:
        raise StoreUnavailableError()

    monkeypatch.setattr(inner, "rotate_client_secret", fail)
    with pytest.raises(StoreUnavailableError):
        await cache.rotate_client_secret("printer", overlap=0)
    assert {message[0] for message in notifier.announced} == {"<"}
    assert await asked(cache, inner, lambda: cache.query_client("printer")) == 2


async def test_a_change_that_cannot_be_announced_holds_nothing(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not made, and the name is cached as before."""
    await inner.add_client(PRINTER)

    async def fail(change: str) -> None:
        raise StoreUnavailableError()

    monkeypatch.setattr(notifier, "announce", fail)
    with pytest.raises(StoreUnavailableError):
        await cache.remove_client("printer")
    assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1


async def test_a_long_change_is_announced_again(
    cache: CachingStore, inner: SlowStore, notifier: FakeNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the process that makes it is alive, no other process caches the name."""
    monkeypatch.setattr("async_oauth1.stores.caching.store.HOLD", 0.03)
    gate = asyncio.Event()

    async def revoke(oauth_token: str, *, user_id: str | None = None) -> bool:
        await gate.wait()
        return True

    monkeypatch.setattr(inner, "revoke_token_credential", revoke)
    task = asyncio.create_task(cache.revoke_token_credential("token"))
    await until(lambda: len(notifier.announced) >= 3)
    gate.set()
    assert await task
    *before, last = notifier.announced
    assert len(set(before)) == 1
    assert last == ">" + before[0][1:]


async def test_nothing_is_cached_for_long_until_earlier_changes_must_be_done(
    inner: SlowStore, notifier: FakeNotifier, timer: Timer
) -> None:
    """A process that begins to listen may have missed an announcement: for a minute it keeps answers half a second."""
    notifier.settling_time = HOLD
    await inner.add_client(PRINTER)
    async with CachingStore(inner, notifier, timer=timer) as cache:
        notifier.tell("*")
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += 0.5
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += HOLD
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 1
        timer.now += 20
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 0


async def test_redis_announcements_of_an_older_release_hold_too(valkey: Valkey) -> None:
    """They do not say whether the change is done, so the name stays uncached for a minute."""
    inner = SlowStore()
    await inner.add_client(PRINTER)
    async with CachingStore(inner, open_notifier(valkey.url)) as cache:
        notifier = cache._notifier
        assert isinstance(notifier, RedisNotifier)
        await notifier.announce("cprinter")
        await until(lambda: cache._holds.cover("cprinter"))
        assert await asked(cache, inner, lambda: cache.query_client("printer")) == 2


async def test_a_new_listener_is_unsettled_with_redis_alone(valkey: Valkey, database: str) -> None:
    """PostgreSQL tells of changes as they are committed, so there is nothing to wait for."""
    async with CachingStore(MemoryStore(), open_notifier(valkey.url)) as cache:
        assert cache._unsettled_until > cache._timer()
    async with worker(database, database) as (cache, _):
        assert cache._unsettled_until <= cache._timer()


def test_more_changes_than_can_be_counted_hold_everything() -> None:
    """Memory stays bounded, and no change is overlooked."""
    timer = Timer()
    holds = Holds(timer)
    for number in range(10_001):
        holds.begin(f"t{number}", "1")
    assert holds.cover("t0")
    assert holds.cover("tother")
    timer.now = HOLD
    assert not holds.cover("t0", "t10000", "tother")
    assert len(holds._ends) == len(holds._changes) == 0


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
async def test_triggers_that_would_not_tell_are_not_trusted(
    database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """The store opens and caches nothing, and the log says what to do; migrate mends it without a restart."""
    store = PostgresStore(database)
    await store.migrate()
    postgres.sql(BROKEN[broken])
    async with CachingStore(store, open_notifier(database)) as cache:
        await store.add_client(PRINTER)
        for _ in range(2):
            before = store.round_trips
            await cache.query_client("printer")
            assert store.round_trips == before + 1
        assert [r.message for r in caplog.records if "run async-oauth1 migrate on this database" in r.message]
        assert "is not connected" not in caplog.text
        await store.migrate()
        await until(cache._notifier.is_current)
        await serves_from_memory(cache, store)


async def test_triggers_that_are_disabled_while_in_use(
    database: str, postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    """They are found by the next proof: a revocation after that is seen in under a second."""
    async with worker(database, database) as (cache, store):
        await store.add_client(PRINTER)
        token = await store.issue_token_credential("printer", "jane")
        await cache.query_credentials("printer", token.oauth_token)
        postgres.sql("ALTER TABLE oauth1_token_credential DISABLE TRIGGER USER")
        await store.revoke_token_credential(token.oauth_token)
        await gone(cache, "printer", token.oauth_token)
        await until(lambda: "run async-oauth1 migrate" in caplog.text)


async def test_changes_in_a_session_that_replicates_are_told(database: str, postgres: Postgres) -> None:
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
    """There is nothing else to do, so it succeeds; the log says that nothing is cached until the owner has done it."""
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
