"""Which server has a key: the only server, the master that the Sentinels name, or a node of the Cluster.

The topology is read again before the next command if there is any doubt: a connection was lost, an answer did not
arrive, or a replica has left. All Sentinels or nodes are asked at the same time. So a failover needs no restart, and
one frozen Sentinel or node does not delay the others for long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Collection, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from redis.crc import key_slot
from redis.exceptions import ResponseError

from async_oauth1.errors import StoreUnavailableError

from .node import CONNECTION_ERRORS, RedisNode, new_client
from .url import Address, RedisSettings

__all__ = ["SentinelView", "Topology", "elect_master", "open_topology"]

T = TypeVar("T")
_SLOTS = 16_384


class Topology(Protocol):
    """All servers of one store."""

    def known_node_for(self, key: bytes) -> RedisNode | None:
        """The node that has a key; ``None`` if the topology has to be read again."""
        ...

    async def node_for(self, key: bytes) -> RedisNode:
        """The node that has a key, after reading the topology again if necessary.

        Raises:
            StoreUnavailableError: no server answered, or none has the key.
        """
        ...

    async def masters(self) -> Sequence[RedisNode]:
        """Every node that accepts writes.

        Raises:
            StoreUnavailableError: no server answered.
        """
        ...

    def node_at(self, address: Address) -> RedisNode:
        """The node at an address that another node has returned."""
        ...

    def key_at(self, node: RedisNode, prefix: bytes) -> bytes:
        """A key with this prefix that one of the masters has."""
        ...

    def round_trips(self) -> int:
        """How many were made to all nodes."""
        ...

    async def close(self) -> None:
        """Disconnect from all nodes."""
        ...


def open_topology(settings: RedisSettings) -> Topology:
    """The servers of a store; connects when they are first used."""
    if settings.kind == "cluster":
        return _Cluster(settings)
    if settings.kind == "sentinel":
        return _Sentinels(settings)
    return _SingleServer(settings)


class _Nodes:
    """Nodes by address, created on demand."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._nodes: dict[Address, RedisNode] = {}
        self._refresh_task: asyncio.Task[None] | None = None

    def node_at(self, address: Address) -> RedisNode:
        node = self._nodes.get(address)
        if node is None:
            node = self._nodes[address] = RedisNode(address, self._settings)
        return node

    def key_at(self, node: RedisNode, prefix: bytes) -> bytes:
        return prefix

    def round_trips(self) -> int:
        return sum(node.round_trips for node in self._nodes.values())

    def known_node_for(self, key: bytes) -> RedisNode | None:
        raise NotImplementedError

    async def node_for(self, key: bytes) -> RedisNode:
        if (node := self.known_node_for(key)) is not None:
            return node
        if self._refresh_task is None:  # concurrent callers share one refresh
            self._refresh_task = asyncio.create_task(self._refresh())
            self._refresh_task.add_done_callback(self._refresh_done)
        task = self._refresh_task
        await asyncio.wait({task})  # cancelling one caller does not cancel the refresh
        task.result()
        if (node := self.known_node_for(key)) is None:
            raise StoreUnavailableError()
        return node

    async def masters(self) -> Sequence[RedisNode]:
        return [await self.node_for(b"")]

    async def close(self) -> None:
        if self._refresh_task is not None:
            await asyncio.wait({self._refresh_task})
        await asyncio.gather(*(node.close() for node in self._nodes.values()))

    async def _refresh(self) -> None:
        raise NotImplementedError

    def _retire(self, masters: Collection[RedisNode]) -> None:
        for node in self._nodes.values():
            if node not in masters:
                node.retire()

    def _refresh_done(self, task: asyncio.Task[None]) -> None:
        self._refresh_task = None
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it if every caller has gone


