"""Changes that were announced and are not yet known to be made.

A change is announced before it is made and again when it is done. A process that receives the first announcement
removes the affected entries from its cache. If it then asked the store at once, it could get the answer from before the
change and cache it; and if the process that makes the change died, no second announcement would ever correct that. So
affected names are not cached until the change is done or `CHANGE_TIMEOUT` has passed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable

__all__ = ["CHANGE_TIMEOUT", "PendingChanges", "begin_message", "done_message", "parse_announcement"]

#: Seconds after its last announcement for which a change may still be under way. A running process repeats the
#: announcement of a longer change. If it dies, the database may still carry out a statement that a lock delays.
CHANGE_TIMEOUT = 60.0

# If more changes than this are pending at once, every name counts as affected.
_MAX_CHANGES = 10_000

_BEGIN = "<"
_DONE = ">"


def begin_message(change: str, identifier: str) -> str:
    """The announcement of a change that is about to be made. Older releases clear their whole cache on it."""
    return f"{_BEGIN}{identifier}:{change}"


def done_message(change: str, identifier: str) -> str:
    """The announcement of a change that has been made."""
    return f"{_DONE}{identifier}:{change}"


def parse_announcement(message: str) -> tuple[bool | None, str, str]:
    """Split a message into its parts.

    Returns:
        Whether the change is done (``None`` if the message does not say), its identifier, and the change.
    """
    if message[:1] not in (_BEGIN, _DONE):
        return None, "", message
    identifier, _, change = message[1:].partition(":")
    return message[0] == _DONE, identifier, change


class PendingChanges:
    """The changes that may be under way now. What they affect must not be cached."""

    __slots__ = ("_all_until", "_counts", "_ends", "_timer")

    def __init__(self, timer: Callable[[], float]) -> None:
        """Start without changes.

        Args:
            timer: monotonic seconds.
        """
        self._timer = timer
        self._ends: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._all_until = float("-inf")

    def begin(self, change: str, identifier: str) -> None:
        """Add a change, or extend it if it is already pending."""
        self.end(change, identifier)
        self._ends[change, identifier] = self._timer() + CHANGE_TIMEOUT
        self._counts[change] += 1
        if len(self._ends) > _MAX_CHANGES:
            self._all_until = next(iter(self._ends.values()))
            self._remove(next(iter(self._ends)))

    def end(self, change: str, identifier: str) -> None:
        """Remove a change that is done."""
        if (change, identifier) in self._ends:
            self._remove((change, identifier))

    def contains(self, change: str) -> bool:
        """Whether a change may be under way."""
        if not self._ends and self._all_until == float("-inf"):
            return False
        now = self._timer()
        while self._ends and next(iter(self._ends.values())) <= now:
            self._remove(next(iter(self._ends)))
        return now < self._all_until or change in self._counts

    def _remove(self, key: tuple[str, str]) -> None:
        del self._ends[key]
        self._counts[key[0]] -= 1
        if not self._counts[key[0]]:
            del self._counts[key[0]]
