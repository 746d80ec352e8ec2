"""Explain refusals in a thread, for applications without an event loop."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable

from async_oauth1.errors import OAuth1Error
from async_oauth1.explain import Explanation
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.configured_server import ConfiguredServer

from .loop import DELAY, PAUSE
from .queue import Hook, Queue, Refusal, refusal_of, slices

__all__ = ["ThreadObserver", "observe_in_thread"]

log = logging.getLogger("async_oauth1")


def observe_in_thread(server: ConfiguredServer, find_hook: Callable[[], Hook | None]) -> None:
    """Let a server's refusals be explained in a thread of their own, if its policy or a hook wants that.

    Args:
        server: the server.
        find_hook: returns the hook ``on_refusal``.
    """
    if server.refusal_observer is None:
        server.refusal_observer = ThreadObserver(server, find_hook)


class ThreadObserver:
    """Notes refusals, and explains them one after the other. The thread ends when nothing waits.

    Attributes:
        queue: what waits.
    """

    def __init__(self, server: ConfiguredServer, find_hook: Callable[[], Hook | None]) -> None:
        """Start without any."""
        self._server, self._find_hook = server, find_hook
        self._start()

    def _start(self) -> None:
        self.queue = Queue()
        self._lock = threading.Lock()
        self._is_working = False
        self._process = os.getpid()

    def __call__(self, request: OAuth1Request, error: OAuth1Error) -> None:
        """Note a refusal."""
        refusal = refusal_of(self._server, request, error, self._find_hook())
        if refusal is None:
            return
        if self._process != os.getpid():  # threads do not survive a fork, and the lock may have been taken
            self._start()
        with self._lock:
            if not self.queue.offer(refusal) or self._is_working:
                return
            self._is_working = True
        threading.Thread(target=self._work, name="explaining refusals", daemon=True).start()

    def _work(self) -> None:
        while (refusal := self._take()) is not None:
            time.sleep(DELAY)
            try:
                self._handle(refusal)
            except Exception:  # of the hook: the refusals that wait are explained all the same
                log.exception("A refusal could not be explained.")

    def _take(self) -> Refusal | None:
        with self._lock:
            refusal = self.queue.take()
            self._is_working = refusal is not None
            return refusal

    @staticmethod
    def _handle(refusal: Refusal) -> None:
        explanation: Explanation | None = None
        if refusal.is_explained:
            for found in slices(refusal):
                explanation = found
                time.sleep(PAUSE)
        if refusal.hook is not None:
            result = refusal.hook(refusal.request, refusal.error, explanation)
            if inspect.isawaitable(result):
                asyncio.run(_awaited(result))


async def _awaited(result: Awaitable[object]) -> None:
    await result
