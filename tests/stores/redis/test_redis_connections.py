"""Connections to a Redis server: kept, shared by nobody, and never read out of step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.exceptions import NoScriptError

from async_oauth1.stores.redis.connections import Connections
from async_oauth1.stores.redis.node import new_client
from async_oauth1.stores.redis.url import RedisSettings
from tests.servers import Valkey

LIMIT = 3


@pytest_asyncio.fixture
async def connections(valkey: Valkey) -> AsyncIterator[Connections]:
    """At most three of them."""
    settings = RedisSettings.from_url(valkey.url)
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
    """All in one round trip; an error stands in its command's place, and the others are answered."""
    answers = await connections.ask([("SET", "a", "1"), ("EVALSHA", "0" * 40, 0), ("GET", "a"), ("GET", "b")])
    assert isinstance(answers.pop(1), NoScriptError)
    assert answers == [True, b"1", None]
    assert connections.round_trips == 1


async def test_one_connection_serves_who_comes_one_after_the_other(valkey: Valkey, connections: Connections) -> None:
    """It is kept."""
    before = len(_clients(valkey))
    for _ in range(5):
        await connections.ask([("PING",)])
    assert len(_clients(valkey)) == before + 1


async def test_callers_wait_for_a_connection(valkey: Valkey, connections: Connections) -> None:
    """Those at once have one each, up to the limit; the others wait, and all are answered."""
    before = len(_clients(valkey))
    answers = await asyncio.gather(*(connections.ask([("ECHO", str(number))]) for number in range(20)))
    assert answers == [[str(number).encode()] for number in range(20)]
    assert len(_clients(valkey)) == before + LIMIT


async def test_a_connection_that_the_server_has_closed_is_made_anew(valkey: Valkey, connections: Connections) -> None:
    """Servers and what stands between close connections that are idle; no request pays for it."""
    for _ in range(3):
        assert await connections.ask([("ECHO", "here")]) == [b"here"]
        _kill_clients(valkey)
        await asyncio.sleep(0.05)  # the news arrives


@pytest.mark.parametrize("answered", [False, True])
async def test_who_hangs_up_leaves_no_answer_to_the_next(connections: Connections, *, answered: bool) -> None:
    """A caller that is cancelled while the answer is on its way: the next caller gets its own."""
    await connections.ask([("PING",)])
    for number in range(20):
        caller = asyncio.create_task(connections.ask([("ECHO", "mine"), ("ECHO", "mine")]))
        for _ in range(number % 7):
            await asyncio.sleep(0.002 if answered else 0)
        caller.cancel()
        assert await connections.ask([("ECHO", f"yours {number}")]) == [f"yours {number}".encode()]


async def test_closed_connections_are_gone(valkey: Valkey, connections: Connections) -> None:
    """Those in use, too, once they are no longer."""
    before = len(_clients(valkey))
    under_way = asyncio.create_task(connections.ask([("BLPOP", "nothing", "0.2")]))
    await connections.ask([("PING",)])
    assert len(_clients(valkey)) == before + 2
    await connections.close()
    assert await under_way == [None]
    await asyncio.sleep(0.05)
    assert len(_clients(valkey)) == before
