"""Replacing workers one by one: each new worker is ready before an old one stops."""

from __future__ import annotations

from collections.abc import Iterable
from multiprocessing.process import BaseProcess

from .log import log

__all__ = ["RollingRestart", "Worker"]


class Worker:
    """What a restart needs of a worker.

    Attributes:
        process: the worker's process.
        is_ready: whether it serves.
    """

    process: BaseProcess
    is_ready: bool


class RollingRestart:
    """A restart, in steps. At most one worker more than usual runs at a time.

    Attributes:
        successor: the new worker that is starting.
    """

    def __init__(self) -> None:
        """Start with nothing to do."""
        self.successor: Worker | None = None
        self._outdated: list[Worker] = []
        self._leaving: Worker | None = None

    def begin(self, workers: Iterable[Worker]) -> None:
        """Plan to replace these workers."""
        self._outdated = list(workers)

    def is_under_way(self) -> bool:
        """Whether workers are still to be replaced."""
        return bool(self._outdated or self.successor or self._leaving)

    def wants_successor(self) -> bool:
        """Whether it is time to start a new worker."""
        return bool(self._outdated) and self.successor is None and self._leaving is None

    def go_on(self, *, has_surplus: bool) -> None:
        """Stop an old worker if its successor is ready. The old one finishes the requests that it has.

        Args:
            has_surplus: whether there are more workers than wanted; if not, an old one has crashed meanwhile.
        """
        if self.successor is None or not self.successor.is_ready:
            return
        if self._outdated and has_surplus:
            self._leaving = self._outdated.pop(0)
            self._leaving.process.terminate()
            log.info("worker %s takes over from worker %s", self.successor.process.pid, self._leaving.process.pid)
        self.successor = None

    def ended(self, worker: Worker) -> bool:
        """Note that a worker has ended; returns whether this was meant to happen."""
        if worker is self._leaving:
            self._leaving = None
            return True
        if worker is self.successor:
            log.error("the restart is given up: worker %s did not start", worker.process.pid)
            self.successor, self._outdated = None, []
        if worker in self._outdated:  # it has crashed; another new worker replaces it
            self._outdated.remove(worker)
        return False
