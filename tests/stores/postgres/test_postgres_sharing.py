"""Several providers in one PostgreSQL database, each in its own schema, and unsuitable databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import StoreError
from async_oauth1.stores.caching import CachingStore, open_change_feed
from async_oauth1.stores.postgres import PostgresStore
from async_oauth1.stores.postgres.schema import MIGRATIONS
from tests.servers import Postgres

TABLES = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'oauth1_%' AND schemaname = '{}'"


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Postgres]:
    """The server, with an empty database and a schema whose name must be quoted."""
    postgres.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA "Mine"')
    yield postgres
    postgres.sql('DROP SCHEMA IF EXISTS "Mine" CASCADE')


def _mine(server: Postgres, then: str = "public") -> str:
    """A URL with `Mine` first in the search path."""
    return f"{server.url}&search_path=%22Mine%22,{then}"


async def test_each_schema_has_its_own_tables(server: Postgres) -> None:
    """`migrate` creates tables although another schema has some, and the providers are separate."""
    await PostgresStore(server.url).migrate()
    async with PostgresStore(server.url) as theirs:
        await theirs.add_client(Client(client_id="c", client_secret="theirs"))
        with pytest.raises(
            StoreError, match="has no tables in the schema Mine yet; migrate it first, or set search_path"
        ):
            await PostgresStore(_mine(server)).open()
        await PostgresStore(_mine(server)).migrate()
        async with PostgresStore(_mine(server)) as ours:
            assert await ours.query_client("c") is None
            await ours.add_client(Client(client_id="c", client_secret="ours"))
            token = {"oauth_token": "t", "oauth_token_secret": "s"}
            pending = await theirs.create_temporary_credential(token, "c", "oob")
            assert await ours.get_temporary_credential("t") is None
            assert await ours.create_authorization_verifier(pending, "their jane", "v") is False
            assert await ours.delete_temporary_credential("t") is False
            assert await theirs.exists_nonce("n", "4000000000", "c", None) is False
            assert await ours.exists_nonce("n", "4000000000", "c", None) is False
            assert await ours.remove_client("c") is True
        assert await theirs.query_client("c") == Client(client_id="c", client_secret="theirs")
        assert await theirs.get_temporary_credential("t") is not None


async def test_a_migration_leaves_the_other_schema_alone(server: Postgres) -> None:
    """Older tables in another schema are not changed."""
    server.sql("CREATE TABLE oauth1_schema (version integer NOT NULL); INSERT INTO oauth1_schema VALUES (1)")
    server.sql(";".join(MIGRATIONS[0]))
    await PostgresStore(_mine(server)).migrate()
    assert server.sql("SELECT version FROM public.oauth1_schema") == "1"
    assert server.sql(TABLES.format("Mine")) == "9"
    columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.oauth1_token_credential'::regclass"
    assert server.sql(f"{columns} AND attname = 'expires_at'") == "0"
    where = "tgrelid::regclass::text LIKE 'public.%' OR tgrelid::regclass::text LIKE 'oauth1_%'"
    assert server.sql(f"SELECT count(*) FROM pg_trigger WHERE {where}") == "0"


async def test_a_missing_table_is_not_taken_from_another_schema(server: Postgres) -> None:
    """A missing table is not taken from the next schema in the path."""
    await PostgresStore(server.url).migrate()
    await PostgresStore(_mine(server)).migrate()
    server.sql('DROP TABLE "Mine".oauth1_nonce')
    with pytest.raises(StoreError, match="some of the tables are missing in the schema Mine"):
        await PostgresStore(_mine(server)).open()


async def test_a_path_without_a_schema(server: Postgres) -> None:
    """The error says that no schema of the path exists."""
    for attempt in (PostgresStore(f"{server.url}&search_path=nothing"),):
        with pytest.raises(StoreError, match="search_path names no schema that exists"):
            await attempt.migrate()
        with pytest.raises(StoreError, match="search_path names no schema that exists"):
            await attempt.open()


async def test_a_cache_forgets_what_its_own_schema_changes(server: Postgres) -> None:
    """A cache forgets what changes in its own schema, and is not harmed by changes in another."""
    await PostgresStore(server.url).migrate()
    await PostgresStore(_mine(server)).migrate()
    url = _mine(server)
    async with CachingStore(PostgresStore(url), open_change_feed(url)) as ours, PostgresStore(server.url) as theirs:
        await ours.add_client(Client(client_id="c", client_secret="ours"))
        await theirs.add_client(Client(client_id="c", client_secret="theirs"))
        for store in (theirs, ours):
            found = await ours.query_client("c")
            assert found is not None
            assert found.client_secret == "ours"
            await store.remove_client("c")
        assert await ours.query_client("c") is None


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other_encoding(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[tuple[str, str]]:
    """A database in another encoding: its name, and a URL."""
    name = request.param
    postgres.sql(f"DROP DATABASE IF EXISTS {name}")
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{name}' LOCALE 'C'")
    yield name, postgres.url.replace("/postgres?", f"/{name.lower()}?")
    postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_database_that_is_not_utf8_is_refused(other_encoding: tuple[str, str]) -> None:
    """`migrate` and `open` refuse another encoding; the error names it and says what to do."""
    name, url = other_encoding
    message = f"the database's encoding is {name}, .*create a database with ENCODING 'UTF8'"
    with pytest.raises(StoreError, match=message):
        await PostgresStore(url).migrate()
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval(TABLES.format("public")) == 0
        await connection.execute("CREATE TABLE oauth1_schema (version integer NOT NULL)")
        await connection.execute(f"INSERT INTO oauth1_schema VALUES ({len(MIGRATIONS)})")
    finally:
        await connection.close()
    with pytest.raises(StoreError, match=message):
        await PostgresStore(url).open()


async def test_a_pool_with_another_client_encoding_is_refused(server: Postgres) -> None:
    """A pool with another client encoding is refused, since it could not send every name."""
    await PostgresStore(server.url).migrate()
    settings = {"client_encoding": "latin1"}
    async with asyncpg.create_pool(server.url, min_size=1, server_settings=settings) as pool:
        with pytest.raises(StoreError, match="client_encoding is LATIN1; leave it at UTF8"):
            await PostgresStore(pool=pool).open()


async def test_many_workers_create_both_schemas_at_once(server: Postgres) -> None:
    """Concurrent migrations of two schemas do not affect each other."""
    urls = [server.url, _mine(server)] * 4
    await asyncio.gather(*(PostgresStore(url).migrate() for url in urls))
    assert server.sql(TABLES.format("Mine")) == server.sql(TABLES.format("public")) == "9"
