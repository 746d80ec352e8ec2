"""Collects the questions that arrive while the store is busy, so that one statement answers them all.

Under load the statement's fixed costs (a thread hop, a transaction, an fsync or a round trip) are shared by everybody
who waits. Alone, a request waits for nobody: its batch starts in the same turn of the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from async_oauth1.errors import StoreUnavailableError

__all__ = ["Batcher", "NonceBatcher"]

#: Questions in one statement: enough to share its costs, few enough that it takes milliseconds.
BATCH_SIZE = 512

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """Turns single questions into batches and hands the answers out.

    A caller that is cancelled leaves its place; the others and the statement under way do not notice.
    """

    __slots__ = ("_answer", "_batch_size", "_fail_together", "_task", "_waiting")

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        *,
        batch_size: int = BATCH_SIZE,
        fail_together: bool = False,
    ) -> None:
        """Start idle.

        Args:
            answer: answers all of the keys.
            batch_size: how many keys it gets at most.
            fail_together: where a batch fails, those who wait for the next one fail with it. For a store that may
                stop answering: nobody then waits for longer than one batch may take.
        """
        self._answer = answer
        self._batch_size = batch_size
        self._fail_together = fail_together
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    def ask(self, key: K) -> asyncio.Future[V]:
        """The answer for one key, to be awaited.

        Raises:
            StoreUnavailableError: once awaited: the store could not be asked.
        """
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    async def drain(self) -> None:
        """Wait until nobody waits."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._run_batch()
        finally:
            self._task = None
            for futures in self._waiting.values():  # only where this task itself was cancelled
                for future in futures:
                    future.cancel()
            self._waiting.clear()

    async def _run_batch(self) -> None:
        keys = [key for _, key in zip(range(self._batch_size), self._waiting, strict=False)]
        batch = {key: self._waiting.pop(key) for key in keys}
        try:
            answers = await self._answer(keys)
        except Exception as error:  # noqa: BLE001 - each caller gets it
            failed = list(batch.values())
            if self._fail_together:
                failed += self._waiting.values()
                self._waiting = {}
            for futures in failed:
                _fail(futures, error)
        except BaseException:
            for futures in batch.values():
                for future in futures:
                    future.cancel()
            raise
        else:
            for key, futures in batch.items():
                self._settle(futures, answers[key])

    def _settle(self, futures: list[asyncio.Future[V]], answer: V) -> None:
        """Tell everybody who asked about one key and still listens."""
        for future in futures:
            if not future.done():
                future.set_result(answer)


class NonceBatcher(Batcher[K, bool]):
    """Asks whether nonces were known; they are from then on.

    Of those who ask about a new one at once, one is told that it was new.
    """

    __slots__ = ()

    def __init__(
        self,
        remember: Callable[[Sequence[K]], Awaitable[Collection[K]]],
        *,
        batch_size: int = BATCH_SIZE,
        fail_together: bool = False,
    ) -> None:
        """Start idle.

        Args:
            remember: stores those of the keys that are new, atomically, and returns them.
            batch_size: how many keys it gets at most.
            fail_together: as for `Batcher`.
        """

        async def known(keys: Sequence[K]) -> Mapping[K, bool]:
            fresh = await remember(keys)
            return {key: key not in fresh for key in keys}

        super().__init__(known, batch_size=batch_size, fail_together=fail_together)

    def _settle(self, futures: list[asyncio.Future[bool]], answer: bool) -> None:  # noqa: FBT001 - one of any kind of answers
        for future in futures:
            if not future.done():
                future.set_result(answer)
                answer = True


def _fail(futures: list[asyncio.Future[V]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            # One exception object each: a shared one would collect the traceback of everybody who raises it.
            own: Exception = error
            if isinstance(error, StoreUnavailableError):
                own = StoreUnavailableError()
                own.__cause__ = error
            future.set_exception(own)
