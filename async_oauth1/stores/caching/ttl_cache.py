"""A bounded cache whose entries expire.

CONTRIBUTING.md says why this is not `cachetools`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["TTLCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TTLCache(Generic[K, V]):
    """Values that expire; a full cache drops the least recently used one. Values are never ``None``."""

    __slots__ = ("_entries", "_lifetime", "_max_entries", "_timer")

    def __init__(self, max_entries: int, lifetime: float, timer: Callable[[], float]) -> None:
        """Start empty.

        Args:
            max_entries: values at most.
            lifetime: seconds of the timer.
            timer: monotonic seconds.
        """
        self._max_entries = max_entries
        self._lifetime = lifetime
        self._timer = timer
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, now the most recently used one; ``None`` if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry[0] <= self._timer():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry[1]

    def put(self, key: K, value: V, lifetime: float | None = None) -> None:
        """Add a value.

        Args:
            key: an older value of this key is replaced.
            value: not ``None``.
            lifetime: seconds, if shorter than that of the cache.
        """
        seconds = self._lifetime if lifetime is None else min(lifetime, self._lifetime)
        self._entries[key] = (self._timer() + seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def discard(self, key: K) -> None:
        """Remove a value, if there is one."""
        self._entries.pop(key, None)

    def discard_where(self, condition: Callable[[V], bool]) -> None:
        """Remove every value that meets a condition."""
        for key in [key for key, (_, value) in self._entries.items() if condition(value)]:
            del self._entries[key]

    def clear(self) -> None:
        """Remove all values."""
        self._entries.clear()
