"""Inserts nonces into Redis in batches: one round trip for all that arrive while the last one is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.batching import NonceBatcher

from . import scripts
from .connections import Command
from .node import Moved, RedisNode
from .url import RedisSettings

__all__ = ["NonceWriter"]


class NonceWriter:
    """One batch at a time for each node, so that a node that does not answer does not delay the others.

    Attributes:
        prefix: of the keys; a `nonce_key` follows.
    """

    def __init__(
        self,
        settings: RedisSettings,
        redirect: Callable[[RedisNode, Moved], RedisNode],
        lifetime: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        """Start idle.

        Args:
            settings: of the store.
            redirect: returns the node that a `Moved` of another node names.
            lifetime: of nonces, in seconds.
            clock: Unix time, in seconds.
        """
        self.prefix = settings.prefix + b"n"
        self._settings = settings
        self._redirect = redirect
        self._lifetime = lifetime
        self._clock = clock
        self._batchers: dict[RedisNode, NonceBatcher[bytes]] = {}
        self._told: Callable[[int, float, BaseException | None], None] | None = None

    def observe(self, told: Callable[[int, float, BaseException | None], None]) -> None:
        """Have each batch reported from now on, as `NonceBatcher.observe` does."""
        self._told = told
        for batcher in self._batchers.values():
            batcher.observe(told)

    def insert(self, node: RedisNode, key: bytes) -> asyncio.Future[bool]:
        """Insert a nonce unless it is known; whether it was.

        Raises:
            StoreUnavailableError: when awaited: the node could not be asked.
        """
        batcher = self._batchers.get(node)
        if batcher is None:
            batcher = self._batchers[node] = NonceBatcher(partial(self._insert_batch, node), fail_together=True)
            if self._told is not None:
                batcher.observe(self._told)
        return batcher.ask(key)

    async def drain(self) -> None:
        """Wait until every nonce is inserted, and forget the nodes."""
        for batcher in self._batchers.values():
            await batcher.drain()
        self._batchers.clear()

    async def _insert_batch(self, node: RedisNode, keys: Sequence[bytes]) -> Collection[bytes]:
        """Insert nonces; returns the new ones."""
        try:
            if self._settings.kind == "cluster" or len(keys) == 1:
                return await self._insert_each(node, keys)
            digits = await node.run(scripts.INSERT_NONCES, keys, self._lifetimes(keys))
        except (Moved, TimeoutError) as error:
            raise StoreUnavailableError() from error
        return {key for key, digit in zip(keys, digits, strict=True) if digit == b"1"[0]}

    async def _insert_each(self, node: RedisNode, keys: Sequence[bytes]) -> Collection[bytes]:
        """One command per key: in a Cluster a script must not use keys of different slots."""
        deadline = asyncio.get_running_loop().time() + self._settings.timeout
        new: set[bytes] = set()
        moved: dict[tuple[RedisNode, bool], list[bytes]] = {}
        for key, answer in zip(keys, await node.write_each(self._set_commands(keys)), strict=True):
            if isinstance(answer, Moved):
                moved.setdefault((self._redirect(node, answer), answer.asking), []).append(key)
            elif answer:
                new.add(key)
        for (other, asking), moved_keys in moved.items():
            async with asyncio.timeout_at(deadline):
                answers = await other.write(*self._set_commands(moved_keys), asking=asking)
            new.update(key for key, answer in zip(moved_keys, answers, strict=True) if answer)
        return new

    def _set_commands(self, keys: Sequence[bytes]) -> list[Command]:
        lifetimes = zip(keys, self._lifetimes(keys), strict=True)
        return [("SET", key, b"1", "NX", "EX", lifetime) for key, lifetime in lifetimes]

    def _lifetimes(self, keys: Sequence[bytes]) -> list[int]:
        """Seconds until a nonce's timestamp, which is in its key, is as old as the lifetime of nonces, or more."""
        start, now, lifetime = len(self.prefix), int(self._clock()), self._lifetime()
        return [lifetime + max(0, int.from_bytes(key[start : start + 4], "big") - now) for key in keys]
