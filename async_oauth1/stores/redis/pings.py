"""Whether every master answers, and accepts a nonce."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from async_oauth1.errors import StoreUnavailableError

from . import scripts
from .node import RedisNode
from .topology import Topology

__all__ = ["ping_masters"]

# Seconds for which a ping keeps its key. If the key is still there, ``SET NX`` fails in the same way as without it.
_SECONDS = 10


async def ping_masters(topology: Topology, prefix: bytes, call: Callable[[bytes, Any], Awaitable[None]]) -> None:
    """Write a key to each master, with the script that inserts nonces.

    Args:
        topology: of the store.
        prefix: of the keys.
        call: calls the node that has a key.

    Raises:
        StoreUnavailableError: a master does not answer, or cannot be written to.
    """
    keys = [(node, topology.key_at(node, prefix)) for node in await topology.masters()]
    for node, key in keys:
        (info,) = await node.read(("INFO", "replication"))
        if info.get("role") != "master":
            node.distrust("is not a master")
            raise StoreUnavailableError()
        await call(key, _write)


async def _write(node: RedisNode, key: bytes, *, asking: bool) -> None:
    await node.run(scripts.INSERT_NONCES, [key], [_SECONDS], asking=asking)
