"""The nonces of the memory store, by timestamp."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, TypeVar

__all__ = ["NonceTable"]

K = TypeVar("K")


class NonceTable(Generic[K]):
    """Nonces that are forgotten oldest timestamp first, and the newest timestamp that was forgotten.

    Attributes:
        forgotten: nonces up to this timestamp may have been forgotten.
        newest: the newest timestamp that was added.
    """

    __slots__ = ("_by_timestamp", "_count", "_timestamps", "forgotten", "newest")

    def __init__(self) -> None:
        """Start empty."""
        self.forgotten = 0
        self.newest = 0
        self._by_timestamp: dict[int, set[K]] = {}
        self._timestamps: list[int] = []  # a heap
        self._count = 0

    def __len__(self) -> int:
        """How many nonces there are."""
        return self._count

    def knows(self, timestamp: int, key: K) -> bool:
        """Whether a nonce was added, or may have been and was forgotten."""
        return timestamp <= self.forgotten or key in self._by_timestamp.get(timestamp, ())

    def add(self, timestamp: int, key: K) -> None:
        """Add a nonce that is not known."""
        keys = self._by_timestamp.get(timestamp)
        if keys is None:
            keys = self._by_timestamp[timestamp] = set()
            heappush(self._timestamps, timestamp)
            self.newest = max(self.newest, timestamp)
        keys.add(key)
        self._count += 1

    def forget(self, before: float, limit: int) -> None:
        """Forget the nonces of up to ``limit`` timestamps that are not after a time."""
        timestamps = self._timestamps
        for _ in range(limit):
            if not timestamps or timestamps[0] > before:
                return
            self.forgotten = heappop(timestamps)
            self._count -= len(self._by_timestamp.pop(self.forgotten))
