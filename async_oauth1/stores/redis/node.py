"""One Redis server: commands that go to it in one round trip, and whether its replicas have them, too.

A failover loses what the new master had not heard of. For a nonce or a take that would mean: accepted twice. So where
replicas follow, each write is followed by ``WAIT`` in the same round trip, and counts only when enough of them have
confirmed it; ``ROLE`` beside it tells how many there are. One fewer than before may be the new master, of which this
one has not heard yet (it was frozen, or cut off, or the Sentinels are about to tell it), though others confirm what it
writes: the write does not count, and the master is looked for anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)

from async_oauth1.errors import StoreUnavailableError

from .connections import Command, Connections
from .shared_timeout import Patience
from .url import Address, RedisSettings

__all__ = ["Moved", "RedisNode", "Script", "failure"]

_log = logging.getLogger(__name__)

#: What the client library raises where a server cannot be asked.
failure = (RedisError, OSError, asyncio.TimeoutError)

# Errors that say: ask another server, or the same one later. Those without a class of their own begin with these.
_ELSEWHERE = (ClusterDownError, ReadOnlyError, TryAgainError)
_ELSEWHERE_CODES = ("MASTERDOWN", "NOREPLICAS", "UNBLOCKED")


class Moved(Exception):  # noqa: N818 - an answer, not an error
    """A node of a Cluster says that another one has the key; nothing was done.

    Attributes:
        address: of the node that has it.
        asking: the key is on its way there: the node wants to be told that we know.
    """

    def __init__(self, address: Address, *, asking: bool) -> None:
        """Remember where."""
        super().__init__(address)
        self.address = address
        self.asking = asking


class Script:
    """A Lua script, sent whole only to a server that does not know it yet."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        """Compute its name."""
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class RedisNode:
    """A connection pool to one server.

    Attributes:
        address: of the server.
        trusted: whether it answered the last time as a master should. Where not, it is to be looked for anew.
    """

    def __init__(self, address: Address, settings: RedisSettings) -> None:
        """Remember where; no I/O."""
        self.address = address
        self.trusted = True
        self._doubted = 0.0
        self._settings = settings
        self._replicas: int | None = None
        self._complaint: str | None = None
        self._connections = Connections(new_client(address, settings, timed=False), settings.max_connections)
        self._patience = Patience(settings.timeout)

    @property
    def round_trips(self) -> int:
        """How often it was asked."""
        return self._connections.round_trips

    async def read(self, *commands: Command, asking: bool = False) -> list[Any]:
        """The answers to commands that change nothing, in one round trip.

        Args:
            commands: each a tuple.
            asking: another node of the Cluster has sent us here.

        Raises:
            StoreUnavailableError: the server could not be asked, or answered with an error.
            Moved: another node has the key.
        """
        return _here(await self._in_time(self._read(commands, asking=asking)))

    async def write(self, *commands: Command, asking: bool = False) -> list[Any]:
        """The answers to commands that count only if enough replicas have them.

        Raises:
            StoreUnavailableError: nothing counts; some of it may have been done.
            Moved: another node has the key.
        """
        return _here(await self.write_each(commands, asking=asking))

    async def write_each(self, commands: Sequence[Command], *, asking: bool = False) -> list[Any]:
        """As `write`, for commands about several keys: where another node has one, a `Moved` stands in its place."""
        return await self._in_time(self._write_each(commands, asking=asking))

    async def run(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[object], *, asking: bool = False
    ) -> Any:
        """The result of a script that writes.

        Raises:
            StoreUnavailableError: nothing counts.
            Moved: another node has the key.
        """
        return _here(await self._in_time(self._run(script, (len(keys), *keys, *arguments), asking=asking)))[0]

    def distrust(self, reason: object) -> None:
        """Look for the master anew before the next call, over new connections."""
        self._log(reason)
        self._connections.abandon()
        self.trusted = False
        self._doubted = time.monotonic()

    def trust(self, since: float) -> None:
        """Believe what others say of it, unless there was a doubt after they were asked.

        Args:
            since: when, by `time.monotonic`.
        """
        self.trusted = self._doubted < since

    async def close(self) -> None:
        """Disconnect."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._connections.close()
        except failure:
            pass  # it was gone already

    async def _in_time(self, answers: Awaitable[list[Any]]) -> list[Any]:
        try:
            with self._patience:
                return await answers
        except failure as error:
            self.distrust("does not answer in time" if isinstance(error, TimeoutError) else error)
            raise StoreUnavailableError() from error

    async def _read(self, commands: Sequence[Command], *, asking: bool) -> list[Any]:
        return self._checked(await self._connections.ask(commands, asking=asking))

    async def _write_each(self, commands: Sequence[Command], *, asking: bool) -> list[Any]:
        if self._settings.wait_replicas == 0:
            answers = self._checked(await self._connections.ask(commands, asking=asking))
            self._complaint = None
            return answers
        if self._replicas is None:
            (role,) = self._checked(await self._connections.ask([("ROLE",)]))
            self._replicas = self._replicas_in(role)
        before = self._replicas
        expected = min(self._settings.wait_replicas, before)
        milliseconds = max(1, int(self._settings.timeout * 500))  # half of it, so that the answer arrives in time
        proof = (("WAIT", expected, milliseconds), ("ROLE",))
        answers = await self._connections.ask([*commands, *proof], asking=asking)
        written, (confirmed, role) = self._checked(answers[:-2]), answers[-2:]
        if all(isinstance(answer, Moved) for answer in written):
            return written
        for answer in (confirmed, role):
            if isinstance(answer, Exception):  # WAIT is an error on a replica
                self.distrust(answer)
                raise StoreUnavailableError() from answer
        # Once the master has been looked for and is still this one, it counts with those that have stayed.
        self._replicas = after = self._replicas_in(role)
        if confirmed < expected or after < before:
            self.distrust(f"{before} replicas followed, and {after} do; a write was confirmed by {confirmed} of them")
            raise StoreUnavailableError()
        self._complaint = None
        return written

    async def _run(self, script: Script, rest: Command, *, asking: bool) -> list[Any]:
        try:
            return await self._write_each([("EVALSHA", script.digest, *rest)], asking=asking)
        except NoScriptError:  # the server has been started anew
            return await self._write_each([("EVAL", script.source, *rest)], asking=asking)

    def _checked(self, answers: list[Any]) -> list[Any]:
        for number, answer in enumerate(answers):
            if not isinstance(answer, Exception):
                continue
            if isinstance(answer, NoScriptError):
                raise answer
            if isinstance(answer, AskError):  # MovedError is one, too
                host = answer.host or self.address[0]
                answers[number] = Moved((host, answer.port), asking=not isinstance(answer, MovedError))
                continue
            if isinstance(answer, _ELSEWHERE) or str(answer).startswith(_ELSEWHERE_CODES):
                self.distrust(answer)
            else:
                self._log(answer)
            raise StoreUnavailableError() from answer
        return answers

    def _log(self, reason: object) -> None:
        complaint = " ".join(str(reason).split())
        if complaint == self._complaint:
            return  # every request of the moment meets the same trouble; one line tells of it
        self._complaint = complaint
        # Who cannot connect at all is told so by `open`.
        level = logging.WARNING if self._connections.has_answered else logging.INFO
        _log.log(level, "%s: %s:%d: %s", self._settings.url, *self.address, complaint)

    def _replicas_in(self, role: Sequence[Any]) -> int:
        if role[0] != b"master":
            self.distrust("is no master")
            raise StoreUnavailableError()
        return len(role[2])


def _here(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Moved):
            raise answer
    return answers


def new_client(
    address: Address, settings: RedisSettings, *, sentinel: bool = False, timed: bool = True
) -> redis.asyncio.Redis:
    """A client that tries everything once: a repeated ``SET NX`` would take its own nonce for known.

    Args:
        address: of the server.
        settings: how to log in, and how long to wait.
        sentinel: the server is a Sentinel.
        timed: it watches the time itself. Whoever does so around it spares a task and two timers for each command.
    """
    return redis.asyncio.Redis(
        host=address[0],
        port=address[1],
        db=0 if sentinel else settings.database,
        socket_timeout=settings.timeout if timed else None,
        socket_connect_timeout=settings.timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        max_connections=settings.max_connections,
        **(settings.sentinel_login if sentinel else settings.login),
        **settings.tls,
    )
