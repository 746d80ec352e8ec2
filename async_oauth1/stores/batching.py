"""Batches the questions that arrive while the store is busy, so that one statement answers them all.

Under load, all waiting requests share the statement's fixed costs (a thread switch, a transaction, an fsync or a round
trip). A single request does not wait: its batch starts in the same iteration of the event loop.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from time import monotonic
from typing import Generic, TypeVar

from async_oauth1.errors import StoreUnavailableError

__all__ = ["Batcher", "NonceBatcher", "QuestionError", "cancel_all", "fail_all"]

#: Keys in one statement: enough to share its costs, few enough that it takes milliseconds.
BATCH_SIZE = 512

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
A = TypeVar("A")


class QuestionError(StoreUnavailableError):
    """The store works but cannot answer for one of the keys. It has done nothing about the other keys either."""


class _Batcher(ABC, Generic[K, V, A]):
    """Collects keys into batches and distributes the answers.

    Cancelling one caller affects neither the other callers nor the statement that is under way.
    """

    __slots__ = ("_answer", "_batch_size", "_fail_together", "_task", "_waiting")

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Awaitable[A]],
        *,
        batch_size: int = BATCH_SIZE,
        fail_together: bool = False,
    ) -> None:
        """Start idle.

        Args:
            answer: answers for all keys of a batch.
            batch_size: keys in a batch, at most.
            fail_together: if a batch fails, the keys that wait for the next one fail with it. For a store that may stop
                answering: then no caller waits for longer than one batch may take.
        """
        self._answer = answer
        self._batch_size = batch_size
        self._fail_together = fail_together
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    def ask(self, key: K) -> asyncio.Future[V]:
        """The answer for one key, to be awaited.

        Raises:
            StoreUnavailableError: when awaited: the store could not be asked.
        """
        future: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    def observe(self, told: Callable[[int, float, BaseException | None], None]) -> None:
        """Have each batch reported from now on.

        Args:
            told: is called with the number of keys, the seconds, and the error if there was one; must not raise.
        """
        answer = self._answer

        async def observed(keys: Sequence[K]) -> A:
            begun = monotonic()
            try:
                answers = await answer(keys)
            except BaseException as error:  # cancellation included: it is only observed
                told(len(keys), monotonic() - begun, error)
                raise
            told(len(keys), monotonic() - begun, None)
            return answers

        self._answer = observed

    async def drain(self) -> None:
        """Wait until every key is answered."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._answer_batch(self._next_batch())
        finally:
            self._task = None
            if self._waiting:  # only if this task itself was cancelled
                cancel_all(_futures(self._waiting))
                self._waiting = {}

    async def _answer_batch(self, batch: Mapping[K, list[asyncio.Future[V]]]) -> Exception | None:
        """Answer a batch; returns the error if the store could not be asked."""
        try:
            self._settle(batch, await self._answer(list(batch)))
        except QuestionError as error:
            return await self._answer_halves(batch, error)
        except Exception as error:  # noqa: BLE001 - it is raised by the callers
            fail_all(_futures(batch), error)
            if self._fail_together:
                fail_all(_futures(self._waiting), error)
                self._waiting = {}
            return error
        except BaseException:  # this task was cancelled: otherwise the callers would wait for ever
            cancel_all(_futures(batch))
            raise
        return None

    async def _answer_halves(
        self, batch: Mapping[K, list[asyncio.Future[V]]], error: QuestionError
    ) -> Exception | None:
        """Find the key without an answer by halving the batch, and answer for all others."""
        if len(batch) == 1:
            fail_all(_futures(batch), error)
            return None
        keys = list(batch)
        middle = len(keys) // 2
        failure = None
        try:
            for half in (keys[:middle], keys[middle:]):
                if failure is None:
                    failure = await self._answer_batch({key: batch[key] for key in half})
                else:  # the store became unavailable: asking again would cost another timeout
                    fail_all(_futures({key: batch[key] for key in half}), failure)
        except BaseException:  # this task was cancelled between the halves: the second one has callers as well
            cancel_all(_futures(batch))
            raise
        return failure

    def _next_batch(self) -> dict[K, list[asyncio.Future[V]]]:
        waiting = self._waiting
        if len(waiting) <= self._batch_size:
            self._waiting = {}
            return waiting
        keys = [key for _, key in zip(range(self._batch_size), waiting, strict=False)]
        return {key: waiting.pop(key) for key in keys}

    @abstractmethod
    def _settle(self, batch: Mapping[K, Sequence[asyncio.Future[V]]], answers: A) -> None:
        """Pass the answers to the callers that still wait."""


class Batcher(_Batcher[K, V, Mapping[K, V]]):
    """Looks up keys. Concurrent callers with the same key get the same answer."""

    __slots__ = ()

    def _settle(self, batch: Mapping[K, Sequence[asyncio.Future[V]]], answers: Mapping[K, V]) -> None:
        for key, futures in batch.items():
            answer = answers[key]
            for future in futures:
                if not future.done():
                    future.set_result(answer)


class NonceBatcher(_Batcher[K, bool, Collection[K]]):
    """Inserts nonces and answers whether they were known before.

    ``answer`` inserts the new nonces atomically and returns them. Of concurrent callers with the same new nonce, only
    the first one gets ``False``.
    """

    __slots__ = ()

    def _settle(self, batch: Mapping[K, Sequence[asyncio.Future[bool]]], answers: Collection[K]) -> None:
        for key, futures in batch.items():
            known = key not in answers
            for future in futures:
                if not future.done():
                    future.set_result(known)
                    known = True


def _futures(batch: Mapping[K, Sequence[asyncio.Future[V]]]) -> Iterable[asyncio.Future[V]]:
    return chain.from_iterable(batch.values())


def fail_all(futures: Iterable[asyncio.Future[V]], error: Exception) -> None:
    """Raise an error in all callers that still wait."""
    for future in futures:
        if not future.done():
            # One exception object each: a shared one would collect the tracebacks of all callers.
            own: Exception = error
            if isinstance(error, StoreUnavailableError):
                own = StoreUnavailableError()
                own.__cause__ = error
            future.set_exception(own)


def cancel_all(futures: Iterable[asyncio.Future[V]]) -> None:
    """Cancel all callers that still wait."""
    for future in futures:
        future.cancel()
