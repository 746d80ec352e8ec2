"""The counters in Redis and in other storages of the library ``limits``.

A flow runs on an event loop, or in a thread of its own, as under WSGI. Redis is asked by an asynchronous driver on the
loop that asks first. Elsewhere a blocking driver asks, in the caller's thread or, from another loop, in a thread of its
own: connections belong to one loop, and Flask makes a loop for each async view. All use the same keys.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import cached_property, partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec

from async_oauth1.asgi.event_loops import in_thread
from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.provider.hooks import hook_caller
from async_oauth1.stores.health.outages import Outages
from async_oauth1.stores.urls.redaction import redact_url

from .counting import Counter, MemoryCounter

if TYPE_CHECKING:
    from limits.aio.storage import Storage as AsyncStorage
    from limits.storage import Storage as BlockingStorage

__all__ = ["BlockingStorageCounter", "RedisCounter", "StorageCounter", "needs_loop", "open_counter"]

P = ParamSpec("P")

#: Seconds for which a server that did not answer is not asked again.
PAUSE = 0.5
# A worker whose clock is behind still counts in a window that has ended by another one's clock.
_STAYS = 60
_CONNECTIONS = 32
_PREFIX = "async_oauth1"
_REDIS = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}


class _Watched:
    """What logs the outages of a storage, and leaves it alone for a moment."""

    def __init__(self, storage: AsyncStorage | BlockingStorage, name: str) -> None:
        exceptions = storage.base_exceptions
        several = exceptions if isinstance(exceptions, tuple) else (exceptions,)
        self._failures: tuple[type[Exception], ...] = (OSError, TimeoutError, *several)
        self._outages, self._paused_until = Outages(name), float("-inf")

    def _begin(self) -> float:
        began = monotonic()
        if began < self._paused_until:
            raise StoreUnavailableError()
        return began

    def _failed(self, error: Exception, began: float) -> StoreUnavailableError:
        self._paused_until = monotonic() + PAUSE
        self._outages.failed(f"{type(error).__name__}: limits cannot be counted", began)
        return StoreUnavailableError()


class StorageCounter(_Watched):
    """Counts in a storage of ``limits.aio``, on an event loop."""

    def __init__(
        self, storage: AsyncStorage, name: str, timeout: float, close: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Use a storage.

        Args:
            storage: of ``limits.aio``.
            name: for the log, without a password.
            timeout: seconds after which it counts as down.
            close: disconnects it.
        """
        super().__init__(storage, name)
        self._storage, self._timeout, self._close = storage, timeout, close

    async def add(self, key: str, seconds: int) -> int:
        """As `Counter.add`."""
        return await self._ask(self._storage.incr, key, seconds + _STAYS)

    async def count(self, key: str) -> int:
        """As `Counter.count`."""
        return await self._ask(self._storage.get, key)

    async def close(self) -> None:
        """As `Counter.close`."""
        if self._close is not None:
            await self._close()

    async def _ask(self, question: Callable[P, Awaitable[int]], *args: P.args, **kwargs: P.kwargs) -> int:
        began = self._begin()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await question(*args, **kwargs)
        except self._failures as error:
            raise self._failed(error, began) from error
        self._outages.answered(began)
        return answer


class BlockingStorageCounter(_Watched):
    """Counts in a storage of ``limits.storage``: in the caller's thread, or in another one if that has a loop."""

    def __init__(self, storage: BlockingStorage, name: str, close: Callable[[], object] | None = None) -> None:
        """Use a storage, which has a time limit of its own.

        Args:
            storage: of ``limits.storage``.
            name: for the log, without a password.
            close: disconnects it.
        """
        super().__init__(storage, name)
        self._storage, self._close = storage, close

    async def add(self, key: str, seconds: int) -> int:
        """As `Counter.add`."""
        return await self._ask(partial(self._storage.incr, key, seconds + _STAYS))

    async def count(self, key: str) -> int:
        """As `Counter.count`."""
        return await self._ask(partial(self._storage.get, key))

    async def close(self) -> None:
        """As `Counter.close`."""
        if self._close is not None:
            self._close()

    async def _ask(self, question: Callable[[], int]) -> int:
        return self._ask_now(question) if _may_block() else await in_thread(self._ask_now, question)

    def _ask_now(self, question: Callable[[], int]) -> int:
        began = self._begin()
        try:
            answer = question()
        except self._failures as error:
            raise self._failed(error, began) from error
        self._outages.answered(began)
        return answer


