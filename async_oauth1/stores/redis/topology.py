"""Which server has a key: the only one, the one that Sentinels call master, or the node of a Cluster.

After any doubt (a lost connection, an answer that did not come, replicas that left) the question is asked anew before
the next command, of all who may know it at once; so a failover needs no restart, and a frozen Sentinel or node does
not hold up the others for long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from redis.crc import key_slot
from redis.exceptions import ResponseError

from async_oauth1.errors import StoreUnavailableError

from .node import RedisNode, failure, new_client
from .url import Address, RedisSettings

__all__ = ["Servers", "View", "named_by", "servers_of"]

T = TypeVar("T")
_SLOTS = 16_384


class Servers(Protocol):
    """All the servers of one store."""

    def known_node_for(self, key: bytes) -> RedisNode | None:
        """The node that has a key; ``None`` where there is a doubt."""
        ...

    async def node_for(self, key: bytes) -> RedisNode:
        """The same, after asking those who know.

        Raises:
            StoreUnavailableError: no server could say.
        """
        ...

    async def masters(self) -> Sequence[RedisNode]:
        """Every node that takes writes.

        Raises:
            StoreUnavailableError: no server could say.
        """
        ...

    def node_at(self, address: Address) -> RedisNode:
        """The node that another one has named."""
        ...

    def key_at(self, node: RedisNode, prefix: bytes) -> bytes:
        """A key with this prefix that belongs to one of the masters."""
        ...

    def round_trips(self) -> int:
        """How often servers were asked."""
        ...

    async def close(self) -> None:
        """Disconnect from all."""
        ...


def servers_of(settings: RedisSettings) -> Servers:
    """The servers of a store; nothing is connected to yet."""
    if settings.kind == "cluster":
        return _Cluster(settings)
    if settings.kind == "sentinel":
        return _Sentinels(settings)
    return _Single(settings)


class _Nodes:
    """Nodes by address, made when they are first named."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._nodes: dict[Address, RedisNode] = {}
        self._refreshing: asyncio.Task[None] | None = None

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
        if self._refreshing is None:  # one asks for all
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(self._refreshed)
        task = self._refreshing
        await asyncio.wait({task})  # a caller that is cancelled leaves it to the others
        task.result()
        if (node := self.known_node_for(key)) is None:
            raise StoreUnavailableError()
        return node

    async def masters(self) -> Sequence[RedisNode]:
        return [await self.node_for(b"")]

    async def close(self) -> None:
        if self._refreshing is not None:
            await asyncio.wait({self._refreshing})
        await asyncio.gather(*(node.close() for node in self._nodes.values()))

    async def _refresh(self) -> None:
        raise NotImplementedError

    def _refreshed(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()  # retrieved, where everybody who waited has gone


class _Single(_Nodes):
    """One server, the same for ever."""

    def known_node_for(self, key: bytes) -> RedisNode:
        return self.node_at(self._settings.addresses[0])


class View(NamedTuple):
    """What a Sentinel says of the master.

    Attributes:
        epoch: higher after each failover.
        settled: no failover is under way or about to begin.
        address: of the master.
    """

    epoch: int
    settled: bool
    address: Address


def named_by(views: Sequence[View]) -> Address | None:
    """The master that Sentinels name.

    Those count that have heard of the latest failover. What a master takes that one of them is about to replace, its
    successor would not know: where no other is named, there is none.

    Args:
        views: at least one.
    """
    latest = [view for view in views if view.epoch == max(views).epoch]
    named = {view.address for view in latest} - {view.address for view in latest if not view.settled}
    return named.pop() if len(named) == 1 else None


class _Sentinels(_Nodes):
    """The master that those Sentinels name that have heard of the latest failover."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self._master: RedisNode | None = None

    def known_node_for(self, key: bytes) -> RedisNode | None:
        return self._master if self._master is not None and self._master.trusted else None

    async def _refresh(self) -> None:
        began = time.monotonic()
        address = named_by(await self._ask_sentinels())
        if address is None:
            raise StoreUnavailableError()
        self._master = self.node_at(address)
        self._master.trust(began)

    async def _ask_sentinels(self) -> list[View]:
        clients = [new_client(address, self._settings, sentinel=True) for address in self._settings.addresses]
        # At first a single Sentinel knows of a failover, the one that leads it: all are heard that are well.
        grace = self._settings.timeout / 4
        try:
            return await _majority([self._ask_sentinel(client) for client in clients], self._settings.timeout, grace)
        finally:
            # Here, for a question that is one too many is cancelled, and must not be while it says goodbye.
            await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True)

    async def _ask_sentinel(self, client: Any) -> View:
        try:
            answer = await client.execute_command("SENTINEL", "MASTER", self._settings.service)
        except ResponseError as error:
            if "No such master" not in str(error):
                raise
            raise ConnectionError("knows no master of this name") from error
        fields = {_text(name): _text(value) for name, value in zip(answer[::2], answer[1::2], strict=True)}
        settled = {"o_down", "failover_in_progress"}.isdisjoint(fields["flags"].split(","))
        return View(int(fields["config-epoch"]), settled, (fields["ip"], int(fields["port"])))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Cluster(_Nodes):
    """The node that a key's slot belongs to, as the nodes themselves say."""

    def __init__(self, settings: RedisSettings) -> None:
        super().__init__(settings)
        self._owners: list[RedisNode | None] = [None] * _SLOTS

    def known_node_for(self, key: bytes) -> RedisNode | None:
        owner = self._owners[key_slot(key)]
        return owner if owner is not None and owner.trusted else None

    async def masters(self) -> Sequence[RedisNode]:
        await self.node_for(b"")
        return list({owner.address: owner for owner in self._owners if owner is not None}.values())

    def key_at(self, node: RedisNode, prefix: bytes) -> bytes:
        # A node with a single slot takes 16,384 attempts on average; a usual one takes a few.
        keys = (b"%b%d" % (prefix, number) for number in range(_SLOTS * 20))
        return next((key for key in keys if self._owners[key_slot(key)] is node), prefix)

    async def _refresh(self) -> None:
        began = time.monotonic()
        known = dict.fromkeys([*self._settings.addresses, *self._nodes])
        views = await _majority([self._ask_node(address) for address in known], self._settings.timeout)
        owners: list[RedisNode | None] = [None] * _SLOTS
        # A node that was cut off may still believe what it last heard: the latest epoch is right.
        for first, last, address in max(views, key=lambda view: view[0])[1]:
            owners[first : last + 1] = [self.node_at(address)] * (last + 1 - first)
        self._owners = owners
        for master in {owner.address: owner for owner in owners if owner is not None}.values():
            master.trust(began)

    async def _ask_node(self, address: Address) -> tuple[int, list[tuple[int, int, Address]]]:
        info, slots = await self.node_at(address).read(("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
        return _epoch(info), [(int(row[0]), int(row[1]), _owner(row[2], address)) for row in slots]


def _epoch(info: bytes) -> int:
    for line in info.decode().split():
        name, _, value = line.partition(":")
        if name == "cluster_current_epoch":
            return int(value)
    return 0


def _owner(node: Sequence[Any], asked: Address) -> Address:
    host = (node[0] or b"").decode()
    return host if host not in ("", "?") else asked[0], int(node[1])  # a node that does not know its own address


async def _majority(questions: Sequence[Awaitable[T]], seconds: float, grace: float = 0) -> list[T]:
    """What most of them answer, or as many as answer in time; those that fail are left out.

    Args:
        questions: asked at once.
        seconds: in which they may answer.
        grace: seconds in which all of them are listened to, though most have answered.

    Raises:
        StoreUnavailableError: none of them answers.
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
                except (*failure, StoreUnavailableError, ValueError) as error:
                    reason = error
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    if not answers:
        raise StoreUnavailableError() from reason
    return answers
