"""A limit to how long calls may take, with one timer for all of them."""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["Patience"]


class Patience:
    """As `asyncio.timeout`, for calls that are many, short, and all have the same time.

    A timer of its own costs a call that nobody shares a tenth of a round trip to a server near by. Here the timer of
    the first one goes on for those that come later, and looks at all of them when it is up.

        with patience:  # raises TimeoutError where it takes too long
            await call()

    A task may be within it once at a time.
    """

    __slots__ = ("_cancelling", "_deadlines", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        """Start without calls.

        Args:
            seconds: that each call may take.
        """
        self._seconds = seconds
        self._deadlines: dict[asyncio.Task[object], float] = {}  # in the order in which they are up
        self._cancelling: dict[asyncio.Task[object], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        task = _current_task()
        loop = task.get_loop()
        self._deadlines[task] = deadline = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task = _current_task()
        if self._deadlines.pop(task, None) is not None:
            return
        before = self._cancelling.pop(task)
        if task.uncancel() <= before and kind is asyncio.CancelledError:  # only we have cancelled it
            raise TimeoutError from error

    def _look(self) -> None:
        """Cancel those whose time is up, and come back when the next one's is."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for task, deadline in list(self._deadlines.items()):
            if deadline > now:
                self._timer = task.get_loop().call_at(deadline, self._look)
                return
            del self._deadlines[task]
            self._cancelling[task] = task.cancelling()
            task.cancel()


def _current_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a call is limited in time within a task")
    return task
