"""The counters: in this process, or in Redis through the library ``limits``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.stores.base import redact_url
from async_oauth1.stores.health.outages import Outages

if TYPE_CHECKING:
    from limits.aio.storage import Storage

__all__ = ["Counter", "MemoryCounter", "StorageCounter", "open_counter"]

P = ParamSpec("P")

#: Counters of a rule that one process keeps in memory, at about 300 bytes each. Any further subject shares one.
MOST_COUNTERS = 100_000
#: Seconds for which a server that did not answer is not asked again.
PAUSE = 0.5
# Seconds in which the counters of a rule are searched once at most for those that have ended.
_SWEEP_EVERY = 1.0
# A worker whose clock is behind still counts in a window that has ended by another one's clock.
_STAYS = 60
_CONNECTIONS = 32
_REDIS = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis", "valkeys": "rediss"}


class Counter(Protocol):
    """Counts by key."""

    async def add(self, key: str, seconds: int) -> int:
        """Add 1 in one atomic step.

        Args:
            key: of a window.
            seconds: until the window ends.

        Returns:
            How many there are now.

        Raises:
            StoreUnavailableError: the counter cannot be asked.
        """
        ...

    async def count(self, key: str) -> int:
        """How many there are.

        Raises:
            StoreUnavailableError: the counter cannot be asked.
        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class MemoryCounter:
    """Counts in this process."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_COUNTERS) -> None:
        """Start at 0.

        Args:
            clock: Unix time, in seconds.
            most: counters to keep for each rule.
        """
        self._clock, self._most = clock, most
        # Each rule has its own, so that a flood from many addresses leaves the clients their counters.
        self._by_rule: dict[str, _Counts] = {}

    async def add(self, key: str, seconds: int) -> int:
        """As `Counter.add`."""
        return self._of(key).add(key, seconds, self._clock())

    async def count(self, key: str) -> int:
        """As `Counter.count`."""
        return self._of(key).count(key, self._clock())

    async def close(self) -> None:
        """Do nothing."""

    def _of(self, key: str) -> _Counts:
        rule = key.partition("/")[0]
        counts = self._by_rule.get(rule)
        if counts is None:
            counts = self._by_rule[rule] = _Counts(self._most)
        return counts


class _Counts:
    """The counters of one rule."""

    def __init__(self, most: int) -> None:
        self._most, self._next_sweep, self._swept_at = most, min(1_000, most), float("-inf")
        self._counts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: str, seconds: int, now: float) -> int:
        if key not in self._counts and len(self._counts) >= self._next_sweep:
            self._sweep(now)
        key = self._own_or_shared(key)
        count, ends_at = self._counts.get(key, (0, now + seconds))
        if ends_at <= now:
            count, ends_at = 0, now + seconds
        self._counts[key] = count + 1, ends_at
        return count + 1

    def count(self, key: str, now: float) -> int:
        count, ends_at = self._counts.get(self._own_or_shared(key), (0, 0.0))
        return count if ends_at > now else 0

    def _own_or_shared(self, key: str) -> str:
        """The key; if there are too many, that of the counter which all further subjects share."""
        return key if key in self._counts or len(self._counts) < self._most else ""

    def _sweep(self, now: float) -> None:
        """Drop the counters whose windows have ended, unless that was done just now: a full table has many."""
        if 0 <= now - self._swept_at < _SWEEP_EVERY:
            return
        self._swept_at = now
        self._counts = {key: value for key, value in self._counts.items() if value[1] > now}
        # Twice as many as are left, so that the work for each new counter stays the same.
        self._next_sweep = min(self._most, max(1_000, 2 * len(self._counts)))


class StorageCounter:
    """Counts in a storage of the library ``limits``."""

    def __init__(
        self, storage: Storage, name: str, timeout: float, close: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """Use a storage.

        Args:
            storage: of ``limits.aio``.
            name: for the log, without a password.
            timeout: seconds after which it counts as down.
            close: disconnects it.
        """
        self._storage, self._timeout, self._close = storage, timeout, close
        self._failures: tuple[type[Exception], ...] = (OSError, TimeoutError, *_as_tuple(storage.base_exceptions))
        self._outages, self._paused_until = Outages(name), float("-inf")

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
        began = monotonic()
        if began < self._paused_until:
            raise StoreUnavailableError()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await question(*args, **kwargs)
        except self._failures as error:
            self._paused_until = monotonic() + PAUSE
            self._outages.failed(f"{type(error).__name__}: limits cannot be counted", began)
            raise StoreUnavailableError() from error
        self._outages.answered(began)
        return answer


def open_counter(store: str | Storage, timeout: float, clock: Callable[[], float]) -> Counter:
    """The counter that a URL or a storage of ``limits`` stands for.

    Args:
        store: ``memory://``, the URL of a Redis or Valkey server, or a storage of ``limits.aio``.
        timeout: seconds after which a server counts as down.
        clock: Unix time, in seconds; for ``memory://``.

    Raises:
        StoreError: the URL has another scheme.
    """
    if not isinstance(store, str):
        return StorageCounter(store, f"limits in {type(store).__name__}", timeout)
    scheme, separator, rest = store.partition("://")
    if scheme == "memory":
        return MemoryCounter(clock)
    if scheme not in _REDIS:
        raise StoreError(
            f"{redact_url(store)}: limits are counted at memory://, redis://, rediss://, valkey:// or unix://"
        )
    return _redis_counter(f"{_REDIS[scheme]}{separator}{rest}", timeout)


def _redis_counter(url: str, timeout: float) -> StorageCounter:
    """A counter in Redis.

    By default, redis-py opens a connection for each request at once, and waits for an answer for ever.
    """
    from limits.aio.storage import RedisStorage
    from redis.asyncio import BlockingConnectionPool

    pools: Any = BlockingConnectionPool  # the options of its methods are not typed
    pool = pools.from_url(
        url, max_connections=_CONNECTIONS, timeout=timeout, socket_timeout=timeout, socket_connect_timeout=timeout
    )
    options: Any = {"connection_pool": pool}
    # The URL is the pool's: the storage knows fewer kinds, and uses none.
    storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="async_oauth1", **options)
    return StorageCounter(storage, redact_url(url), timeout, pool.aclose)


def _as_tuple(exceptions: type[Exception] | tuple[type[Exception], ...]) -> tuple[type[Exception], ...]:
    return exceptions if isinstance(exceptions, tuple) else (exceptions,)
