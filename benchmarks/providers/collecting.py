"""How every provider's garbage collector is set."""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]


def collect_seldom() -> None:
    """As the deployment guide says, before the first request.

    With a thousand requests under way, hundreds of thousands of objects are alive, and Python's own thresholds look
    through them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 2, 2)
