"""Drive a flow where no event loop runs.

The flows await hooks and nothing else. Where no hook suspends, a flow ends at its first step, and needs no loop.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["drive"]

T = TypeVar("T")


def drive(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow to its end, in the calling thread.

    Args:
        flow: a coroutine that awaits plain hooks, or coroutine functions that do not suspend.

    Returns:
        What the flow returns.

    Raises:
        RuntimeError: a hook had to wait for something; it needs an event loop.
    """
    try:
        flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    flow.close()
    raise RuntimeError("A hook waited for something, and no event loop runs here. Use a plain function as the hook.")
