"""Launches over the stores that workers share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from async_oauth1 import Client
from async_oauth1.errors import InvalidNonceError
from async_oauth1.lti import LTIConsumer, LTITool
from async_oauth1.stores import Store, open_store
from tests.servers import Postgres, Valkey

from .consumer import KEY, SECRET, posted, signed


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of an empty store."""
    server: Postgres | Valkey = request.getfixturevalue(kind)
    return empty(server) if isinstance(server, Postgres) else f"{server.url}?timeout=30"


def empty(server: Postgres) -> str:
    """The URL of a database with empty tables."""
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    store = open_store(server.url)
    assert isinstance(store, Store)
    asyncio.run(store.migrate())
    return server.url


async def refusals(tools: list[LTITool], ahead: int) -> list[type[BaseException]]:
    """The errors of twenty copies of one launch, sent to the tools by turns."""
    fields = signed(timestamp=int(time.time()) + ahead)
    attempts = (tools[number % 2].verify_launch(posted(fields)) for number in range(20))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    return [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]


@pytest.mark.parametrize("kind", ["postgres", "valkey"])
@pytest.mark.parametrize("ahead", [0, 1800])
async def test_twenty_copies_of_one_launch(ahead: int, kind: str, url: str) -> None:
    """Two workers with one store accept one of them, also if the consumer's clock is half an hour ahead."""
    consumer = LTIConsumer(client_id=KEY, client_secret=SECRET, timestamp_window=3600)
    async with open_store(url) as first, open_store(url) as second:
        tools = [LTITool(lambda _: consumer), LTITool(lambda _: consumer)]
        for tool, store in zip(tools, (first, second), strict=True):
            tool.register_hooks(store)
            assert store.nonce_lifetime >= 7200
        assert await refusals(tools, ahead) == [InvalidNonceError] * 19


@pytest.mark.parametrize("kind", ["postgres"])
async def test_consumers_may_be_the_clients_of_a_store(url: str) -> None:
    """Without a hook of its own, a tool looks consumers up in the store."""
    async with open_store(url) as store:
        assert isinstance(store, Store)
        await store.add_client(Client(client_id=KEY, client_secret=SECRET))
        tool = LTITool()
        tool.register_hooks(store)
        assert await refusals([tool, tool], 0) == [InvalidNonceError] * 19
