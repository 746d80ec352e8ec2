"""How long a nonce must be remembered: as long as its timestamp would be accepted."""

from __future__ import annotations

import math
from contextvars import ContextVar

from async_oauth1.policy import CLOCK_TOLERANCE

__all__ = ["needed_lifetime", "timestamp_window"]

#: Seconds by which the timestamp of the current request may differ; 0 means no limit. ``None`` outside of requests.
timestamp_window: ContextVar[int | None] = ContextVar("flask_compat.timestamp_window", default=None)


def needed_lifetime(window: int) -> float:
    """Seconds for which the current request's nonce must be remembered.

    Args:
        window: seconds by which timestamps may differ, used outside of requests; 0 means no limit.

    Returns:
        Infinity if timestamps have no limit, because a recorded request could be sent again at any time.
    """
    current = timestamp_window.get()
    window = window if current is None else current
    return 2 * window + CLOCK_TOLERANCE if window else math.inf
