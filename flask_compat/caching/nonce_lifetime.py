"""For how long a nonce must be remembered: as long as its timestamp would be accepted."""

from __future__ import annotations

import math
from contextvars import ContextVar

from async_oauth1.policy import CLOCK_TOLERANCE

__all__ = ["needed_lifetime", "timestamp_window"]

#: Seconds that timestamps may lie off in the current request; 0 is any number. ``None`` outside of requests.
timestamp_window: ContextVar[int | None] = ContextVar("flask_compat.timestamp_window", default=None)


def needed_lifetime(window: int) -> float:
    """Seconds for which the current request's nonce must be remembered.

    Args:
        window: of timestamps, where no request says it; 0 is without limit.

    Returns:
        Infinity, if there is no limit to timestamps: a recorded request could be repeated at any time.
    """
    current = timestamp_window.get()
    window = window if current is None else current
    return 2 * window + CLOCK_TOLERANCE if window else math.inf
