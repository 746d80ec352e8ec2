"""The log of a store's outages: one line when an outage begins, and one when the store answers again.

Concurrent calls fail for the same reason, and some of them fail after others have succeeded again. So a call ends an
outage only if it began after the last failure, and a call that began before the recovery begins no new one.
"""

from __future__ import annotations

import logging
from time import monotonic

__all__ = ["Outages"]

_log = logging.getLogger("async_oauth1.stores")

# Different reasons of one outage, of which each is logged once.
_MAX_REASONS = 8


class Outages:
    """The outages of one store, or of one of its servers.

    Attributes:
        ongoing: whether the last call failed. Look here first: a call that succeeds is most often no recovery.
    """

    __slots__ = ("_failed_at", "_name", "_of_writes", "_reasons", "_recovered_at", "ongoing")

    def __init__(self, name: str) -> None:
        """Start without an outage.

        Args:
            name: begins each line: a URL without a password, and a server's address.
        """
        self.ongoing = False
        self._name = name
        self._reasons: set[str] = set()
        self._of_writes = False
        self._failed_at = self._recovered_at = float("-inf")

    def failed(
        self, reason: str, began: float | None = None, *, writes: bool = True, level: int = logging.WARNING
    ) -> None:
        """Log a call that failed, unless another one has failed for the same reason.

        Args:
            reason: one line, without secrets.
            began: when the call began, by `time.monotonic`; ``None`` for now.
            writes: whether it was to write something.
            level: of the line.
        """
        now = monotonic()
        if not self.ongoing and (now if began is None else began) < self._recovered_at:
            return
        self.ongoing, self._failed_at = True, now
        self._of_writes = self._of_writes or writes
        if reason not in self._reasons and len(self._reasons) < _MAX_REASONS:
            self._reasons.add(reason)
            _log.log(level, "%s: %s", self._name, reason, extra=self._fields("store.unavailable"))

    def answered(self, began: float, *, writes: bool = True) -> None:
        """Log that the store answers again, if that ends an outage.

        Args:
            began: when the call that succeeded began, by `time.monotonic`.
            writes: whether it has written something; a look-up does not end an outage of writes.
        """
        if self.ongoing and began >= self._failed_at and (writes or not self._of_writes):
            self.end("answers again")

    def end(self, how: str) -> None:
        """End an outage, and log how it has ended; does nothing without one."""
        if self.ongoing:
            self.ongoing = self._of_writes = False
            self._recovered_at = monotonic()
            self._reasons.clear()
            _log.warning("%s: %s", self._name, how, extra=self._fields("store.recovered"))

    def _fields(self, event: str) -> dict[str, str]:
        return {"event.name": f"oauth1.{event}", "oauth1.store": self._name}
