"""What counts, and the counters in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

__all__ = ["Counter", "MemoryCounter"]

#: Counters of a rule that one process keeps in memory, at about 300 bytes each. Any further subject shares one.
MOST_COUNTERS = 100_000
# Seconds in which the counters of a rule are searched once at most for those that have ended.
_SWEEP_EVERY = 1.0


class Counter(Protocol):
    """Counts by key."""

    async def add(self, key: str, seconds: int) -> int:
        """Add 1 in one atomic step.

        Args:
            key: of a window.
            seconds: until the window ends.

        Returns:
            How many there are now.

        Raises:
            StoreUnavailableError: the counter cannot be asked.
        """
        ...

    async def count(self, key: str) -> int:
        """How many there are.

        Raises:
            StoreUnavailableError: the counter cannot be asked.
        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class MemoryCounter:
    """Counts in this process."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_COUNTERS) -> None:
        """Start at 0.

        Args:
            clock: Unix time, in seconds.
            most: counters to keep for each rule.
        """
        self._clock, self._most = clock, most
        self._lock = threading.Lock()  # a WSGI server has many threads
        # Each rule has its own, so that a flood from many addresses leaves the clients their counters.
        self._by_rule: dict[str, _Counts] = {}

    async def add(self, key: str, seconds: int) -> int:
        """As `Counter.add`."""
        with self._lock:
            return self._of(key).add(key, seconds, self._clock())

    async def count(self, key: str) -> int:
        """As `Counter.count`."""
        with self._lock:
            return self._of(key).count(key, self._clock())

    async def close(self) -> None:
        """Do nothing."""

    def _of(self, key: str) -> _Counts:
        rule = key.partition("/")[0]
        counts = self._by_rule.get(rule)
        if counts is None:
            counts = self._by_rule[rule] = _Counts(self._most)
        return counts


class _Counts:
    """The counters of one rule."""

    def __init__(self, most: int) -> None:
        self._most, self._next_sweep, self._swept_at = most, min(1_000, most), float("-inf")
        self._counts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str, seconds: int, now: float) -> int:
        if key not in self._counts and len(self._counts) >= self._next_sweep:
            self._sweep(now)
        key = self._own_or_shared(key)
        count, ends_at = self._counts.get(key, (0, now + seconds))
        if ends_at <= now:
            count, ends_at = 0, now + seconds
        self._counts[key] = count + 1, ends_at
        return count + 1

    def count(self, key: str, now: float) -> int:
        count, ends_at = self._counts.get(self._own_or_shared(key), (0, 0.0))
        return count if ends_at > now else 0

    def _own_or_shared(self, key: str) -> str:
        """The key; if there are too many, that of the counter which all further subjects share."""
        return key if key in self._counts or len(self._counts) < self._most else ""

    def _sweep(self, now: float) -> None:
        """Drop the counters whose windows have ended, unless that was done just now: a full table has many."""
        if 0 <= now - self._swept_at < _SWEEP_EVERY:
            return
        self._swept_at = now
        self._counts = {key: value for key, value in self._counts.items() if value[1] > now}
        # Twice as many as are left, so that the work for each new counter stays the same.
        self._next_sweep = min(self._most, max(1_000, 2 * len(self._counts)))
