"""A dict whose values expire."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

__all__ = ["Expiring"]

K = TypeVar("K")
V = TypeVar("V")


class Expiring(OrderedDict[K, tuple[float, V]]):
    """A dict whose values expire. Lifetimes are constant, so the oldest entry expires first."""

    def live(self, key: K, now: float) -> V | None:
        """The value of a key; ``None`` if it has expired."""
        entry = self.get(key)
        return entry[1] if entry is not None and entry[0] > now else None

    def purge(self, now: float, limit: int) -> list[V]:
        """Remove up to ``limit`` values that have expired, and return them."""
        removed: list[V] = []
        for _ in range(min(limit, len(self))):
            first = next(iter(self))
            expires_at, value = self[first]
            if expires_at > now:
                break
            removed.append(value)
            del self[first]
        return removed
