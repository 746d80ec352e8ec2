"""A clock that tests move."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock"]


class Clock:
    """A clock that only moves when a test advances it; pass it as ``clock`` to stores, servers and `SignedAuth`.

    Attributes:
        now: Unix time, in seconds.
        listeners: called with the seconds of each advance, for example to move the time of a database server.
    """

    def __init__(self, now: float | None = None) -> None:
        """Stop at a moment.

        Args:
            now: Unix time, in seconds; ``None`` for the current time.
        """
        self.now = time.time() if now is None else now
        self.listeners: list[Callable[[float], None]] = []

    def __call__(self) -> float:
        """Unix time, in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the clock.

        Args:
            seconds: forward, or backward if negative.
        """
        self.now += seconds
        for listener in self.listeners:
            listener(seconds)
