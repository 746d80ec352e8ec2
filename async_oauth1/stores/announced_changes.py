"""Changes that were announced and are not known to be made yet.

A change is announced before it is made and again when it is done. A process that hears the first announcement forgets
what the change concerns. If it asked the store again at once, it could get the answer from before the change and keep
it; if the process that makes the change then died, no second announcement would ever correct that. So the names of a
change are held, which means that they are not cached, until the change is done or `HOLD` seconds have passed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable

__all__ = ["HOLD", "Holds", "begun", "done", "read_announcement"]

#: Seconds for which a change may go on after its last announcement. A process that is alive announces a longer change
#: again and again. If it dies, the database still carries out the statement that it was sent, if a lock delays it.
HOLD = 60.0

# More changes at once than this hold every name.
_MAX_HOLDS = 10_000

_BEGUN = "<"
_DONE = ">"


def begun(change: str, identifier: str) -> str:
    """The announcement of a change that is about to be made. Releases before this one forget everything."""
    return f"{_BEGUN}{identifier}:{change}"


def done(change: str, identifier: str) -> str:
    """The announcement of a change that has been made."""
    return f"{_DONE}{identifier}:{change}"


def read_announcement(message: str) -> tuple[bool | None, str, str]:
    """What a message announces.

    Returns:
        Whether the change is done (``None`` for a message without that information), its identifier, and the change.
    """
    if message[:1] not in (_BEGUN, _DONE):
        return None, "", message
    identifier, _, change = message[1:].partition(":")
    return message[0] == _DONE, identifier, change


class Holds:
    """Names that are not to be cached at the moment."""

    __slots__ = ("_all_until", "_changes", "_ends", "_timer")

    def __init__(self, timer: Callable[[], float]) -> None:
        """Hold nothing yet; ``timer`` returns seconds that only go forward."""
        self._timer = timer
        self._ends: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._changes: Counter[str] = Counter()
        self._all_until = float("-inf")

    def begin(self, change: str, identifier: str) -> None:
        """Hold the names of a change from now on."""
        self.end(change, identifier)
        self._ends[change, identifier] = self._timer() + HOLD
        self._changes[change] += 1
        if len(self._ends) > _MAX_HOLDS:
            self._all_until = next(iter(self._ends.values()))
            self._release(next(iter(self._ends)))

    def end(self, change: str, identifier: str) -> None:
        """The change is done."""
        if (change, identifier) in self._ends:
            self._release((change, identifier))

    def cover(self, *changes: str) -> bool:
        """Whether one of these changes may be under way."""
        if not self._ends and self._all_until == float("-inf"):
            return False
        now = self._timer()
        while self._ends and next(iter(self._ends.values())) <= now:
            self._release(next(iter(self._ends)))
        return now < self._all_until or any(change in self._changes for change in changes)

    def _release(self, key: tuple[str, str]) -> None:
        del self._ends[key]
        self._changes[key[0]] -= 1
        if not self._changes[key[0]]:
            del self._changes[key[0]]
