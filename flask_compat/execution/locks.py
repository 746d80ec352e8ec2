"""Locks by key, for flows that may each run in another thread or on another loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Hashable
from concurrent.futures import Future
from contextlib import asynccontextmanager

from .flow_runner import on_loop

__all__ = ["KeyedLocks"]


class KeyedLocks:
    """One lock for each key, kept while it is held or wanted; first come, first served."""

    def __init__(self) -> None:
        """Start with no key."""
        self._guard = threading.Lock()
        self._queues: dict[Hashable, deque[Future[None]]] = {}

    @asynccontextmanager
    async def hold(self, key: Hashable) -> AsyncGenerator[None]:
        """Hold the lock of a key: waiting on a loop, blocking in a thread."""
        ticket = self._join(key)
        if ticket is not None:
            try:
                if on_loop():
                    await asyncio.wrap_future(ticket)
                else:
                    ticket.result()
            except BaseException:
                if not ticket.cancel():  # the turn came all the same
                    self._leave(key)
                raise
        try:
            yield
        finally:
            self._leave(key)

    def is_crowded(self, key: Hashable, waiting: int) -> bool:
        """Whether so many wait for the lock of a key already."""
        with self._guard:
            return len(self._queues.get(key, ())) >= waiting

    def _join(self, key: Hashable) -> Future[None] | None:
        with self._guard:
            waiting = self._queues.get(key)
            if waiting is None:
                self._queues[key] = deque()
                return None
            ticket: Future[None] = Future()
            waiting.append(ticket)
            return ticket

    def _leave(self, key: Hashable) -> None:
        while True:
            with self._guard:
                waiting = self._queues[key]
                if not waiting:
                    del self._queues[key]
                    return
                ticket = waiting.popleft()
            if ticket.set_running_or_notify_cancel():
                ticket.set_result(None)
                return
