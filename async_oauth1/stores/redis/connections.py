"""Connections to one Redis server, and round trips over them.

The client library's connections are used here without its pool and its pipelines, whose bookkeeping costs more CPU time
than the round trip. CONTRIBUTING.md has the figures.
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
        self._idle: list[Any] = []
        self._abandoned: list[Any] = []
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
                await self._abandoned.pop().disconnect(nowait=True)
            connection = self._idle.pop() if self._idle else self._pool.make_connection()
            try:
                await _ensure_connected(connection)
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                answers = [await self._read_answer(connection, name) for name, *_ in commands]
            except BaseException:  # also when cancelled: unread answers would be read as those of the next commands
                await connection.disconnect(nowait=True)
                raise
            self.has_answered = True
            if self._closed:
                await connection.disconnect()
            else:
                self._idle.append(connection)
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
            await self._abandoned.pop().disconnect()

    async def _read_answer(self, connection: Any, name: str) -> Any:
        try:
            answer = await connection.read_response()
        except ResponseError as error:
            return error
        parse = self._parsers.get(name)
        return answer if parse is None else parse(answer)


async def _ensure_connected(connection: Any) -> None:
    """Connect, or connect again if the server has closed the connection."""
    if connection.is_connected:
        # The method was renamed in redis-py 8. An idle connection is readable only if it was closed or is out of step.
        can_read = getattr(connection, "can_read", None) or connection.can_read_destructive
        if not await can_read():
            return
        await connection.disconnect(nowait=True)
    await connection.connect()
