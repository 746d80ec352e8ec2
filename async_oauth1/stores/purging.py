"""When expired rows are removed, and how many at a time."""

from __future__ import annotations

__all__ = ["PurgeSchedule"]


class PurgeSchedule:
    """Decides when a removal is due: after a number of insertions or seconds, whichever comes first.

    The limit for each removal is more than twice the number of insertions since the last one. So a backlog shrinks, and
    each removal takes only milliseconds.
    """

    __slots__ = ("_after_insertions", "_after_seconds", "_inserted", "_last")

    def __init__(self, now: float, *, after_insertions: int, after_seconds: float = 10.0) -> None:
        """Start counting.

        Args:
            now: Unix time, in seconds.
            after_insertions: how many insertions make a removal worth its cost.
            after_seconds: seconds for which expired rows may stay if there is little traffic.
        """
        self._after_insertions = after_insertions
        self._after_seconds = after_seconds
        self._inserted = 0
        self._last = now

    def inserted(self, count: int, now: float) -> int:
        """Count insertions.

        Returns:
            How many expired rows to remove now at most; 0 if no removal is due.
        """
        self._inserted += count
        if self._inserted < self._after_insertions and 0 <= now - self._last < self._after_seconds:
            return 0
        limit = 2 * self._inserted + self._after_insertions
        self._inserted, self._last = 0, now
        return limit