class RedisCounter:
    """Counts in Redis or Valkey, on an event loop or in a thread that may block."""

    def __init__(self, url: str, timeout: float) -> None:
        """Read the URL; no I/O.

        Args:
            url: as redis-py reads it.
            timeout: seconds after which the server counts as down.
        """
        self._url, self._timeout = url, timeout
        self._on_loop = self._open_on_loop()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def add(self, key: str, seconds: int) -> int:
        """As `Counter.add`."""
        return await self._counter.add(key, seconds)

    async def count(self, key: str) -> int:
        """As `Counter.count`."""
        return await self._counter.count(key)

    async def close(self) -> None:
        """As `Counter.close`."""
        if "_blocking" in vars(self):
            await self._blocking.close()
        if self._loop is not None and self._loop is _running_loop():
            await self._on_loop.close()

    @property
    def _counter(self) -> Counter:
        loop = _running_loop()
        if loop is None or _is_short_lived():
            return self._blocking
        if self._loop is None:
            self._loop = loop
        return self._on_loop if loop is self._loop else self._blocking

    def _open_on_loop(self) -> StorageCounter:
        from limits.aio.storage import RedisStorage
        from redis.asyncio import BlockingConnectionPool

        pool = self._pool(BlockingConnectionPool)
        options: Any = {"connection_pool": pool}
        # The URL is the pool's: the storage knows fewer kinds, and uses none.
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=_PREFIX, **options)
        return StorageCounter(storage, redact_url(self._url), self._timeout, pool.aclose)

    @cached_property
    def _blocking(self) -> BlockingStorageCounter:
        from limits.storage import RedisStorage
        from redis import BlockingConnectionPool

        pool = self._pool(BlockingConnectionPool)
        storage = RedisStorage("redis://", pool, key_prefix=_PREFIX)
        return BlockingStorageCounter(storage, redact_url(self._url), pool.disconnect)

    def _pool(self, pools: Any) -> Any:
        """A pool of connections. By default, redis-py opens one for each request, and waits for an answer for ever."""
        timeout = self._timeout
        return pools.from_url(
            self._url,
            max_connections=_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
        )


def open_counter(store: str | AsyncStorage | BlockingStorage, timeout: float, clock: Callable[[], float]) -> Counter:
    """The counter that a URL or a storage of ``limits`` stands for.

    Args:
        store: ``memory://``, the URL of a Redis or Valkey server, or a storage of ``limits.aio`` or ``limits.storage``.
        timeout: seconds after which a server counts as down.
        clock: Unix time, in seconds; for ``memory://``.

    Raises:
        StoreError: the URL has another scheme.
    """
    if not isinstance(store, str):
        from limits.storage import Storage

        name = f"limits in {type(store).__name__}"
        if isinstance(store, Storage):
            return BlockingStorageCounter(store, name)
        return StorageCounter(store, name, timeout)
    scheme, separator, rest = store.partition("://")
    if scheme == "memory":
        return MemoryCounter(clock)
    if scheme not in _REDIS:
        raise StoreError(
            f"{redact_url(store)}: limits are counted at memory://, redis://, rediss://, valkey:// or unix://"
        )
    return RedisCounter(f"{_REDIS[scheme]}{separator}{rest}", timeout)


def needs_loop(counter: Counter) -> bool:
    """Whether a counter works on an event loop alone."""
    return isinstance(counter, StorageCounter)


def _may_block() -> bool:
    """Whether the caller is a flow in a thread of its own, and not on an event loop."""
    if _running_loop() is None:
        trio = sys.modules.get("trio")
        return trio is None or not trio.lowlevel.in_trio_run()
    is_on_loop = getattr(hook_caller.get(), "is_on_loop", None)  # a WSGI server may run in the thread of a loop
    return is_on_loop is not None and not is_on_loop()


def _is_short_lived() -> bool:
    """Whether a flow of ``flask_compat`` runs on a loop that ends with the view, or in a thread that has one below."""
    runtime = getattr(hook_caller.get(), "runtime", None)
    return getattr(runtime, "loops_are_short_lived", False)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
