"""Connections to one Redis server, and round trips over them.

The client library's connections are used here without its pool and its pipelines, whose bookkeeping costs more CPU time
than the round trip. CONTRIBUTING.md has the figures.

The library reads an answer through a stream and a parser: twelve calls, most of them coroutines. A nonce is answered
with one line or one string, which arrives in one piece. Such an answer is read here, as the transport delivers it. All
other answers, and errors, go to the library's stream unchanged, and the library reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import redis.asyncio
from redis.exceptions import ResponseError

__all__ = ["Command", "Connections"]

Command = tuple[Any, ...]

_ASKING: Command = ("ASKING",)

# The answer has another form, or has not arrived as a whole: the library reads it.
_FOR_THE_LIBRARY = object()
_END = b"\r\n"
# Octets of the first line of an answer that is read here.
_LINE = 16


class Connections:
    """A pool whose connections are made on demand and kept. The one used last is used next.

    Attributes:
        round_trips: how many were made.
        has_answered: whether the server ever answered.
    """

    def __init__(self, client: redis.asyncio.Redis, limit: int) -> None:
        """Start without connections.

        Args:
            client: knows how to connect.
            limit: connections at once; further callers wait.
        """
        self.round_trips = 0
        self.has_answered = False
        self._pool: Any = client.connection_pool
        self._parsers = client.response_callbacks
        self._idle: list[_Link] = []
        self._abandoned: list[_Link] = []
        self._free, self._limit = asyncio.Semaphore(limit), limit
        self._closed = False

    async def ask(self, commands: Sequence[Command], *, asking: bool = False) -> list[Any]:
        """Send commands together and return their answers. If a command fails, its answer is the error.

        Args:
            commands: each a tuple.
            asking: a Cluster node has redirected us here with ``ASK``.

        Raises:
            RedisError: the server could not be asked.
            OSError: the same.
        """
        if asking:  # ASKING applies to the next command only
            return (await self.ask([part for command in commands for part in (_ASKING, command)]))[1::2]
        self.round_trips += 1
        async with self._free:
            while self._abandoned:
                await self._abandoned.pop().disconnect()
            link = self._idle.pop() if self._idle else _Link(self._pool.make_connection())
            try:
                answers = await link.ask(commands)
            except BaseException:  # also when cancelled: unread answers would be read as those of the next commands
                await link.disconnect()
                raise
            self.has_answered = True
            if self._closed:
                await link.disconnect(nowait=False)
            else:
                self._idle.append(link)
        for number, command in enumerate(commands):
            parse = self._parsers.get(command[0])
            if parse is not None and not isinstance(answers[number], Exception):
                answers[number] = parse(answers[number])
        return answers

    def use(self) -> tuple[int, int, int]:
        """The connections that are in use, that are idle, and that may be open at once."""
        used = self._limit - self._free._value  # noqa: SLF001 - a semaphore has no public count
        return used, len(self._idle), self._limit

    def abandon(self) -> None:
        """Stop using the connections that are idle now: if one has failed silently, the others may have as well."""
        self._abandoned += self._idle
        self._idle = []

    async def close(self) -> None:
        """Disconnect. Connections in use are closed when their commands are done."""
        self._closed = True
        self.abandon()
        while self._abandoned:
            await self._abandoned.pop().disconnect(nowait=False)


class _Link:
    """A connection with one user at a time."""

    def __init__(self, connection: Any) -> None:
        """Keep the connection; no I/O.

        Args:
            connection: of redis-py.
        """
        self._connection = connection
        self._wire: _Wire | None = None

    async def _connect(self) -> None:
        """Connect, or connect again if the server has closed the connection or it is out of step."""
        wire = self._wire
        if self._connection.is_connected:
            # The method was renamed in redis-py 8.
            can_read = getattr(self._connection, "can_read", None) or self._connection.can_read_destructive
            if not (wire is not None and wire.is_lost) and not await can_read():
                return
            await self.disconnect()
        await self._connection.connect()
        transport = _transport_of(self._connection)
        self._wire = None if transport is None else _Wire(transport)

    async def disconnect(self, *, nowait: bool = True) -> None:
        """Disconnect; with ``nowait`` without waiting until the transport is closed."""
        self._wire = None
        await self._connection.disconnect(nowait=nowait)

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands together and return their answers. If a command fails, its answer is the error.

        Connects first if necessary.

        Raises:
            RedisError: the server cannot be reached, or the connection was lost.
            OSError: the same.
        """
        if self._wire is None or not self._wire.is_quiet:
            await self._connect()
        request, wire = b"".join(map(_packed, commands)), self._wire
        if wire is not None and len(commands) == 1 and not wire.is_lost:
            answer = await wire.send(request)
            if answer is not _FOR_THE_LIBRARY:
                return [answer]
        else:
            if wire is not None:
                wire.is_quiet = False
            await self._connection.send_packed_command(request, check_health=False)
        return [await self._read_answer() for _ in commands]

    async def _read_answer(self) -> Any:
        try:
            return await self._connection.read_response()
        except ResponseError as error:
            return error


class _Wire(asyncio.Protocol):
    """Stands between a transport and the library's stream.

    Attributes:
        is_lost: whether the transport is closed.
        is_quiet: whether the last answer was read here, and nothing has arrived since.
    """

    def __init__(self, transport: Any) -> None:
        self.is_lost = False
        self.is_quiet = False
        self._transport = transport
        self._stream = transport.get_protocol()
        self._waiter: asyncio.Future[Any] | None = None
        transport.set_protocol(self)

    def send(self, request: bytes) -> asyncio.Future[Any]:
        """Send one command; its answer, or `_FOR_THE_LIBRARY`, is to be awaited."""
        self.is_quiet = False
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return waiter

    def data_received(self, data: bytes) -> None:
        answer = _read(data) if self._waiter is not None else _FOR_THE_LIBRARY
        self.is_quiet = self._settle(answer)
        if not self.is_quiet:
            self._stream.data_received(data)

    def eof_received(self) -> bool | None:
        self._settle(_FOR_THE_LIBRARY)
        self.is_quiet = False
        keep_open: bool | None = self._stream.eof_received()
        return keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(_FOR_THE_LIBRARY)
        self.is_lost, self.is_quiet = True, False
        self._stream.connection_lost(exc)

    def pause_writing(self) -> None:
        self._stream.pause_writing()

    def resume_writing(self) -> None:
        self._stream.resume_writing()

    def _settle(self, answer: object) -> bool:
        """Answer the caller that waits; whether the answer was read here."""
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return False
        waiter.set_result(answer)
        return answer is not _FOR_THE_LIBRARY


def _transport_of(connection: Any) -> Any:
    """The transport, which is not in the library's API. With ``None``, the library reads every answer."""
    return getattr(getattr(connection, "_writer", None), "transport", None)


def _packed(command: Command) -> bytes:
    """A command as the server reads it: an array of strings."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        octets = argument if type(argument) is bytes else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(octets), octets))
    return b"".join(parts)


def _read(data: bytes) -> Any:
    """An answer that is a whole line, a number or a string, as the library would return it."""
    end = data.find(_END)
    kind, value, rest = data[:1], data[1:end], len(data) - end - len(_END)
    if not 0 < end <= _LINE:
        return _FOR_THE_LIBRARY
    if kind == b"+" and not rest:
        return value
    if kind == b":" and not rest and value.isdigit():
        return int(value)
    if kind == b"$" and not rest and value == b"-1":
        return None
    if kind == b"$" and value.isdigit() and rest == int(value) + len(_END) and data.endswith(_END):
        return data[end + len(_END) : -len(_END)]
    return _FOR_THE_LIBRARY
