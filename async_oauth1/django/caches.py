"""Nonces and temporary credentials in one of Django's caches.

Each decision is one atomic step of the cache: ``add`` for nonces and approvals, ``delete`` for the exchange. Before its
first use, a cache is tried: one that does not take these steps, such as the dummy cache, is refused.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any, TypeVar

from django.core.cache import BaseCache, caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.memory.nonce_table import NonceTable

from .pending import PendingCredential

__all__ = ["CachedCredentials", "CachedNonces", "refuse_unsuitable"]

log = logging.getLogger("async_oauth1")
T = TypeVar("T")

_READABLE = re.compile(r"[A-Za-z0-9\-._~]{1,120}")
#: Nonces that one process remembers at most besides a cache that drops live entries; about 200 bytes each.
_MOST_LOCAL_NONCES = 1_000_000
#: The caches that have been tried in this process: alias and class.
_tried: set[tuple[str, type]] = set()


class CachedNonces:
    """Nonces in a cache."""

    def __init__(self, alias: str) -> None:
        """Use a cache by its alias."""
        self._alias = alias

    def add(self, key: str, timestamp: int, lifetime: int) -> bool:
        """Add a nonce in one atomic step.

        Args:
            key: of the nonce.
            timestamp: of the request.
            lifetime: seconds that it is remembered.

        Returns:
            Whether it is new.

        Raises:
            StoreUnavailableError: the cache cannot be asked.
        """
        cache = _open(self._alias)
        if not _ask(cache.add, f"nonce:{key}", 1, timeout=lifetime):
            return False
        return _local.add(key, timestamp, lifetime) if isinstance(cache, LocMemCache) else True


class CachedCredentials:
    """Temporary credentials in a cache. An approval has a key of its own, so it never revives a deleted credential."""

    def __init__(self, alias: str, prefix: str, lifetime: int) -> None:
        """Use a cache.

        Args:
            alias: of the cache.
            prefix: what the keys begin with.
            lifetime: seconds that credentials are kept.
        """
        self._alias, self._prefix, self._lifetime = alias, prefix, lifetime

    def create(self, values: dict[str, Any]) -> PendingCredential:
        """Store new temporary credentials."""
        stored = _ask(_open(self._alias).add, self._key(values["oauth_token"]), dict(values), timeout=self._lifetime)
        if not stored:
            log.error("The cache %r did not store temporary credentials.", self._alias)
            raise StoreUnavailableError()
        return PendingCredential(values)

    def get(self, oauth_token: str) -> PendingCredential | None:
        """Look temporary credentials up, with what was decided; ``None`` once denied or exchanged."""
        key = self._key(oauth_token)
        found: dict[str, Any] = _ask(_open(self._alias).get_many, [key, _decided(key)])
        if not found.get(key):
            return None
        credential = PendingCredential({**found[key], **found.get(_decided(key), {})})
        return None if credential.get("denied") else credential

    def decide(self, oauth_token: str, decision: dict[str, Any]) -> bool:
        """Record a decision, once; ``False`` if there was one before."""
        key = self._key(oauth_token)
        return bool(_ask(_open(self._alias).add, _decided(key), decision, timeout=self._lifetime))

    def delete(self, oauth_token: str) -> bool:
        """Delete temporary credentials; of concurrent calls, one returns ``True``."""
        key, cache = self._key(oauth_token), _open(self._alias)
        taken = bool(_ask(cache.delete, key))
        _ask(cache.delete_many, [_decided(key), f"{key}:wrong"])
        return taken

    def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there have been."""
        key, cache = f"{self._key(oauth_token)}:wrong", _open(self._alias)
        _ask(cache.add, key, 0, timeout=self._lifetime)
        try:
            return int(_ask(cache.incr, key))
        except ValueError:  # dropped in between
            return 1

    def _key(self, oauth_token: str) -> str:
        # Memcached takes neither blanks nor long keys.
        if _READABLE.fullmatch(oauth_token):
            return self._prefix + oauth_token
        return f"{self._prefix}sha256:{hashlib.sha256(oauth_token.encode()).hexdigest()}"


class _LocalNonces:
    """The nonces that this process has added to its local-memory cache, which drops live entries when it is full."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._table: NonceTable[str] = NonceTable(_MOST_LOCAL_NONCES)

    def add(self, key: str, timestamp: int, lifetime: int) -> bool:
        with self._guard:
            try:
                return self._table.add(timestamp, key, time.time(), lifetime)
            except OverflowError:
                raise StoreUnavailableError() from None


_local = _LocalNonces()


def refuse_unsuitable(alias: str) -> None:
    """Try a cache.

    Raises:
        ImproperlyConfigured: it does not take atomic steps, so it would accept a request twice.
        StoreUnavailableError: it cannot be asked.
    """
    cache = caches[alias]
    if isinstance(cache, FileBasedCache):
        problem = "add() of a file-based cache is not atomic"
    elif not _takes_steps(cache):
        problem = "it does not keep what is added to it"
    else:
        return
    raise ImproperlyConfigured(
        f"The cache {alias!r} ({type(cache).__name__}) cannot keep nonces and temporary credentials: {problem}. "
        'Use Redis, Memcached or the database cache, or the models of "async_oauth1.django".'
    )


def _takes_steps(cache: BaseCache) -> bool:
    probe = f"async_oauth1:{token_hex(8)}"
    steps = [_ask(cache.add, probe, 1, timeout=60), _ask(cache.add, probe, 1, timeout=60)]
    steps += [_ask(cache.delete, probe), _ask(cache.delete, probe)]
    return [bool(step) for step in steps] == [True, False, True, False]


def _open(alias: str) -> BaseCache:
    cache = caches[alias]
    tried = (alias, type(cache))
    if tried not in _tried:
        refuse_unsuitable(alias)
        _tried.add(tried)
    return cache


def _ask(step: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Ask a cache. If it fails, whatever its driver raises, nothing is accepted.

    Raises:
        StoreUnavailableError: it failed.
        ValueError: of ``incr``, for a key that does not exist.
    """
    try:
        return step(*args, **kwargs)
    except ValueError:
        raise
    except Exception as error:
        log.exception("The cache failed, and the request is answered with 503.")
        raise StoreUnavailableError() from error


def _decided(key: str) -> str:
    return f"{key}:decided"
