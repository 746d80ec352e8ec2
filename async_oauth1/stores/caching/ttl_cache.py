"""A memory that forgets: after a time, and what was not used for longest when it is full."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Memory"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values for a time, the most recently used ones of them."""

    __slots__ = ("_entries", "_lifetime", "_max_entries", "_timer")

    def __init__(self, max_entries: int, lifetime: float, timer: Callable[[], float]) -> None:
        """Start empty; a value is good for ``lifetime`` seconds of the timer."""
        self._max_entries = max_entries
        self._lifetime = lifetime
        self._timer = timer
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def recall(self, key: K) -> V | None:
        """The value, now the one most recently used; ``None`` where there is none."""
        return self._entries[key][1] if self.holds(key) else None

    def holds(self, key: K) -> bool:
        """Whether there is a value."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        if entry[0] <= self._timer():
            del self._entries[key]
            return False
        self._entries.move_to_end(key)
        return True

    def keep(self, key: K, value: V, lifetime: float | None = None) -> None:
        """Remember a value, for fewer seconds than usual if that is wanted.

        The least recently used value is dropped if there are too many.
        """
        seconds = self._lifetime if lifetime is None else min(lifetime, self._lifetime)
        self._entries[key] = (self._timer() + seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def forget(self, key: K) -> None:
        """Forget one."""
        self._entries.pop(key, None)

    def forget_where(self, condition: Callable[[V], bool]) -> None:
        """Forget some."""
        for key in [key for key, (_, value) in self._entries.items() if condition(value)]:
            del self._entries[key]

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
