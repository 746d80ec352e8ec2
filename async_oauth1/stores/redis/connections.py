"""Connections to one Redis server, and round trips over them.

A request that has the server to itself pays for every step on the way there. The client library's connections are used
here without its pool and its pipelines, whose bookkeeping costs more than the round trip.
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
    """Connections that are made when they are needed and kept, the one last used in front.

    Attributes:
        round_trips: how often the server was asked.
        has_answered: whether it ever did.
    """

    def __init__(self, client: redis.asyncio.Redis, limit: int) -> None:
        """Connect to nothing yet.

        Args:
            client: knows how to connect.
            limit: how many there are at once; callers wait for one.
        """
        self.round_trips = 0
        self.has_answered = False
        self._pool: Any = client.connection_pool
        self._readers = client.response_callbacks
        self._idle: list[Any] = []
        self._abandoned: list[Any] = []
        self._free = asyncio.Semaphore(limit)
        self._closed = False

    async def ask(self, commands: Sequence[Command], *, asking: bool = False) -> list[Any]:
        """The answers to commands that are sent together; an error in the place of a command that failed.

        Args:
            commands: each a tuple.
            asking: another node of the Cluster has sent us here.

        Raises:
            RedisError: the server could not be asked.
            OSError: the same.
        """
        if asking:  # holds for the next command alone
            return (await self.ask([part for command in commands for part in (_ASKING, command)]))[1::2]
        self.round_trips += 1
        async with self._free:
            while self._abandoned:
                await self._abandoned.pop().disconnect(nowait=True)
            connection = self._idle.pop() if self._idle else self._pool.make_connection()
            try:
                await _ready(connection)
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                answers = [await self._answer(connection, name) for name, *_ in commands]
            except BaseException:  # also when cancelled: unread answers would be taken for those of the next commands
                await connection.disconnect(nowait=True)
                raise
            self.has_answered = True
            if self._closed:
                await connection.disconnect()
            else:
                self._idle.append(connection)
            return answers

    def abandon(self) -> None:
        """Use no connection again that is idle now: where one has died in silence, the others may have, too."""
        self._abandoned += self._idle
        self._idle = []

    async def close(self) -> None:
        """Disconnect; what is under way is finished first."""
        self._closed = True
        self.abandon()
        while self._abandoned:
            await self._abandoned.pop().disconnect()

    async def _answer(self, connection: Any, name: str) -> Any:
        try:
            answer = await connection.read_response()
        except ResponseError as error:
            return error
        read = self._readers.get(name)
        return answer if read is None else read(answer)


async def _ready(connection: Any) -> None:
    """Connect, also where the server has closed the connection meanwhile."""
    if connection.is_connected:
        # The name changed in redis-py 8. There is nothing to read yet: it is the end, or worse.
        can_read = getattr(connection, "can_read", None) or connection.can_read_destructive
        if not await can_read():
            return
        await connection.disconnect(nowait=True)
    await connection.connect()
