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
from typing import Any, TypeVar, cast

from django.core.cache import BaseCache, caches
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured
from django.db import router

from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.stores.memory.nonce_table import NonceTable

from .configuration import Configuration
from .driver import committed
from .pending import PendingCredential

__all__ = ["CachedCredentials", "CachedNonces", "database_of", "refuse_unsuitable"]

log = logging.getLogger("async_oauth1")
T = TypeVar("T")

_READABLE = re.compile(r"[A-Za-z0-9\-._~]{1,120}")
#: Nonces that one process remembers at most besides a cache that drops live entries; about 200 bytes each.
_MOST_LOCAL_NONCES = 1_000_000
#: Parts of the lifetime of temporary credentials by which those of a client are counted.
_PERIODS = 8
#: Seconds in which a step of the database cache is tried again that failed because of another transaction.
_RETRY_SECONDS = 5
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
        cache = caches[self._alias]
        if isinstance(cache, DatabaseCache):
            return committed(database_of(cache), self._add, key, lifetime)
        if not self._add(key, lifetime):
            return False
        return _local.add(key, timestamp, lifetime) if isinstance(cache, LocMemCache) else True

    def _add(self, key: str, lifetime: int) -> bool:
        return _add(_open(self._alias), f"nonce:{key}", 1, lifetime)


class CachedCredentials:
    """Temporary credentials in a cache. An approval has a key of its own, so it never revives a deleted credential."""

    def __init__(self, configuration: Configuration) -> None:
        """Use the cache that the setting names."""
        self._alias = configuration.cache
        self._prefix = configuration.temporary_credential_key_prefix
        self._lifetime = configuration.temporary_credential_expires_in
        self._most_wrong = configuration.policy.max_wrong_verifiers
        self._counter = _PendingCounter(configuration)

    def create(self, values: dict[str, Any]) -> PendingCredential:
        """Store new temporary credentials.

        Raises:
            TooManyPendingError: the client has as many as it may.
        """
        period = self._counter.add(values["client_id"])
        key = self._key(values["oauth_token"])
        if not _add(_open(self._alias), key, {**values, "period": period}, self._lifetime):
            log.error(
                "The cache %r did not store temporary credentials, and the request is answered with 503.", self._alias
            )
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
        decided = _add(_open(self._alias), _decided(key), decision, self._lifetime)
        if decided and decision.get("denied"):
            self._counter.remove(_ask(_open(self._alias).get, key))
        return decided

    def delete(self, oauth_token: str) -> bool:
        """Delete temporary credentials; of concurrent calls, one returns ``True``."""
        key, cache = self._key(oauth_token), _open(self._alias)
        found = _ask(cache.get, key)
        taken = bool(_ask(cache.delete, key))
        _ask(cache.delete, _decided(key))
        if taken:
            self._counter.remove(found)
        return taken

    def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there have been.

        Each takes the next free place. Not every cache has an atomic ``incr``, and one begins the lifetime anew.
        """
        key, cache = self._key(oauth_token), _open(self._alias)
        places = range(1, self._most_wrong + 1)
        return next((n for n in places if _add(cache, f"{key}:wrong:{n}", 1, self._lifetime)), self._most_wrong)

    def _key(self, oauth_token: str) -> str:
        # Memcached takes neither blanks nor long keys.
        if _READABLE.fullmatch(oauth_token):
            return self._prefix + oauth_token
        return f"{self._prefix}sha256:{hashlib.sha256(oauth_token.encode()).hexdigest()}"


class _PendingCounter:
    """Counts the pending temporary credentials of each client, by the period in which they were issued."""

    def __init__(self, configuration: Configuration) -> None:
        self._alias = configuration.cache
        self._prefix = configuration.temporary_credential_key_prefix
        self._limit = configuration.policy.max_pending_per_client
        self._seconds = -(-configuration.temporary_credential_expires_in // _PERIODS)

    def add(self, client_id: str) -> int:
        """Count new ones, and return their period.

        Raises:
            TooManyPendingError: the client has as many as it may.
        """
        period = int(time.time()) // self._seconds
        keys = [self._key(client_id, period - age) for age in range(_PERIODS + 1)]
        counts: dict[str, int] = _ask(_open(self._alias).get_many, keys)
        if sum(int(count) for count in counts.values()) >= self._limit:
            raise TooManyPendingError()
        self._change(keys[0], 1)
        return period

    def remove(self, values: dict[str, Any] | None) -> None:
        """Count credentials no longer. Those of an older version have no period."""
        if values and "period" in values:
            self._change(self._key(values["client_id"], values["period"]), -1)

    def _change(self, key: str, by: int) -> None:
        cache, lifetime = _open(self._alias), self._seconds * (_PERIODS + 2)
        if type(cache).incr is BaseCache.incr:  # not atomic, and it begins the lifetime anew
            _ask(cache.set, key, (_ask(cache.get, key) or 0) + by, timeout=lifetime)
            return
        _ask(cache.add, key, 0, timeout=lifetime)
        try:
            _ask(cache.incr, key, by)
        except ValueError:  # dropped in between
            log.warning(
                "The cache %r dropped a counter of temporary credentials, so a client may have more than its limit; "
                "give the cache more memory.",
                self._alias,
            )

    def _key(self, client_id: str, period: int) -> str:
        return f"{self._prefix}pending:{hashlib.sha256(client_id.encode()).hexdigest()}:{period}"


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


def database_of(cache: DatabaseCache) -> str:
    """The database that has the table of a cache."""
    return router.db_for_write(cast("Any", cache).cache_model_class)


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
    steps = [_add(cache, probe, 1, 60), _ask(cache.add, probe, 1, timeout=60)]
    steps += [_ask(cache.delete, probe), _ask(cache.delete, probe)]
    return [bool(step) for step in steps] == [True, False, True, False]


def _open(alias: str) -> BaseCache:
    cache = caches[alias]
    tried = (alias, type(cache))
    if tried not in _tried:
        refuse_unsuitable(alias)
        _tried.add(tried)
    return cache


def _add(cache: BaseCache, key: str, value: object, lifetime: int) -> bool:
    """Add to a cache. The database cache returns ``False``, too, if its statement failed, and is then asked again.

    Raises:
        StoreUnavailableError: the cache cannot be asked.
    """
    end = time.monotonic() + _RETRY_SECONDS
    while not _ask(cache.add, key, value, timeout=lifetime):
        if not isinstance(cache, DatabaseCache) or _ask(cache.get, key) is not None:
            return False
        if time.monotonic() > end:
            log.error(
                "The database cache did not add a key in %d s, and the request is answered with 503.", _RETRY_SECONDS
            )
            raise StoreUnavailableError()
        time.sleep(0.01)
    return True


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
    except Exception as error:  # each backend has errors of its own, without a common class
        log.exception("The cache failed, and the request is answered with 503.")
        raise StoreUnavailableError() from error


def _decided(key: str) -> str:
    return f"{key}:decided"
