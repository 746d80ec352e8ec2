"""The garbage collector's settings for every provider."""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]


def collect_seldom() -> None:
    """Set the thresholds of the deployment guide; to be called before the first request.

    During a thousand requests, hundreds of thousands of objects are alive, and with Python's default thresholds the
    garbage collector scans them again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 1, 3)
