"""Run a flow without an event loop.

A flow awaits hooks and nothing else. If no hook suspends, the flow ends at its first step and needs no loop.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run_sync"]

T = TypeVar("T")


def run_sync(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow to its end in the calling thread, without an event loop.

    Args:
        flow: a coroutine whose hooks are plain functions, or coroutine functions that do not suspend.

    Returns:
        What the flow returns.

    Raises:
        RuntimeError: a hook had to wait, which needs an event loop.
    """
    try:
        flow.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    flow.close()
    raise RuntimeError("A hook waited for something, and no event loop runs here. Use a plain function as the hook.")
