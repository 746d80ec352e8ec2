"""Figures of a store for whoever monitors it: batches, connections, and live nonces.

They are read from outside, so that a store that is not monitored does nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

__all__ = ["PoolUse", "TellBatch", "count_nonces", "observe_batches", "observe_lookups", "pool_use", "system_of"]

#: Is told the operation, its number of keys, its seconds, and the error if it has failed.
TellBatch = Callable[[str, int, float, "BaseException | None"], None]

_COUNT = "SELECT count(*) FROM oauth1_nonce"
# The values of ``db.system.name`` in OpenTelemetry's semantic conventions.
_SYSTEMS = {"postgres": "postgresql", "postgresql": "postgresql", "sqlite": "sqlite", "memory": "memory"}


class PoolUse(NamedTuple):
    """The connections of a store.

    Attributes:
        used: serve a call now.
        idle: are open and wait.
        most: that may be open.
    """

    used: int
    idle: int
    most: int


def system_of(store: Any) -> str:
    """The kind of database of a store, such as ``postgresql``."""
    scheme = str(getattr(store, "url", "")).partition("://")[0].lower()
    return "redis" if scheme.startswith(("redis", "valkey")) else _SYSTEMS.get(scheme, "other_sql")


def observe_batches(store: Any, told: TellBatch) -> None:
    """Have each batch of nonces or look-ups reported, from now on.

    Args:
        store: any; those without batches report none. After a fork, call this again.
        told: must not raise.
    """
    inner = _inner(store)
    for attribute, operation in (("_nonces", "insert_nonces"), ("_lookups", "look_up")):
        observe: Any = getattr(getattr(inner, attribute, None), "observe", None)
        if observe is not None:
            observe(partial(told, operation))


def observe_lookups(store: Any, told: Callable[[bool], None]) -> None:
    """Have each look-up in a cache reported: whether it was a hit."""
    observe: Any = getattr(store, "observe_lookups", None)
    if observe is not None:
        observe(told)


def pool_use(store: Any) -> PoolUse | None:
    """The connections of a store now; ``None`` if it has no pool, or is not open."""
    inner = _inner(store)
    pool: Any = getattr(getattr(inner, "_database", None), "_pool", None)
    if pool is not None and hasattr(pool, "get_idle_size"):  # asyncpg's
        idle = int(pool.get_idle_size())
        return PoolUse(int(pool.get_size()) - idle, idle, int(pool.get_max_size()))
    nodes: Any = getattr(getattr(inner, "_topology", None), "_nodes", None)
    if not nodes:
        return None
    uses = [node.connections.use() for node in nodes.values()]
    return PoolUse(*(sum(figures) for figures in zip(*uses, strict=True)))


async def count_nonces(store: Any) -> int | None:
    """How many nonces a store remembers; ``None`` if it cannot say at a reasonable cost.

    Raises:
        StoreUnavailableError: the store does not answer.
    """
    inner = _inner(store)
    nonces: Any = getattr(inner, "_nonces", None)
    if hasattr(nonces, "__len__"):
        return len(nonces)
    read: Any = getattr(inner, "_read", None)
    if read is None or not hasattr(inner, "_database"):
        return None
    ((count,),) = await read(_COUNT)
    return int(count)


def _inner(store: Any) -> Any:
    """The store below a cache."""
    wraps = hasattr(store, "observe_lookups")
    return store._store if wraps else store  # noqa: SLF001 - a store of this package
