"""A cache behind one interface, which is proved before anything depends on it.

What the hooks need is three promises: an entry that was added is found and cannot be added again; of two calls that
take an entry away one alone is told so; and an entry stays for as long as it was meant to. The first use shows whether
the first two hold. The third cannot be shown, so caches that are known to break it are named in the log.
"""

from __future__ import annotations

import inspect
import json
import logging
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from async_oauth1.errors import StoreUnavailableError
from flask_compat.execution.callable_kinds import is_async
from flask_compat.execution.locks import KeyedLocks
from flask_compat.execution.without_loop import eagerly

from .kinds import CacheKind, describe, eviction_of, is_driver_error, locked_folder, settled, unwrap

__all__ = ["Cache", "UnsuitableCacheError", "has_no_add"]

log = logging.getLogger("flask_compat")

#: Seconds that the entries stay with which a cache is proved: as long as others, or a full cache drops them first.
PROOF_LIFETIME = 86400
#: Memcached takes a longer lifetime for a date, and that of a month for one in 1970: it forgets at once.
_LONGEST_MEMCACHED_LIFETIME = 30 * 86400
_LIFETIME_NAMES = ("timeout", "expires", "ttl", "expire", "ex", "time")
_TAKEN = ":taken"
_PROOF = {"proof": "of a temporary credential"}

_WAY_OUT = (
    "Use a cache that keeps the promise, such as cachelib's RedisCache, Flask-Caching's RedisCache or MemcachedCache, "
    "or aiocache's RedisCache."
)
# All hooks of this process share them: two hooks over one cache take turns.
_locks = KeyedLocks()
_said: set[str] = set()


class UnsuitableCacheError(RuntimeError):
    """A cache cannot do what nonces or temporary credentials need; the message names it and the way out."""


