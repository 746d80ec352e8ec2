"""Connections to a Redis server are reused, have one user at a time, and are never read out of step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.exceptions import NoScriptError

from async_oauth1.stores.redis.connections import Connections
from async_oauth1.stores.redis.node import new_client
from async_oauth1.stores.redis.url import RedisSettings
from tests.servers import Valkey, patient, wait_until

LIMIT = 3


@pytest_asyncio.fixture
async def connections(valkey: Valkey) -> AsyncIterator[Connections]:
    """A pool of at most three connections."""
    settings = RedisSettings.from_url(patient(valkey.url))
    made = Connections(new_client(settings.addresses[0], settings, timed=False), LIMIT)
    yield made
    await made.close()


def _clients(valkey: Valkey) -> list[dict[str, str]]:
    with valkey.client() as client:
        return [one for one in client.client_list() if one["cmd"] != "client|list"]


def _kill_clients(valkey: Valkey) -> None:
    with valkey.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


async def test_answers_come_in_the_order_of_the_commands(connections: Connections) -> None:
    """All commands take one round trip. If one fails, its answer is the error; the others are answered."""
    answers = await connections.ask([("SET", "a", "1"), ("EVALSHA", "0" * 40, 0), ("GET", "a"), ("GET", "b")])
    assert isinstance(answers.pop(1), NoScriptError)
    assert answers == [True, b"1", None]
    assert connections.round_trips == 1


async def test_sequential_callers_share_a_connection(valkey: Valkey, connections: Connections) -> None:
    """The connection is kept and reused."""
    before = len(_clients(valkey))
    for _ in range(5):
        await connections.ask([("PING",)])
    assert len(_clients(valkey)) == before + 1


async def test_callers_wait_for_a_connection(valkey: Valkey, connections: Connections) -> None:
    """Concurrent callers get one connection each, up to the limit; the others wait, and all are answered."""
    before = len(_clients(valkey))
    answers = await asyncio.gather(*(connections.ask([("ECHO", str(number))]) for number in range(20)))
    assert answers == [[str(number).encode()] for number in range(20)]
    assert len(_clients(valkey)) == before + LIMIT


async def test_a_connection_that_the_server_has_closed_is_replaced(valkey: Valkey, connections: Connections) -> None:
    """Servers and proxies close idle connections; the next command does not fail."""
    for _ in range(3):
        assert await connections.ask([("ECHO", "here")]) == [b"here"]
        _kill_clients(valkey)
        await asyncio.sleep(0.05)  # the kernel has been notified; the event loop is in its next round


@pytest.mark.parametrize("answered", [False, True])
async def test_a_cancelled_caller_leaves_no_answer_to_the_next(connections: Connections, *, answered: bool) -> None:
    """If a caller is cancelled before its answer arrives, the next caller gets its own answer."""
    await connections.ask([("PING",)])
    for number in range(20):
        caller = asyncio.create_task(connections.ask([("ECHO", "mine"), ("ECHO", "mine")]))
        for _ in range(number % 7):
            await asyncio.sleep(0.002 if answered else 0)
        caller.cancel()
        assert await connections.ask([("ECHO", f"yours {number}")]) == [f"yours {number}".encode()]


async def test_close_disconnects_all(valkey: Valkey, connections: Connections) -> None:
    """Connections in use are closed when their commands are done."""
    before = len(_clients(valkey))
    under_way = asyncio.create_task(connections.ask([("BLPOP", "nothing", "0.2")]))
    await connections.ask([("PING",)])
    assert len(_clients(valkey)) == before + 2
    await connections.close()
    assert await under_way == [None]
    await asyncio.to_thread(wait_until, lambda: len(_clients(valkey)) == before, "the server has noticed")
