"""The PostgreSQL store: tables and versions, the application's pool, and the statements that it sends."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import traceback

import asyncpg
import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import StoreError, open_store
from async_oauth1.stores.caching import open_change_feed
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.schema import SCHEMA_VERSION
from async_oauth1.stores.postgres.url import PostgresSettings
from tests.servers import PgBouncer, Postgres, pgbouncer_binary


@pytest.fixture
def server(postgres: Postgres) -> Postgres:
    """The server, with an empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres


async def _refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        await open_store(url).open()
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_database_that_is_not_ours(server: Postgres) -> None:
    """A database without tables, with older or newer ones, or another application's is refused with one line."""
    assert "has no tables yet; migrate it first" in await _refusal(server.url)
    await open_store(server.url).migrate()
    await open_store(server.url).migrate()
    server.sql("UPDATE oauth1_schema SET version = 99")
    assert "has schema version 99, made by a newer release" in await _refusal(server.url)
    with pytest.raises(StoreError, match="made by a newer release"):
        await open_store(server.url).migrate()
    server.sql("UPDATE oauth1_schema SET version = 0")
    assert f"this release needs {SCHEMA_VERSION}; migrate it first" in await _refusal(server.url)
    server.sql("DROP TABLE oauth1_schema")
    assert "belongs to another application" in await _refusal(server.url)
    with pytest.raises(StoreError, match="belongs to another application"):
        await open_store(server.url).migrate()


async def test_a_server_that_cannot_be_used(server: Postgres) -> None:
    """A wrong name, a closed port or a read-only database is refused with one line, without the password."""
    folder = server.url.partition("=")[2]
    assert 'database "nothing" does not exist' in await _refusal(server.url.replace("/postgres?", "/nothing?"))
    assert 'role "nobody" does not exist' in await _refusal(f"postgresql://nobody:hunter2@/postgres?host={folder}")
    closed = await _refusal("postgresql://jane:hunter2@127.0.0.1:1/x")
    assert "postgresql://jane:***@127.0.0.1:1/x: " in closed
    assert "hunter2" not in closed
    assert "hunter2" not in await _refusal("postgresql://jane:hun/ter2hunter2@127.0.0.1:1/x")
    await open_store(server.url).migrate()
    read_only = f"{server.url}&options=-c%20default_transaction_read_only=on"
    assert "is read-only; connect to the primary" in await _refusal(read_only)


async def test_libpqs_connect_timeout(server: Postgres) -> None:
    """`connect_timeout` is used and not sent to the server; with 0, only `timeout` limits connecting."""
    await open_store(f"{server.url}&connect_timeout=0").migrate()
    async with open_store(f"{server.url}&connect_timeout=10") as store:
        await store.ping()
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        url = f"postgresql://jane@127.0.0.1:{silent.getsockname()[1]}/x?sslmode=disable&timeout=60&connect_timeout=1"
        async with asyncio.timeout(40):
            assert "does not answer in time" in await _refusal(url)


async def test_no_traceback_and_no_repr_shows_a_password() -> None:
    """asyncpg's error for a password with a slash shows a part of it; ours does not."""
    url = "postgresql://jane:hunter2/x@127.0.0.1:1/x"
    for opening in (
        open_store(url).open(),
        open_store(f"{url}?min_size=0").open(),
        open_store(url).migrate(),
        open_change_feed(url).open(lambda change: None),
    ):
        with pytest.raises(StoreError, match="is not a URL that libpq understands") as caught:
            await opening
        assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in repr(PostgresSettings.from_url(url))