class Cache:
    """A cache behind one interface, whether its methods are plain or async.

    Nothing is asked of it before it is used: it may be a ``LocalProxy`` that has no object yet.
    """

    def __init__(self, given: Any, *, prefix: str, keeps_mappings: bool) -> None:
        """Wrap a cache, or a proxy of one.

        Args:
            given: the cache.
            prefix: of the keys with which it is proved.
            keeps_mappings: its values are mappings rather than marks.
        """
        self._given = given
        self._prefix = prefix
        self._keeps_mappings = keeps_mappings
        self._opened: _OpenedCache | None = None
        self._proved: dict[object, bool] = {}
        methods = [inspect.getattr_static(given, name, None) for name in ("get", "set", "delete", "add")]
        if methods[3] is None:
            methods[3] = inspect.getattr_static(given, "has", None)
        known = [method for method in methods if method is not None]
        self._is_async = bool(known) and all(map(is_async, known))

    def suited(self, hook: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """The hook for an async cache; for a plain one a plain function that does the same."""
        return hook if self._is_async else eagerly(hook)

    async def get(self, key: str) -> Any:
        """The value, or ``None``."""
        return await (await self._ready()).get(key)

    async def set(self, key: str, value: Mapping[str, Any], lifetime: int) -> None:
        """Keep a value for so many seconds.

        Raises:
            StoreUnavailableError: the cache says that it did not.
        """
        opened = await self._ready()
        if await opened.set(key, value, lifetime) is False:
            raise _unavailable(opened, "set() returned False")

    async def create(self, key: str, value: Mapping[str, Any], lifetime: int) -> None:
        """Keep a new value, which has not been taken."""
        await self.set(key, value, lifetime)
        opened = await self._ready()
        if not self._tells(opened):
            await opened.delete(key + _TAKEN)

    async def add(self, key: str, value: Any, lifetime: int, *, needed: float = 0) -> bool:
        """Set what is not there yet, and say whether it was not.

        Args:
            key: of the entry.
            value: of the entry.
            lifetime: seconds; 0 is without end.
            needed: seconds for which it must not be added again, even if the cache drops it.
        """
        opened = await self._ready()
        async with opened.hold(key):
            if opened.memory is not None and opened.memory.knows(key):
                return False
            added = await opened.add(key, value, lifetime)
            if added and needed and opened.memory is not None:
                opened.memory.remember(key, needed)
        return added

    async def take(self, key: str, lifetime: int) -> bool:
        """Delete an entry, and say whether this call alone did so."""
        opened = await self._ready()
        async with opened.hold(key):
            if self._tells(opened):
                return bool(await opened.delete(key))
            # What delete() does not tell, add() does: a mark that one call alone can set.
            taken = await opened.get(key) is not None and await opened.add(key + _TAKEN, 1, lifetime)
            await opened.delete(key)
            return taken

    async def delete(self, key: str) -> None:
        """Delete an entry, if it is there."""
        await (await self._ready()).delete(key)

    async def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """The lock of an entry, which every hook over the same cache shares within this process."""
        return (await self._ready()).hold(key)

    def _tells(self, opened: _OpenedCache) -> bool:
        return self._proved[opened.name]

    async def _ready(self) -> _OpenedCache:
        cache = unwrap(self._given)
        opened = self._opened
        if opened is None or opened.cache is not cache:
            opened = self._opened = _OpenedCache(self._given, cache)
        if opened.name not in self._proved:
            async with _locks.hold(("proof", id(self))):
                if opened.name not in self._proved:
                    self._proved[opened.name] = await _prove(opened, self._prefix, keeps_mappings=self._keeps_mappings)
                    await _warn(opened)
        return opened


class _OpenedCache:
    """The object that a cache is in one context, and how it wants to be called."""

    def __init__(self, given: Any, cache: Any) -> None:
        self.cache = cache
        self.kind: CacheKind = describe(cache)
        self.label = type(cache).__name__
        #: What stands for it in the locks: a proxy for itself, whatever it yields.
        self._own_lock = "cache", id(given if self.kind.backing is None else None), self.kind.backing
        # A cache that is reached through a proxy here and directly elsewhere is the same cache.
        self._second_lock = ("cache", id(cache), None) if self.kind.backing is None and given is not cache else None
        self.name: object = self.kind.backing or type(cache)
        parameters = _parameters(cache)
        self._lifetime_name = _lifetime_name(cache, parameters)
        self._is_redis_client = "nx" in parameters and "ex" in parameters
        self.can_add = self._is_redis_client or callable(getattr(cache, "add", None))
        self.memory = _memory_of(self.kind, cache) if self.kind.threshold else None

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        own = *self._own_lock, key
        return _locks.hold(own) if self._second_lock is None else _hold_both(own, (*self._second_lock, key))

    async def get(self, key: str) -> Any:
        value = await self._call("get", key)
        return json.loads(value) if self._is_redis_client and value is not None else value

    async def set(self, key: str, value: Any, lifetime: int) -> Any:
        return await self._call("set", key, self._packed(value), **self._lifetime(lifetime))

    async def delete(self, key: str) -> Any:
        return await self._call("delete", key)

    async def add(self, key: str, value: Any, lifetime: int) -> bool:
        """Set what is not there yet; the caller holds the key."""
        if not self.can_add:
            known = await self.has(key)
            await self.set(key, value, lifetime)
            return not known
        with locked_folder(self.kind.folder):
            try:
                if await self._add(key, value, lifetime):
                    return True
            except ValueError:  # how aiocache says that the key exists
                if await self.has(key):
                    return False
                raise
        if not await self.has(key):
            raise _unavailable(self, "add() did not keep a new entry")
        return False

    async def has(self, key: str) -> bool:
        for name in ("has", "exists"):
            # cachelib asks Memcached by appending, which fails on values that are no strings
            if callable(getattr(self.cache, name, None)) and self._has_is_right():
                return bool(await self._call(name, key))
        return await self._call("get", key) is not None

    def _has_is_right(self) -> bool:
        return not any(cls.__name__ == "MemcachedCache" for cls in type(self.cache).__mro__)

    async def _add(self, key: str, value: Any, lifetime: int) -> Any:
        if self._is_redis_client:
            return await self._call("set", key, self._packed(value), nx=True, **self._lifetime(lifetime))
        return await self._call("add", key, value, **self._lifetime(lifetime))

    def _packed(self, value: Any) -> Any:
        return json.dumps(value) if self._is_redis_client else value

    def _lifetime(self, seconds: int) -> dict[str, Any]:
        name = self._lifetime_name
        if name in ("ttl", "ex") and not seconds:
            return {name: None}
        if name in ("expire", "time") and seconds > _LONGEST_MEMCACHED_LIFETIME:
            seconds = 0
        return {name: seconds}

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Keep other threads from a client that two must not use at once."""
        return _locks.hold(("client", id(self.kind.client))) if self.kind.unsafe_client else nullcontext()

    async def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            async with self.alone():
                return await settled(getattr(self.cache, method)(*args, **kwargs))
        except Exception as error:
            if not is_driver_error(error):
                raise
            log.exception("%s failed, and the request is answered with 503.", self.label)
            raise StoreUnavailableError() from error


@asynccontextmanager
async def _hold_both(first: Hashable, second: Hashable) -> AsyncIterator[None]:
    async with _locks.hold(first), _locks.hold(second):
        yield


class _Memory:
    """The nonces that this process has added to a cache that drops live entries."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def knows(self, key: str) -> bool:
        with self._guard:
            return self._until.get(key, 0) > time.monotonic()

    def remember(self, key: str, seconds: float) -> None:
        with self._guard:
            now = time.monotonic()
            while self._until and next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)
            self._until[key] = now + seconds


