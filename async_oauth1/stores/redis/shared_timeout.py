"""A timeout that many short calls share, with one timer for all of them.

CONTRIBUTING.md says why this is not `asyncio.timeout`.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

__all__ = ["SharedTimeout"]


class SharedTimeout:
    """As `asyncio.timeout`, for many short calls with the same limit.

    The first call starts a timer, and later calls do not start one of their own. When it fires, the calls that are late
    are cancelled, and it is set again for the next deadline.

        with timeout:  # raises TimeoutError if the block takes too long
            await call()

    A task can be inside the block only once at a time.
    """

    __slots__ = ("_cancelled", "_deadlines", "_seconds", "_timer")

    def __init__(self, seconds: float) -> None:
        """Start without calls.

        Args:
            seconds: that each call may take.
        """
        self._seconds = seconds
        # Ordered by deadline, since all calls have the same limit.
        self._deadlines: dict[asyncio.Task[object], float] = {}
        # Tasks that were cancelled here, with the number of cancellation requests that they had before.
        self._cancelled: dict[asyncio.Task[object], int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("SharedTimeout must be used inside a task")
        loop = task.get_loop()
        self._deadlines[task] = deadline = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._cancel_late)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        if task is None or self._deadlines.pop(task, None) is not None:
            return
        before = self._cancelled.pop(task)
        if task.uncancel() <= before and kind is asyncio.CancelledError:  # nothing else has cancelled it
            raise TimeoutError from error

    def _cancel_late(self) -> None:
        """Cancel the tasks whose deadline has passed, and set the timer for the next deadline."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for task, deadline in list(self._deadlines.items()):
            if deadline > now:
                self._timer = task.get_loop().call_at(deadline, self._cancel_late)
                return
            del self._deadlines[task]
            self._cancelled[task] = task.cancelling()
            task.cancel()