async def test_settings_that_lose_nonces_are_logged(server: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    """Opening logs a warning for settings under which a crash loses committed nonces."""
    await open_store(server.url).migrate()
    with caplog.at_level(logging.WARNING):
        async with open_store(f"{server.url}&options=-c%20synchronous_commit=off"):
            pass
    assert "synchronous_commit is off: a crash forgets nonces" in caplog.text


async def test_before_open_and_after_close(server: Postgres) -> None:
    """Use before opening is a RuntimeError, use after closing is unavailable; opening and closing can be repeated."""
    store = open_store(server.url)
    await store.migrate()
    with pytest.raises(RuntimeError, match="before it was opened"):
        await store.exists_nonce("n", "4000000000", "c", None)
    async with store:
        await store.open()
        assert await store.exists_nonce("n", "4000000000", "c", None) is False
    await store.close()
    with pytest.raises(StoreUnavailableError):
        await store.exists_nonce("n", "4000000000", "c", None)
    async with store:
        assert await store.exists_nonce("n", "4000000000", "c", None) is True


async def test_the_applications_pool(server: Postgres) -> None:
    """A given pool is used with its own codecs, and left open."""

    async def set_codecs(connection: asyncpg.Connection) -> None:
        for name in ("json", "jsonb", "uuid"):
            await connection.set_type_codec(name, encoder=repr, decoder=repr, schema="pg_catalog")

    with pytest.raises(TypeError, match="a URL or a pool"):
        PostgresStore()
    async with asyncpg.create_pool(server.url, min_size=1, max_size=3, init=set_codecs) as pool:
        store = PostgresStore(pool=pool)
        await store.migrate()
        client = Client(client_id="c", callbacks=("oob",))
        async with store:
            await store.add_client(client)
            assert await store.exists_nonce("n", "4000000000", "c", None) is False
            assert await store.exists_nonce("n", "4000000000", "c", None) is True
            assert await store.query_credentials("c", "t") == (client, None)
        assert await pool.fetchval("SELECT count(*) FROM oauth1_nonce") == 1


async def test_concurrent_questions_share_round_trips(server: Postgres) -> None:
    """One request takes two round trips; a hundred concurrent ones take few more."""
    store = PostgresStore(server.url)
    await store.migrate()
    async with store:
        await store.query_credentials("c", "t")
        await store.exists_nonce("n", "4000000000", "c", "t")
        before = store.round_trips
        await store.query_credentials("c", "t")
        await store.exists_nonce("n2", "4000000000", "c", "t")
        assert store.round_trips - before == 2
        before = store.round_trips
        await asyncio.gather(*(store.query_credentials(f"c{n}", "t") for n in range(100)))
        await asyncio.gather(*(store.exists_nonce(f"m{n}", "4000000000", "c", "t") for n in range(100)))
        assert store.round_trips - before <= 4


async def test_answers_of_a_batch_are_not_mixed_up(server: Postgres) -> None:
    """Each of many concurrent look-ups gets its own client and token."""
    store = PostgresStore(server.url)
    await store.migrate()
    async with store:
        clients = [Client(client_id=f"c{n}") for n in range(50)]
        await asyncio.gather(*(store.add_client(client) for client in clients))
        answers = await asyncio.gather(*(store.query_client(f"c{n % 60}") for n in range(200)))
        assert answers == [clients[n % 60] if n % 60 < 50 else None for n in range(200)]


async def test_serializable_isolation_without_a_statement_cache(server: Postgres) -> None:
    """With SERIALIZABLE isolation and without prepared statements, races still have one winner."""
    settings = "&statement_cache_size=0&options=-c%20default_transaction_isolation=serializable"
    first, second = PostgresStore(server.url + settings), PostgresStore(server.url + settings)
    await first.migrate()
    async with first, second:
        for number in range(5):
            name = {"oauth_token": f"t{number}", "oauth_token_secret": "s"}
            credential = await first.create_temporary_credential(name, "c", "oob")
            takes = [store.delete_temporary_credential(credential.oauth_token) for store in (first, second)]
            nonces = [store.exists_nonce(f"n{number}", "4000000000", "c", None) for store in (first, second)]
            answers = await asyncio.gather(*takes, *nonces, return_exceptions=True)
            assert [answer for answer in answers[:2] if answer is True] == [True]
            assert [answer for answer in answers[2:] if answer is False] == [False]


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_workers_that_start_together_take_turns(server: Postgres, isolation: str) -> None:
    """Eight concurrent migrations all succeed, with any default isolation."""
    server.sql(f"ALTER DATABASE postgres SET default_transaction_isolation = '{isolation}'")
    try:
        for _ in range(3):
            server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            await asyncio.gather(*(open_store(server.url).migrate() for _ in range(8)))
    finally:
        server.sql("ALTER DATABASE postgres RESET default_transaction_isolation")


@pytest.mark.skipif(
    pgbouncer_binary() is None and not os.environ.get("CI"),
    reason="pgbouncer is no wheel and not installed here; CI installs it, and fails without",
)
async def test_behind_pgbouncer(server: Postgres) -> None:
    """If two stores share two connections of a pgbouncer in transaction mode, each caller gets its own answer."""
    pooler = PgBouncer(server)
    try:
        first, second = PostgresStore(pooler.url), PostgresStore(pooler.url)
        await asyncio.gather(first.migrate(), second.migrate())
        async with first, second:
            await first.add_client(Client(client_id="c", client_secret="s"))

            async def flow(store: PostgresStore, name: str) -> None:
                token = {"oauth_token": name, "oauth_token_secret": f"s{name}"}
                pending = await store.create_temporary_credential(token, "c", "oob")
                assert await store.get_temporary_credential(name) == pending
                assert await store.create_authorization_verifier(pending, f"u{name}", "v") is True
                assert await store.count_wrong_verifier(name) == 1
                made = await store.exchange(pending, token)
                assert made is not None
                assert made.user_id == f"u{name}"
                assert await store.exchange(pending, token) is None
                assert await store.exists_nonce(name, "4000000000", "c", name) is False
                client, found = await store.query_credentials("c", name)
                assert client is not None
                assert found == made

            stores = (first, second)
            for turn in range(5):
                await asyncio.gather(*(flow(stores[n % 2], f"{turn}-{n}") for n in range(16)))
            answers = await asyncio.gather(
                *(stores[n % 2].exists_nonce("one", "4000000000", "c", None) for n in range(64))
            )
            assert answers.count(False) == 1
    finally:
        pooler.close()


async def test_expired_rows_are_removed(server: Postgres, clock) -> None:
    """The table only holds live rows."""
    store = PostgresStore(server.url, clock=clock)
    await store.migrate()
    async with store:
        for number in range(30):
            now = str(int(clock()))
            await asyncio.gather(*(store.exists_nonce(f"{number}-{n}", now, "c", None) for n in range(100)))
            await store.create_temporary_credential(
                {"oauth_token": f"t{number}", "oauth_token_secret": "s"}, "c", "oob"
            )
            clock.advance(100)
    assert int(server.sql("SELECT count(*) FROM oauth1_nonce")) < 1000
    assert int(server.sql("SELECT count(*) FROM oauth1_temporary_credential")) < 10


async def test_an_identifier_that_is_too_long_is_refused(server: Postgres) -> None:
    """An identifier that is too long for an index is refused with a ValueError that names it."""
    store = PostgresStore(server.url)
    await store.migrate()
    token, long = {"oauth_token": "t", "oauth_token_secret": "s"}, "é" * 513
    async with store:
        credential = await store.create_temporary_credential(token, "c", "oob")
        with pytest.raises(ValueError, match="user_id is longer than 1024 bytes"):
            await store.create_authorization_verifier(credential, long, "v")
        with pytest.raises(ValueError, match="oauth_token is longer than 1024 bytes"):
            await store.create_temporary_credential({**token, "oauth_token": long}, "c", "oob")