_memories: weakref.WeakKeyDictionary[Any, _Memory] = weakref.WeakKeyDictionary()
_memories_of_places: dict[tuple[object, ...], _Memory] = {}


def _memory_of(kind: CacheKind, cache: Any) -> _Memory:
    if kind.backing is not None:
        return _memories_of_places.setdefault(kind.backing, _Memory())
    return _memories.setdefault(cache, _Memory())


def has_no_add(cache: object) -> bool:
    """Whether a cache's class shows that there is no ``add``. A proxy's class shows nothing."""
    if inspect.getattr_static(cache, "set", None) is None or hasattr(type(cache), "__getattr__"):
        return False
    return inspect.getattr_static(cache, "add", None) is None and "nx" not in _parameters(cache)


async def _prove(opened: _OpenedCache, prefix: str, *, keeps_mappings: bool) -> bool:
    """Show that a cache does what it is needed for.

    Returns:
        Whether ``delete`` tells if there was something.

    Raises:
        UnsuitableCacheError: it does not.
        StoreUnavailableError: it is down.
    """
    key = f"{prefix}proof:{secrets.token_hex(8)}"
    if not await opened.add(key, 1, PROOF_LIFETIME):
        raise _unsuitable(opened, "add() did not say that a new entry was added")
    if await opened.get(key) is None:
        raise _unsuitable(opened, "an entry that was just added is not found")
    if await opened.add(key, 1, PROOF_LIFETIME):
        raise _unsuitable(opened, "add() says of one entry twice that it is new, so every replay would be accepted")
    if keeps_mappings:
        await opened.set(key, _PROOF, PROOF_LIFETIME)
        if (found := await opened.get(key)) != _PROOF:
            raise _unsuitable(opened, f"a dict that was set is found as {type(found).__name__}")
    deleted = await opened.delete(key)
    if await opened.get(key) is not None:
        raise _unsuitable(opened, "an entry that was just deleted is still found")
    return bool(deleted) and not await opened.delete(key)


def _unsuitable(opened: _OpenedCache, problem: str) -> UnsuitableCacheError:
    cls = type(opened.cache)
    package = cls.__module__.partition(".")[0]
    way_out = _WAY_OUT
    if package == "pymemcache":
        way_out = (
            "Make the client with default_noreply=False, so that it waits for the server's answers, and with "
            "serde=pymemcache.serde.pickle_serde, so that it keeps dicts."
        )
    return UnsuitableCacheError(
        f"{package}.{cls.__name__} cannot keep nonces and temporary credentials: {problem}. {way_out}"
    )


def _unavailable(opened: _OpenedCache, problem: str) -> StoreUnavailableError:
    log.error("%s: %s, and the request is answered with 503.", opened.label, problem)
    return StoreUnavailableError()


async def _warn(opened: _OpenedCache) -> None:
    kind = opened.kind
    problems = []
    if kind.local:
        problems.append("it belongs to one process: a second process would accept the same request again")
    elif not opened.can_add:
        problems.append("without add() it is safe within one process alone")
    if kind.threshold:
        problems.append(f"it drops live entries beyond {kind.threshold} (threshold)")
    if kind.folder is not None:
        problems.append("nonces that it drops are remembered in the process that added them, not in others")
    elif kind.threshold:
        problems.append("nonces are remembered in this process besides; users may have to start their approval again")
    async with opened.alone():
        evicts = await eviction_of(kind)
    if evicts is not None:
        problems.append(f"{evicts}: a request could then be accepted again")
    if not problems:
        return
    message = f"{opened.label} does not keep nonces for certain: {'; '.join(problems)}."
    if message not in _said:
        _said.add(message)
        log.warning('%s See "Caches" in the guide for porting from Flask.', message)


def _parameters(cache: Any) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(cache.set).parameters
    except (TypeError, ValueError):
        return {}


def _lifetime_name(cache: Any, parameters: Mapping[str, inspect.Parameter]) -> str:
    """What the cache calls the lifetime: ``timeout`` in Authlib's code, ``expires`` in Authlib's documentation."""
    default = "time" if type(cache).__module__.startswith("pylibmc") else "timeout"
    return next((name for name in _LIFETIME_NAMES if name in parameters), default)
