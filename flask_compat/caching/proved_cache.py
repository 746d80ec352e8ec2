"""A cache that is checked before its first use.

The hooks need three things of a cache: an added entry is found and cannot be added again; of two calls that delete an
entry, only one learns that it did; and an entry stays for its whole lifetime. The check before the first use covers the
first two. The third cannot be checked, so the log names the limits of caches that are known to drop entries.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from flask_compat.execution.callable_kinds import is_async
from flask_compat.execution.without_loop import eagerly

from .adapter import CacheAdapter, cache_locks, unavailable
from .kinds import unwrap
from .suitability import check_suitability, log_limits

__all__ = ["ProvedCache"]

_TAKEN = ":taken"


class ProvedCache:
    """A cache with plain or async methods, checked before its first use.

    The cache is not called before that, so it may be a ``LocalProxy`` that has no object yet.
    """

    def __init__(self, given: object, *, prefix: str, keeps_mappings: bool) -> None:
        """Wrap a cache, or a proxy of one.

        Args:
            given: the cache.
            prefix: the prefix of the keys that are used for the check.
            keeps_mappings: whether the values are mappings, not numbers.
        """
        self._given = given
        self._prefix = prefix
        self._keeps_mappings = keeps_mappings
        self._opened: CacheAdapter | None = None
        self._proved: dict[object, bool] = {}
        methods = [inspect.getattr_static(given, name, None) for name in ("get", "set", "delete", "add")]
        if methods[3] is None:
            methods[3] = inspect.getattr_static(given, "has", None)
        known = [method for method in methods if method is not None]
        self._is_async = bool(known) and all(map(is_async, known))

    def suited(self, hook: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """The hook itself for an async cache, or a plain function that does the same for a plain one."""
        return hook if self._is_async else eagerly(hook)

    async def get(self, key: str) -> Any:
        """The value, or ``None``."""
        return await (await self._ready()).get(key)

    async def set(self, key: str, value: Mapping[str, Any], lifetime: int) -> None:
        """Set a value for ``lifetime`` seconds.

        Raises:
            StoreUnavailableError: the cache returned ``False``.
        """
        opened = await self._ready()
        if await opened.set(key, value, lifetime) is False:
            raise unavailable(opened, "set() returned False")

    async def create(self, key: str, value: Mapping[str, Any], lifetime: int) -> None:
        """Set a new value, and remove the mark of an earlier `take`."""
        await self.set(key, value, lifetime)
        opened = await self._ready()
        if not self._delete_reports(opened):
            await opened.delete(key + _TAKEN)

    async def add(self, key: str, value: object, lifetime: int, *, needed: float = 0) -> bool:
        """Set a value unless the key exists, and return whether it was set.

        Args:
            key: the key.
            value: the value.
            lifetime: in seconds; 0 means that it does not expire.
            needed: seconds for which the key must not be added again, even if the cache drops it.
        """
        opened = await self._ready()
        async with opened.hold(key):
            if opened.added_nonces is not None and opened.added_nonces.contains(key):
                return False
            added = await opened.add(key, value, lifetime)
            if added and needed and opened.added_nonces is not None:
                opened.added_nonces.remember(key, needed)
        return added

    async def take(self, key: str, lifetime: int) -> bool:
        """Delete an entry, and return whether this call deleted it; of concurrent calls only one returns ``True``."""
        opened = await self._ready()
        async with opened.hold(key):
            if self._delete_reports(opened):
                return bool(await opened.delete(key))
            # delete() does not report it, so the calls compete to add() a mark.
            taken = await opened.get(key) is not None and await opened.add(key + _TAKEN, 1, lifetime)
            await opened.delete(key)
            return taken

    async def delete(self, key: str) -> None:
        """Delete an entry if it exists."""
        await (await self._ready()).delete(key)

    async def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """The lock of an entry, shared by all hooks of this process that use the same cache."""
        return (await self._ready()).hold(key)

    def _delete_reports(self, opened: CacheAdapter) -> bool:
        return self._proved[opened.name]

    async def _ready(self) -> CacheAdapter:
        cache = unwrap(self._given)
        opened = self._opened
        if opened is None or opened.cache is not cache:
            opened = self._opened = CacheAdapter(self._given, cache)
        if opened.name not in self._proved:
            async with cache_locks.hold(("proof", id(self))):
                if opened.name not in self._proved:
                    self._proved[opened.name] = await check_suitability(
                        opened, self._prefix, keeps_mappings=self._keeps_mappings
                    )
                    await log_limits(opened)
        return opened
