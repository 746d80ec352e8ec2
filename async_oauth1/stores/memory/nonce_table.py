"""The nonces of the memory store, by timestamp."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, TypeVar

__all__ = ["MAX_NONCES", "NonceTable"]

K = TypeVar("K")

#: Live nonces; about 300 bytes each. At the default lifetime of 660 s this is 750 requests a second, sustained.
MAX_NONCES = 500_000
#: Each addition removes the nonces of up to this many timestamps: more than one, so that a backlog shrinks; few, so
#: that each request stays fast.
FORGOTTEN_PER_ADDITION = 4


class NonceTable(Generic[K]):
    """Nonces by timestamp. Those with the oldest timestamps are removed first.

    Attributes:
        forgotten: nonces up to this timestamp may have been removed.
        newest: the newest timestamp that was added.
    """

    __slots__ = ("_by_timestamp", "_count", "_most", "_timestamps", "forgotten", "newest")

    def __init__(self, most: int) -> None:
        """Start empty.

        Args:
            most: nonces at most.
        """
        self.forgotten = 0
        self.newest = 0
        self._most = most
        self._by_timestamp: dict[int, set[K]] = {}
        self._timestamps: list[int] = []  # a heap
        self._count = 0

    def __len__(self) -> int:
        """How many nonces there are."""
        return self._count

    def add(self, timestamp: int, key: K, now: float, lifetime: float) -> bool:
        """Add a nonce, and remove some that are older than the lifetime.

        Both in one call, because every request makes it.

        Args:
            timestamp: of the nonce.
            key: the nonce, together with its client and token.
            now: Unix time.
            lifetime: seconds for which nonces are kept, counted from their timestamps.

        Returns:
            Whether the nonce is new; ``False`` if it was added before, or may have been added and removed.

        Raises:
            OverflowError: the table is full.
        """
        keys, timestamps = self._by_timestamp.get(timestamp), self._timestamps
        if timestamp <= self.forgotten or (keys is not None and key in keys):
            return False
        if timestamps and timestamps[0] <= now - lifetime:
            # The earlier of the clock and the clients' newest timestamp: if one is ahead, nothing is removed too early.
            self._forget(min(now, max(self.newest, timestamp)) - lifetime)
        if self._count >= self._most:
            raise OverflowError
        if keys is None:
            keys = self._by_timestamp[timestamp] = set()
            heappush(timestamps, timestamp)
            self.newest = max(self.newest, timestamp)
        keys.add(key)
        self._count += 1
        return True

    def _forget(self, before: float) -> None:
        """Remove the nonces of some timestamps up to a time."""
        timestamps = self._timestamps
        for _ in range(FORGOTTEN_PER_ADDITION):
            if not timestamps or timestamps[0] > before:
                return
            self.forgotten = heappop(timestamps)
            self._count -= len(self._by_timestamp.pop(self.forgotten))