class _SingleServer(_Nodes):
    """One server, which never changes."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self._server = self.node_at(settings.addresses[0])

    def known_node_for(self, key: bytes) -> RedisNode:
        return self._server


class SentinelView(NamedTuple):
    """What one Sentinel knows about the master.

    Attributes:
        epoch: increases with each failover.
        settled: no failover is under way or about to begin.
        address: of the master.
    """

    epoch: int
    settled: bool
    address: Address


def elect_master(views: Sequence[SentinelView]) -> Address | None:
    """The master that the Sentinels with the latest epoch agree on; ``None`` if there is no such master.

    A master is not used if one of these Sentinels is about to replace it: its successor might not receive what it
    accepts now.

    Args:
        views: at least one.
    """
    latest = [view for view in views if view.epoch == max(views).epoch]
    named = {view.address for view in latest} - {view.address for view in latest if not view.settled}
    return named.pop() if len(named) == 1 else None


class _Sentinels(_Nodes):
    """The master that the Sentinels name."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self._master: RedisNode | None = None

    def known_node_for(self, key: bytes) -> RedisNode | None:
        return self._master if self._master is not None and self._master.trusted else None

    async def _refresh(self) -> None:
        began = time.monotonic()
        address = elect_master(await self._ask_sentinels())
        if address is None:
            raise StoreUnavailableError()
        self._master = self.node_at(address)
        self._master.trust(began)
        self._retire({self._master})

    async def _ask_sentinels(self) -> list[SentinelView]:
        clients = [new_client(address, self._settings, sentinel=True) for address in self._settings.addresses]
        # At first only the Sentinel that leads a failover knows of it. So all of them get some time to answer.
        grace = self._settings.timeout / 4
        try:
            return await _majority([self._ask_sentinel(client) for client in clients], self._settings.timeout, grace)
        finally:
            # Not in `_ask_sentinel`, which may be cancelled: `aclose()` must not be interrupted.
            await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True)

    async def _ask_sentinel(self, client: Any) -> SentinelView:
        try:
            answer = await client.execute_command("SENTINEL", "MASTER", self._settings.service)
        except ResponseError as error:
            if "No such master" not in str(error):
                raise
            raise ConnectionError(f'the Sentinels know no master named "{self._settings.service}"') from error
        fields = {_text(name): _text(value) for name, value in zip(answer[::2], answer[1::2], strict=True)}
        settled = {"o_down", "failover_in_progress"}.isdisjoint(fields["flags"].split(","))
        return SentinelView(int(fields["config-epoch"]), settled, (fields["ip"], int(fields["port"])))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Cluster(_Nodes):
    """The owners of slots, as the nodes report them."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self._owners: list[RedisNode | None] = [None] * _SLOTS

    def known_node_for(self, key: bytes) -> RedisNode | None:
        owner = self._owners[key_slot(key)]
        return owner if owner is not None and owner.trusted else None

    async def masters(self) -> Sequence[RedisNode]:
        await self.node_for(b"")
        return _distinct(self._owners)

    def key_at(self, node: RedisNode, prefix: bytes) -> bytes:
        # For a node with a single slot this takes 16,384 attempts on average; usually it takes a few.
        keys = (b"%b%d" % (prefix, number) for number in range(_SLOTS * 20))
        return next((key for key in keys if self._owners[key_slot(key)] is node), prefix)

    async def _refresh(self) -> None:
        began = time.monotonic()
        addresses = dict.fromkeys([*self._settings.addresses, *self._nodes])
        views = await _majority([self._ask_node(address) for address in addresses], self._settings.timeout)
        owners: list[RedisNode | None] = [None] * _SLOTS
        # A node that was cut off may report an old state: the latest epoch is right.
        for first, last, address in max(views, key=lambda view: view[0])[1]:
            owners[first : last + 1] = [self.node_at(address)] * (last + 1 - first)
        self._owners = owners
        masters = _distinct(owners)
        for master in masters:
            master.trust(began)
        self._retire(masters)

    async def _ask_node(self, address: Address) -> tuple[int, list[tuple[int, int, Address]]]:
        info, slots = await self.node_at(address).read(("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
        return _epoch(info), [(int(row[0]), int(row[1]), _owner(row[2], address)) for row in slots]


def _distinct(owners: Sequence[RedisNode | None]) -> list[RedisNode]:
    return list({owner.address: owner for owner in owners if owner is not None}.values())


def _epoch(info: bytes) -> int:
    for line in info.decode().split():
        name, _, value = line.partition(":")
        if name == "cluster_current_epoch":
            return int(value)
    return 0


def _owner(node: Sequence[Any], asked: Address) -> Address:
    host = (node[0] or b"").decode()
    return host if host not in ("", "?") else asked[0], int(node[1])  # a node may not know its own address


async def _majority(questions: Sequence[Awaitable[T]], seconds: float, grace: float = 0) -> list[T]:
    """The answers of a majority, or those that arrive in time. Questions that fail are left out.

    Args:
        questions: asked at the same time.
        seconds: after which no more answers are waited for.
        grace: seconds in which answers are waited for even if a majority has answered.

    Raises:
        StoreUnavailableError: there is no answer.
    """
    pending = {asyncio.ensure_future(question) for question in questions}
    answers: list[T] = []
    reason: BaseException = TimeoutError()
    began = time.monotonic()
    try:
        while pending:
            passed = time.monotonic() - began
            left = (seconds if len(answers) <= len(questions) // 2 else grace) - passed
            if left <= 0:
                break
            done, pending = await asyncio.wait(pending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                try:
                    answers.append(task.result())
                except (*CONNECTION_ERRORS, StoreUnavailableError, ValueError) as error:
                    reason = error
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    if not answers:
        raise StoreUnavailableError() from reason
    return answers
