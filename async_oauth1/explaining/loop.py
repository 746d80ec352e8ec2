"""Explain refusals in a task of the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging

from async_oauth1.errors import OAuth1Error
from async_oauth1.explain import Explanation
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.configured_server import ConfiguredServer
from async_oauth1.provider.hooks import call_hook

from .queue import Queue, Refusal, refusal_of, slices

__all__ = ["DELAY", "PAUSE", "LoopObserver", "observe_on_loop"]

log = logging.getLogger("async_oauth1")

#: Seconds before an explanation begins, in which the answer is sent.
DELAY = 0.05
#: Seconds between two slices: explaining takes one part in twenty of a core at most.
PAUSE = 0.01


def observe_on_loop(server: ConfiguredServer) -> None:
    """Let a server's refusals be explained on the event loop that it runs on, if its policy or a hook wants that."""
    if server.refusal_observer is None:
        server.refusal_observer = LoopObserver(server)


class LoopObserver:
    """Notes refusals, and explains them one after the other.

    Attributes:
        queue: what waits.
    """

    def __init__(self, server: ConfiguredServer) -> None:
        """Start without any."""
        self.queue = Queue()
        self._server = server
        self._task: asyncio.Task[None] | None = None

    def __call__(self, request: OAuth1Request, error: OAuth1Error) -> None:
        """Note a refusal."""
        refusal = refusal_of(self._server, request, error, self._server.hooks.get("on_refusal"))
        if refusal is None or not self.queue.offer(refusal):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a caller without a loop: the next one with a loop explains this refusal, too
            return
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            # In an empty context: that of the request has ended by then.
            self._task = loop.create_task(self._work(), context=contextvars.Context())

    async def _work(self) -> None:
        while (refusal := self.queue.take()) is not None:
            await asyncio.sleep(DELAY)
            try:
                await self._handle(refusal)
            except Exception:  # of the hook: the refusals that wait are explained all the same
                log.exception("A refusal could not be explained.")

    async def _handle(self, refusal: Refusal) -> None:
        explanation: Explanation | None = None
        if refusal.is_explained:
            for found in slices(refusal):
                explanation = found
                await asyncio.sleep(PAUSE)
        if refusal.hook is not None:
            await call_hook(refusal.hook, refusal.request, refusal.error, explanation)
