"""One Redis server: commands in one round trip, and whether enough replicas have confirmed what was written.

Replication is asynchronous: a failover loses what the new master had not received. A nonce or temporary credentials
could then be accepted twice. So if the server has replicas, each write is followed by ``WAIT`` in the same round trip,
and counts only if enough replicas have confirmed it. ``ROLE`` in the same round trip returns how many replicas there
are. If one has left, it may be the new master, and this server may not know that it was demoted (it was frozen, or cut
off, or the Sentinels have not reached it yet). Then the write does not count, although other replicas have confirmed
it, and the topology is read again before the next call.
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
from async_oauth1.stores.health.outages import Outages
from async_oauth1.stores.health.tls import tls_problem

from .connections import Command, Connections
from .shared_timeout import SharedTimeout
from .url import Address, RedisSettings

__all__ = ["CONNECTION_ERRORS", "Moved", "RedisNode", "Script"]

#: What the client library raises if a server cannot be asked.
CONNECTION_ERRORS = (RedisError, OSError, asyncio.TimeoutError)

# Answers of a server that cannot take the command now; the topology may have changed. The client library has classes
# for some; the messages of the others begin with these codes.
_UNUSABLE_ERRORS = (ClusterDownError, ReadOnlyError, TryAgainError)
_UNUSABLE_CODES = ("MASTERDOWN", "NOREPLICAS", "UNBLOCKED")


class Moved(Exception):  # noqa: N818 - a redirection, not an error
    """A Cluster node answers that another node has the key. The command was not carried out.

    Attributes:
        address: of the node that has the key.
        asking: the slot is being migrated to that node, which requires ``ASKING`` before the command.
    """

    def __init__(self, address: Address, *, asking: bool) -> None:
        """Keep the address."""
        super().__init__(address)
        self.address = address
        self.asking = asking


class Script:
    """A Lua script. Its source is sent only to a server that does not have it yet."""

    __slots__ = ("digest", "source")

    def __init__(self, source: str) -> None:
        """Compute the digest."""
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


class RedisNode:
    """A connection pool to one server.

    Attributes:
        address: of the server.
        trusted: whether it last answered as a master should. If not, the topology is read again before the next call.
    """

    def __init__(self, address: Address, settings: RedisSettings) -> None:
        """Keep the address; no I/O."""
        self.address = address
        self.trusted = True
        self._distrusted_at = 0.0
        self._settings = settings
        self._replicas: int | None = None
        self._outages = Outages(f"{settings.url}: {address[0]}:{address[1]}")
        self._connections = Connections(new_client(address, settings, timed=False), settings.max_connections)
        self._timeout = SharedTimeout(settings.timeout)

    @property
    def connections(self) -> Connections:
        """The connections to this node."""
        return self._connections

    @property
    def round_trips(self) -> int:
        """How many were made."""
        return self._connections.round_trips

    async def read(self, *commands: Command, asking: bool = False) -> list[Any]:
        """The answers to commands that write nothing, in one round trip.

        Args:
            commands: each a tuple.
            asking: a Cluster node has redirected us here with ``ASK``.

        Raises:
            StoreUnavailableError: the server could not be asked, or answered with an error.
            Moved: another node has the key.
        """
        return _raise_moved(await self._in_time(self._read(commands, asking=asking), writes=False))

    async def write(self, *commands: Command, asking: bool = False) -> list[Any]:
        """The answers to commands that write, once enough replicas have confirmed them.

        Raises:
            StoreUnavailableError: none of the writes counts; some may have been carried out.
            Moved: another node has the key.
        """
        return _raise_moved(await self.write_each(commands, asking=asking))

    async def write_each(self, commands: Sequence[Command], *, asking: bool = False) -> list[Any]:
        """As `write`, for commands with different keys: if another node has a key, its answer is a `Moved`."""
        return await self._in_time(self._write_each(commands, asking=asking))

    async def run(
        self, script: Script, keys: Sequence[bytes], arguments: Sequence[object], *, asking: bool = False
    ) -> Any:
        """The result of a script that writes.

        Raises:
            StoreUnavailableError: the writes do not count; they may have been carried out.
            Moved: another node has the key.
        """
        answers = await self._in_time(self._run(script, (len(keys), *keys, *arguments), asking=asking))
        return _raise_moved(answers)[0]

    def distrust(self, reason: object, began: float | None = None) -> None:
        """Read the topology again before the next call, and use new connections.

        Args:
            reason: for the log; ``None`` if the server works.
            began: when the call that failed began, by `time.monotonic`.
        """
        if reason is not None:
            self._log(reason, began)
        self._connections.abandon()
        self.trusted = False
        self._distrusted_at = time.monotonic()

    def trust(self, since: float) -> None:
        """Trust the server again, unless it was distrusted after the topology was asked for.

        Args:
            since: when the topology was asked for, by `time.monotonic`.
        """
        self.trusted = self._distrusted_at < since

    def retire(self) -> None:
        """Note that another server has this one's keys, which ends its outage."""
        self._outages.end("another server has taken over")

    async def close(self) -> None:
        """Disconnect."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._connections.close()
        except CONNECTION_ERRORS:
            pass  # the connection was lost before

    async def _in_time(self, answers: Awaitable[list[Any]], *, writes: bool = True) -> list[Any]:
        began = time.monotonic()
        try:
            with self._timeout:
                answered = await answers
        except CONNECTION_ERRORS as error:
            self.distrust("does not answer in time" if isinstance(error, TimeoutError) else error, began)
            raise StoreUnavailableError() from error
        if self._outages.ongoing and not all(isinstance(answer, Moved) for answer in answered):
            self._outages.answered(began, writes=writes)
        return answered

    async def _read(self, commands: Sequence[Command], *, asking: bool) -> list[Any]:
        return self._checked(await self._connections.ask(commands, asking=asking))

    async def _write_each(self, commands: Sequence[Command], *, asking: bool) -> list[Any]:
        if self._settings.wait_replicas == 0:
            return self._checked(await self._connections.ask(commands, asking=asking))
        if self._replicas is None:
            (role,) = self._checked(await self._connections.ask([("ROLE",)]))
            self._replicas = self._replicas_in(role)
        before = self._replicas
        expected = min(self._settings.wait_replicas, before)
        milliseconds = max(1, int(self._settings.timeout * 500))  # half the timeout, so that the answer arrives in time
        wait = (("WAIT", expected, milliseconds), ("ROLE",))
        answers = await self._connections.ask([*commands, *wait], asking=asking)
        written, (confirmed, role) = self._checked(answers[:-2]), answers[-2:]
        if not all(isinstance(answer, Moved) for answer in written):
            self._check_confirmed(before, expected, confirmed, role)
        return written

    def _check_confirmed(self, before: int, expected: int, confirmed: Any, role: Any) -> None:
        """Refuse a write that too few replicas have confirmed, or after which a replica has left."""
        for answer in (confirmed, role):
            if isinstance(answer, Exception):  # WAIT is an error on a replica
                self.distrust(answer)
                raise StoreUnavailableError() from answer
        # If the topology still names this server as the master, the next write counts with the remaining replicas.
        self._replicas = after = self._replicas_in(role)
        if confirmed < expected or after < before:
            self.distrust(f"had {before} replicas and has {after}; {confirmed} of them confirmed a write")
            raise StoreUnavailableError()

    async def _run(self, script: Script, rest: Command, *, asking: bool) -> list[Any]:
        try:
            return await self._write_each([("EVALSHA", script.digest, *rest)], asking=asking)
        except NoScriptError:  # the server has restarted, or its scripts were flushed
            return await self._write_each([("EVAL", script.source, *rest)], asking=asking)

    def _checked(self, answers: list[Any]) -> list[Any]:
        for number, answer in enumerate(answers):
            if not isinstance(answer, Exception):
                continue
            if isinstance(answer, NoScriptError):
                raise answer
            if isinstance(answer, AskError):  # the base class of MovedError
                answers[number] = self._redirection(answer)
                continue
            if isinstance(answer, _UNUSABLE_ERRORS) or str(answer).startswith(_UNUSABLE_CODES):
                self.distrust(answer)
            else:
                self._log(answer)
            raise StoreUnavailableError() from answer
        return answers

    def _redirection(self, answer: Any) -> Moved:
        host: str = answer.host or self.address[0]
        return Moved((host, answer.port), asking=not isinstance(answer, MovedError))

    def _log(self, reason: object, began: float | None = None) -> None:
        # If the server cannot be reached at all, `open` raises an error with the reason.
        level = logging.WARNING if self._connections.has_answered else logging.INFO
        problem = tls_problem(reason) if isinstance(reason, BaseException) else None
        self._outages.failed(problem or " ".join(str(reason).split()), began, level=level)

    def _replicas_in(self, role: Sequence[Any]) -> int:
        if role[0] != b"master":
            self.distrust("is not a master")
            raise StoreUnavailableError()
        return len(role[2])


def _raise_moved(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Moved):
            raise answer
    return answers


def new_client(
    address: Address, settings: RedisSettings, *, sentinel: bool = False, timed: bool = True
) -> redis.asyncio.Redis:
    """A client that does not retry: a second ``SET NX`` would find the key that the first one has set.

    Args:
        address: of the server.
        settings: login and timeout.
        sentinel: the server is a Sentinel.
        timed: it applies the timeout to each command, which costs a task and two timers. Callers that apply one
            themselves turn this off.
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
