"""Coroutine functions as plain functions."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def eagerly(func: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """Make a plain function of a coroutine function that seldom has to wait.

    Returns:
        A function that returns the result, or an awaitable of the result if the coroutine has to wait.
    """

    # Not functools.wraps: inspect would see through it and find a coroutine function.
    @functools.wraps(func, updated=(), assigned=("__name__", "__qualname__", "__doc__"))
    def plain(*args: object, **kwargs: object) -> object:
        flow = func(*args, **kwargs)
        try:
            waits_for = flow.send(None)
        except StopIteration as stop:
            return stop.value
        return _Rest(flow, waits_for)

    del plain.__wrapped__
    plain.__dict__["__signature__"] = inspect.signature(func)  # tells whether the hook takes a scope
    return plain


class _Rest:
    """The rest of a coroutine that has already started."""

    def __init__(self, flow: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._flow = flow
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        while True:
            try:
                sent = yield self._waits_for
            except BaseException as error:  # noqa: BLE001 - it is thrown into the coroutine
                step = functools.partial(self._flow.throw, error)
            else:
                step = functools.partial(self._flow.send, sent)
            try:
                self._waits_for = step()
            except StopIteration as stop:
                return stop.value
