"""Figures of pools, caches and batches, from real PostgreSQL and Valkey servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from async_oauth1 import Client, ResourceProtector, StoreUnavailableError
from async_oauth1.stores import open_store
from async_oauth1.telemetry import Instrumentation, instrument
from tests.servers import Postgres, Valkey, patient

from .test_metrics import samples

PRINTER = Client(client_id="printer", client_secret="printer-secret", callbacks=("oob",))
#: Seconds after which a figure counts as wrong.
PATIENCE = 60


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    server = Postgres("-c", "fsync=off")
    yield server
    server.close()


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A Valkey server, which is frozen."""
    server = Valkey()
    yield server
    server.close()


class Figures:
    """What a scrape says of a store."""

    def __init__(self, store: Any) -> None:
        self.registry = CollectorRegistry()
        protector = ResourceProtector()
        protector.register_hooks(store)
        self.measuring: Instrumentation = instrument(protector, store=store, registry=self.registry)

    def value(self, name: str, **labels: str) -> float:
        """The sum of a metric over all series that have these labels; 0 without any."""
        return sum(
            value
            for (found, pairs), value in samples(self.registry).items()
            if found == name and labels.items() <= dict(pairs).items()
        )

    def pool(self) -> tuple[float, float, float]:
        """Connections: used, idle, and at most."""
        used, idle = (self.value("db_client_connection_count", db_client_connection_state=s) for s in ("used", "idle"))
        return used, idle, self.value("db_client_connection_max")

    async def wait_for_used(self, number: int) -> None:
        """Wait until so many connections are used."""
        async with asyncio.timeout(PATIENCE):
            while self.pool()[0] != number:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Any]:
    """A store with its tables."""
    store = open_store(url)
    await store.migrate()
    async with store:
        yield store


def url_of(postgres: Postgres, options: str) -> str:
    """The URL of a new database."""
    return f"postgresql://postgres@/{postgres.new_database()}?host={postgres.folder}&{options}"


async def test_the_pool_of_postgresql(postgres: Postgres) -> None:
    """Calls that wait for a lock use connections, and give them back."""
    url = url_of(postgres, "max_size=6&timeout=60")
    async with opened(url) as store:
        figures = Figures(store)
        used, idle, most = figures.pool()
        assert (used, most) == (0, 6)
        assert idle >= 1
        other = await asyncpg.connect(url.partition("&max_size")[0])
        await other.execute("BEGIN")
        await other.execute("LOCK TABLE oauth1_client IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.ensure_future(store.add_client(client(number))) for number in range(3)]
        await figures.wait_for_used(3)
        await other.execute("ROLLBACK")
        await asyncio.gather(*waiting)
        await other.close()
        used, idle, most = figures.pool()
        assert (used, most) == (0, 6)
        assert idle >= 3


async def test_the_pool_of_valkey(valkey: Valkey) -> None:
    """Calls that a frozen server does not answer use connections, and give them back."""
    async with opened(f"{valkey.url}?max_connections=5&timeout=60") as store:
        figures = Figures(store)
        assert figures.pool()[2] == 5
        valkey.freeze()
        token = {"oauth_token_secret": "secret"}
        waiting = [
            asyncio.ensure_future(
                store.create_temporary_credential({"oauth_token": f"t{number}", **token}, "printer", "oob")
            )
            for number in range(3)
        ]
        await figures.wait_for_used(3)
        valkey.thaw()
        await asyncio.gather(*waiting)
        used, idle, most = figures.pool()
        assert (used, most) == (0, 5)
        assert idle >= 3
        assert figures.value("db_client_connection_count", db_client_connection_pool_name="redis") == idle


async def test_batches_of_valkey(valkey: Valkey) -> None:
    """Nonces count by batch; how many are live is not read, because that would take as long as they are many."""
    async with opened(patient(valkey.url)) as store:
        figures = Figures(store)
        now = str(int(time.time()))
        await asyncio.gather(*(store.exists_nonce(f"n{number}", now, "printer", None) for number in range(10)))
        await figures.measuring.count_nonces()
        assert figures.value("oauth1_store_nonce_batch_size_sum", db_system_name="redis") == 10
        assert figures.value("db_client_operation_duration_seconds_count", db_operation_name="insert_nonces") >= 1
        assert not any(name == "oauth1_store_nonces" for name, _ in samples(figures.registry))


async def test_a_store_that_does_not_answer(valkey: Valkey) -> None:
    """The time of the batch has the error's name; afterwards there are connections again."""
    async with opened(f"{valkey.url}?timeout=3") as store:
        figures = Figures(store)
        now = str(int(time.time()))
        valkey.freeze()
        with pytest.raises(StoreUnavailableError):
            await store.exists_nonce("n", now, "printer", None)
        valkey.thaw()
        errors = figures.value("db_client_operation_duration_seconds_count", error_type="StoreUnavailableError")
        assert errors == 1
        assert figures.pool()[0] == 0


async def test_the_cache(postgres: Postgres) -> None:
    """The first look-up is a miss, further ones are hits, and after a revocation the next one is a miss."""
    async with opened(url_of(postgres, "cache=100")) as store:
        figures = Figures(store)
        await store.add_client(PRINTER)
        token = (await store.issue_token_credential(PRINTER.client_id, "jane")).oauth_token

        async def found() -> bool:
            client, credential = await store.query_credentials(PRINTER.client_id, token)
            assert client == PRINTER
            return credential is not None

        async with asyncio.timeout(PATIENCE):
            while lookups(figures)[0] < 2:  # nothing is cached until the change feed works
                assert await found()
        hits, misses = lookups(figures)
        assert misses >= 1
        assert await found()
        assert lookups(figures) == (hits + 1, misses)
        assert await store.revoke_token_credential(token)
        assert not await found()
        assert lookups(figures) == (hits + 1, misses + 1)
        assert figures.pool()[2] > 0  # of the store below the cache


def lookups(figures: Figures) -> tuple[float, float]:
    """Hits and misses."""
    name = "oauth1_cache_lookups_total"
    return figures.value(name, oauth1_cache_result="hit"), figures.value(name, oauth1_cache_result="miss")


def client(number: int) -> Client:
    """One of several clients."""
    return Client(client_id=f"client-{number}", client_secret="secret", callbacks=("oob",))
