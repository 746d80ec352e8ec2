"""One interface to caches whose methods differ in their names and arguments, and which may be plain or async."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import AsyncGenerator, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, cast

from async_oauth1.errors import StoreUnavailableError
from flask_compat.execution.locks import KeyedLocks

from .added_nonces import added_nonces_of
from .kinds import CacheKind, describe, is_driver_error, locked_folder, settled

__all__ = ["CacheAdapter", "cache_locks", "has_no_add", "unavailable"]

log = logging.getLogger("flask_compat")

#: Memcached reads a lifetime above 30 days as a date in 1970, so such an entry would expire at once.
_LONGEST_MEMCACHED_LIFETIME = 30 * 86400
_LIFETIME_NAMES = ("timeout", "expires", "ttl", "expire", "ex", "time")
#: Shared by all hooks of this process, so that two hooks over one cache take turns.
cache_locks = KeyedLocks()


class CacheAdapter:
    """An unwrapped cache, called with the method and argument names that it uses."""

    def __init__(self, given: object, cache: Any) -> None:
        """Wrap a cache; ``given`` is the proxy that it came from, or the cache itself."""
        self.cache = cache
        self.kind: CacheKind = describe(cache)
        self.label = type(cache).__name__
        # Without a known backing, a proxy is its own lock key, whichever object it returns.
        self._own_lock = "cache", id(given if self.kind.backing is None else None), self.kind.backing
        # The cache may also be used directly elsewhere, so its own key is locked as well.
        self._second_lock = ("cache", id(cache), None) if self.kind.backing is None and given is not cache else None
        self.name: object = self.kind.backing or type(cache)
        parameters = _parameters(cache)
        self._lifetime_name = _lifetime_name(cache, parameters)
        self._is_redis_client = "nx" in parameters and "ex" in parameters
        self.can_add = self._is_redis_client or callable(getattr(cache, "add", None))
        self.added_nonces = added_nonces_of(self.kind, cache) if self.kind.threshold else None

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """The lock of an entry."""
        own = *self._own_lock, key
        return cache_locks.hold(own) if self._second_lock is None else _hold_both(own, (*self._second_lock, key))

    async def get(self, key: str) -> Any:
        """The value, or ``None``."""
        value = await self._call("get", key)
        return json.loads(value) if self._is_redis_client and value is not None else value

    async def set(self, key: str, value: object, lifetime: int) -> object:
        """Set a value for some seconds; 0 means that it does not expire. Returns what the cache returns."""
        return await self._call("set", key, self._packed(value), **self._lifetime(lifetime))

    async def delete(self, key: str) -> object:
        """Delete an entry. Returns what the cache returns."""
        return await self._call("delete", key)

    async def add(self, key: str, value: object, lifetime: int) -> bool:
        """Set a value unless the key exists, and return whether it was set. The caller holds the key's lock.

        Raises:
            StoreUnavailableError: the cache neither has the key nor accepted the value.
        """
        if not self.can_add:
            known = await self.has(key)
            await self.set(key, value, lifetime)
            return not known
        with locked_folder(self.kind.folder):
            try:
                if await self._add(key, value, lifetime):
                    return True
            except ValueError:  # aiocache raises it if the key exists
                if await self.has(key):
                    return False
                raise
        if not await self.has(key):
            raise unavailable(self, "add() did not keep a new entry")
        return False

    async def has(self, key: str) -> bool:
        """Whether a key exists."""
        for name in ("has", "exists"):
            # cachelib's has() for Memcached appends to the value, which fails unless that is a string
            if callable(getattr(self.cache, name, None)) and self._has_is_right():
                return bool(await self._call(name, key))
        return await self._call("get", key) is not None

    def _has_is_right(self) -> bool:
        return not any(cls.__name__ == "MemcachedCache" for cls in type(self.cache).__mro__)

    async def _add(self, key: str, value: object, lifetime: int) -> object:
        if self._is_redis_client:
            return await self._call("set", key, self._packed(value), nx=True, **self._lifetime(lifetime))
        return await self._call("add", key, value, **self._lifetime(lifetime))

    def _packed(self, value: object) -> object:
        return json.dumps(value) if self._is_redis_client else value

    def _lifetime(self, seconds: int) -> dict[str, Any]:
        name = self._lifetime_name
        if name in ("ttl", "ex") and not seconds:
            return {name: None}
        if name in ("expire", "time") and seconds > _LONGEST_MEMCACHED_LIFETIME:
            seconds = 0
        return {name: seconds}

    def alone(self) -> AbstractAsyncContextManager[None]:
        """A lock for clients that are not safe to use from several threads; no lock for the others."""
        return cache_locks.hold(("client", id(self.kind.client))) if self.kind.unsafe_client else nullcontext()

    async def _call(self, method: str, *args: object, **kwargs: object) -> Any:
        try:
            async with self.alone():
                return await settled(getattr(self.cache, method)(*args, **kwargs))
        except Exception as error:
            if not is_driver_error(error):
                raise
            log.exception("%s failed; the request was answered with 503.", self.label)
            raise StoreUnavailableError() from error


@asynccontextmanager
async def _hold_both(first: Hashable, second: Hashable) -> AsyncGenerator[None, None]:
    async with cache_locks.hold(first), cache_locks.hold(second):
        yield


def has_no_add(cache: object) -> bool:
    """Whether a cache has no ``add``, judging by its class. ``False`` for a proxy, whose class shows nothing."""
    if inspect.getattr_static(cache, "set", None) is None or hasattr(type(cache), "__getattr__"):
        return False
    return inspect.getattr_static(cache, "add", None) is None and "nx" not in _parameters(cache)


def unavailable(opened: CacheAdapter, problem: str) -> StoreUnavailableError:
    """Log a problem, and return the error that answers the request with 503."""
    log.error("%s: %s; the request was answered with 503.", opened.label, problem)
    return StoreUnavailableError()


def _parameters(cache: object) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(cast("Any", cache).set).parameters
    except (TypeError, ValueError):
        return {}


def _lifetime_name(cache: object, parameters: Mapping[str, inspect.Parameter]) -> str:
    """The name of the lifetime argument. Authlib's code says ``timeout``, and its documentation ``expires``."""
    default = "time" if type(cache).__module__.startswith("pylibmc") else "timeout"
    return next((name for name in _LIFETIME_NAMES if name in parameters), default)
