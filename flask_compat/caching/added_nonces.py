"""The nonces that this process has added to caches that drop live entries."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from typing import Any

from .kinds import CacheKind

__all__ = ["AddedNonces", "added_nonces_of"]


class AddedNonces:
    """The keys that this process has added to one cache, until they expire. Safe to use from several threads."""

    def __init__(self) -> None:
        """Start empty."""
        self._guard = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def contains(self, key: str) -> bool:
        """Whether a key was added and has not expired."""
        with self._guard:
            return self._until.get(key, 0) > time.monotonic()

    def remember(self, key: str, seconds: float) -> None:
        """Keep a key for some seconds."""
        with self._guard:
            now = time.monotonic()
            while self._until and next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)
            self._until[key] = now + seconds


_by_cache: weakref.WeakKeyDictionary[Any, AddedNonces] = weakref.WeakKeyDictionary()
_by_backing: dict[tuple[object, ...], AddedNonces] = {}


def added_nonces_of(kind: CacheKind, cache: object) -> AddedNonces:
    """The record for a cache; caches with the same backing share one."""
    if kind.backing is not None:
        return _by_backing.setdefault(kind.backing, AddedNonces())
    return _by_cache.setdefault(cache, AddedNonces())
