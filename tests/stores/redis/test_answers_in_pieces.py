"""An answer of Redis is the same however its octets arrive, and a connection that is out of step is not used again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress

import pytest
import pytest_asyncio
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from async_oauth1.stores import open_store
from async_oauth1.stores.redis import connections as module
from async_oauth1.stores.redis.connections import Connections
from async_oauth1.stores.redis.node import new_client
from async_oauth1.stores.redis.url import RedisSettings
from tests.servers import Valkey

#: Commands, and how they are answered: with a line, a number, a string, none, a list, an empty string, two errors.
ANSWERS = [
    (("SET", "a", "1"), True),
    (("INCR", "a"), 2),
    (("INCRBY", "a", "-5"), -3),
    (("GET", "a"), b"-3"),
    (("GET", "missing"), None),
    (("HGETALL", "missing"), {}),
    (("ECHO", ""), b""),
    (("ECHO", b"\r\n+OK\r\n"), b"\r\n+OK\r\n"),
    (("ECHO", b"x" * 200_000), b"x" * 200_000),
    (("GET", "a", "b"), ResponseError),
    (("EVALSHA", "0" * 40, 0), ResponseError),
]

Pieces = Callable[[bytes], Iterable[bytes]]


class Cutter:
    """Forwards to a server, and its answers in the pieces that the test asks for; ``b""`` closes the connection."""

    def __init__(self, server: Valkey) -> None:
        self.pieces: Pieces = lambda data: [data]
        self.connections = 0
        self._server = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        above, below = await asyncio.open_connection("127.0.0.1", self._server.port)
        forwarding = asyncio.create_task(self._forward(reader, below))
        with suppress(ConnectionError):
            while data := await above.read(2**20):
                for piece in self.pieces(data):
                    if not piece:
                        writer.close()
                        break
                    writer.write(piece)
                    await writer.drain()
                    for _ in range(4):  # the client, in the same loop, reads this piece before the next
                        await asyncio.sleep(0)
        below.close()
        writer.close()
        await forwarding

    async def _forward(self, reader: asyncio.StreamReader, below: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(2**20):
                below.write(data)
        below.close()


@pytest_asyncio.fixture
async def cutter(valkey: Valkey) -> AsyncIterator[Cutter]:
    """Between the client and the server."""
    valkey.flush()
    yield Cutter(valkey)


@pytest_asyncio.fixture
async def connections(cutter: Cutter) -> AsyncIterator[Connections]:
    """At most one connection, through the cutter."""
    async with await asyncio.start_server(cutter.serve, "127.0.0.1", 0) as listening:
        settings = RedisSettings.from_url(f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        made = Connections(new_client(settings.addresses[0], settings, timed=False), 1)
        yield made
        await made.close()


def _of(size: int) -> Pieces:
    """Cuts the first octets of an answer; a long one would take too many pieces."""

    def pieces(data: bytes) -> list[bytes]:
        first, rest = data[:40], data[40:]
        return [*(first[start : start + size] for start in range(0, len(first), size)), *([rest] if rest else [])]

    return pieces


async def _check(connections: Connections) -> None:
    for command, expected in ANSWERS:
        (answer,) = await connections.ask([command])
        if expected is ResponseError:
            assert isinstance(answer, ResponseError)
        else:
            assert (command, answer) == (command, expected)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 40, 2**20])
async def test_pieces_of_any_size(cutter: Cutter, connections: Connections, size: int) -> None:
    """The same answers, over one connection."""
    await connections.ask([("PING",)])
    cutter.pieces = _of(size)
    await _check(connections)
    assert cutter.connections == 1


async def test_several_commands_and_one_take_turns(connections: Connections, cutter: Cutter) -> None:
    """Answers to several commands are read by the library, in the same order and over the same connection."""
    for number in range(5):
        assert await connections.ask([("ECHO", str(number))]) == [b"%d" % number]
        assert await connections.ask([("ECHO", "a"), ("HGETALL", "h"), ("ECHO", "b")]) == [b"a", {}, b"b"]
    assert cutter.connections == 1


@pytest.mark.parametrize("surplus", [b"+OK\r\n", b"$3\r\nold\r\n", b"$3\r\nol", b"+"])
@pytest.mark.parametrize("together", [True, False])
async def test_a_surplus_answer_is_not_read_as_the_next_one(
    cutter: Cutter, connections: Connections, surplus: bytes, *, together: bool
) -> None:
    """Whether it comes with an answer or after it, the connection is replaced."""
    await connections.ask([("PING",)])
    for number in range(3):
        cutter.pieces = (lambda data: [data + surplus]) if together else (lambda data: [data, surplus])
        (answer,) = await connections.ask([("ECHO", "first")])
        assert answer == b"first"
        cutter.pieces = lambda data: [data]
        for _ in range(10):
            await asyncio.sleep(0)
        assert await connections.ask([("ECHO", f"second {number}")]) == [f"second {number}".encode()]
        assert cutter.connections == number + 2


@pytest.mark.parametrize("kept", [0, 1, 4, 5])
async def test_a_connection_that_closes_within_an_answer(cutter: Cutter, connections: Connections, kept: int) -> None:
    """The command fails, and is not sent again; the next one has a new connection."""
    await connections.ask([("SET", "a", 0)])
    cutter.pieces = lambda data: [*([data[:kept]] if kept else []), b""]
    with pytest.raises((RedisConnectionError, OSError)):
        await connections.ask([("APPEND", "a", "x" * 100)])
    cutter.pieces = lambda data: [data]
    assert await connections.ask([("STRLEN", "a")]) == [101]


async def test_a_connection_that_closes_after_an_answer(cutter: Cutter, connections: Connections) -> None:
    """The next command does not fail: nothing was sent over the closed connection."""
    await connections.ask([("PING",)])
    cutter.pieces = lambda data: [data, b""]
    assert await connections.ask([("ECHO", "a")]) == [b"a"]
    cutter.pieces = lambda data: [data]
    for _ in range(20):
        await asyncio.sleep(0)
    assert await connections.ask([("ECHO", "b")]) == [b"b"]
    assert cutter.connections == 2


async def test_a_library_without_transports(
    connections: Connections, cutter: Cutter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a release of the library has no such attribute, it reads all answers itself."""
    monkeypatch.setattr(module, "_transport_of", lambda _: None)
    await _check(connections)
    assert cutter.connections == 1


def test_another_event_loop(valkey: Valkey) -> None:
    """Under uvloop a nonce is new once."""

    async def use() -> list[bool]:
        async with open_store(valkey.url) as store:
            nonces = itertools.chain(range(5), range(5))
            return [await store.exists_nonce(f"uv{number}", "4000000000", "c", None) for number in nonces]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(use()) == [False] * 5 + [True] * 5


@given(st.binary(max_size=24) | st.from_regex(rb"[+:$*-][0-9-]{0,3}(\r\n)?[a-z\r\n]{0,9}(\r\n)?", fullmatch=True))
def test_octets_that_are_no_whole_answer_are_left_to_the_library(data: bytes) -> None:
    """No octets raise an error; what is read is the whole of them."""
    answer = module._read(data)
    if answer is module._FOR_THE_LIBRARY:
        return
    line = answer if isinstance(answer, bytes) else b""
    forms = [b"+%b\r\n" % line, b"$%d\r\n%b\r\n" % (len(line), line), b"$-1\r\n"]
    assert data in forms or (data[:1] == b":" and int(data[1:]) == answer)
