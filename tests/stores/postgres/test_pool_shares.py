"""Statements that wait for a lock leave connections for look-ups, nonces and `ping`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from async_oauth1.credentials import Client
from async_oauth1.stores.postgres import PostgresStore
from tests.servers import Postgres


@pytest.fixture
def server(postgres: Postgres) -> Postgres:
    """The server, with an empty database."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres


@pytest_asyncio.fixture(params=["ours", "the application's"])
async def store(request: pytest.FixtureRequest, server: Postgres) -> AsyncIterator[PostgresStore]:
    """A store with five connections: its own, or those of a given pool."""
    await PostgresStore(server.url).migrate()
    if request.param == "ours":
        async with PostgresStore(f"{server.url}&max_size=5") as store:
            yield store
    else:
        async with asyncpg.create_pool(server.url, min_size=1, max_size=5) as pool, PostgresStore(pool=pool) as store:
            yield store


async def _waiting_for_locks(server: Postgres, at_least: int) -> None:
    watcher = await asyncpg.connect(server.url)
    try:
        async with asyncio.timeout(60):
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while await watcher.fetchval(query) < at_least:
                await asyncio.sleep(0.01)
    finally:
        await watcher.close()


async def test_approvals_against_a_locked_table_do_not_starve_protected_routes(
    server: Postgres, store: PostgresStore
) -> None:
    """While thirty approvals wait for a lock, look-ups, nonces and the health check are answered."""
    await store.add_client(Client(client_id="c", client_secret="s"))
    token = {"oauth_token": "t", "oauth_token_secret": "s"}
    pending = await store.create_temporary_credential(token, "c", "oob")
    holder = await asyncpg.connect(server.url)
    try:
        await holder.execute("BEGIN; LOCK TABLE oauth1_temporary_credential")
        approvals = [
            asyncio.create_task(store.create_authorization_verifier(pending, f"u{number}", "v")) for number in range(30)
        ]
        await _waiting_for_locks(server, 2)
        for number in range(6):
            client, _ = await store.query_credentials("c", "unknown")
            assert client is not None
            assert await store.exists_nonce(f"n{number}", "4000000000", "c", None) is False
        await asyncio.gather(*(store.ping() for _ in range(20)))
        assert not any(approval.done() for approval in approvals)
    finally:
        await holder.close()
    assert sorted(await asyncio.gather(*approvals)) == [False] * 29 + [True]


async def test_removals_of_expired_rows_do_not_starve_protected_routes(server: Postgres, clock) -> None:
    """While many removals wait for a locked table, look-ups and nonces are answered."""
    async with PostgresStore(f"{server.url}&max_size=5", clock=clock) as store:
        holder = await asyncpg.connect(server.url)
        try:
            await holder.execute("BEGIN; LOCK TABLE oauth1_temporary_credential")
            for number in range(8):
                clock.advance(60)
                assert await store.exists_nonce(f"n{number}", "4000000000", "c", None) is False
                assert await store.query_client("c") is None
            await _waiting_for_locks(server, 1)
        finally:
            await holder.close()


@pytest.fixture(autouse=True)
def tables(server: Postgres) -> None:
    """The tables of this release."""
    asyncio.run(PostgresStore(server.url).migrate())


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_small_pool_still_serves_both(server: Postgres, size: int) -> None:
    """With a single connection, all statements share it."""
    async with PostgresStore(f"{server.url}&max_size={size}") as store:

        async def flow(number: int) -> None:
            token = {"oauth_token": f"t{number}", "oauth_token_secret": "s"}
            pending = await store.create_temporary_credential(token, "c", "oob")
            assert await store.create_authorization_verifier(pending, "jane", "v") is True
            assert await store.exists_nonce(f"n{number}", "4000000000", "c", None) is False
            assert await store.query_client("c") is None
            await store.ping()

        await asyncio.gather(*(flow(number) for number in range(10)))
