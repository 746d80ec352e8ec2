"""Stores: bundles of hooks that keep clients, credentials and nonces.

`open_store` turns a URL into a store without touching anything; drivers are imported when a URL asks for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from .base import StoreError, redact_url
from .caching.store import CachingStore, open_change_feed
from .encryption import keys_from_environment
from .interfaces import Store, TransientStore
from .memory.store import MemoryStore

__all__ = ["MemoryStore", "Store", "StoreError", "TransientStore", "open_store"]

# scheme: module, class, the package that its driver is in, the extra that brings it
_POSTGRES = ("postgres", "PostgresStore", "asyncpg", "postgres")
_REDIS = ("redis", "RedisStore", "redis", "redis")
_BY_SCHEME = {
    "sqlite": ("sqlite", "SQLiteStore", "aiosqlite", "sqlite"),
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "redis": _REDIS,
    "rediss": _REDIS,
    "redis+cluster": _REDIS,
    "redis+sentinel": _REDIS,
}
# Ten million entries are 10 GB.
_MAX_CACHE_DIGITS = 8

_KNOWN = "sqlite:///PATH, postgresql://, redis://, rediss://, redis+sentinel://, redis+cluster:// and memory://"


def open_store(
    url: str,
    *,
    nonce_lifetime: int | None = None,
    clock: Callable[[], float] = time.time,
    keys: Sequence[str] | None = None,
) -> Store | TransientStore:
    """The store that a URL names. Nothing is connected to, read or created yet.

    Args:
        url: ``memory://``; ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``; ``postgresql://`` as libpq
            reads it; ``redis://host:port/db``, ``rediss://``, ``redis+sentinel://host:port,host:port/service``,
            ``redis+cluster://host:port,host:port``. Each store's class lists the options in the query. With
            ``cache=NUMBER`` in the query of ``postgresql://`` so many clients and tokens are remembered, see
            `CachingStore`; the server has to be reached without a pooler in between.
        nonce_lifetime: seconds; ``None`` for what the servers' policies ask for.
        clock: Unix time, in seconds. Redis keeps its own.
        keys: that secrets are encrypted under, newest first; ``None`` for those that the environment has in
            ``ASYNC_OAUTH1_KEYS``, separated by commas. Without any, secrets are kept as they are.

    Returns:
        A `Store`; for Redis a `TransientStore`, which keeps no clients and no token credentials.

    Raises:
        StoreError: the URL is not understood, or one of the keys is not valid. The message is one line and shows
            neither a password nor a key.
    """
    keys = keys_from_environment() if keys is None else keys
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if separator and scheme == "memory":
        if rest:
            raise StoreError(f"{redact_url(url)}: memory:// takes neither a name nor options")
        return MemoryStore(nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
    if not separator or scheme not in _BY_SCHEME:
        raise StoreError(f"{redact_url(url)}: not a store URL; known are {_KNOWN}")
    module, name, driver, extra = _BY_SCHEME[scheme]
    url, cached = _cache_option(url) if module == "postgres" else (url, 0)
    try:
        store_class = getattr(import_module(f".{module}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name != driver:
            raise
        raise StoreError(f'{redact_url(url)}: needs {driver}; install "async-oauth1[{extra}]"') from None
    store = store_class(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
    if cached:
        store = CachingStore(store, open_change_feed(url), max_entries=cached, clock=clock)
    return cast("Store | TransientStore", store)


def _cache_option(url: str) -> tuple[str, int]:
    """The URL without the option ``cache``, and its value."""
    location, _, query = url.partition("?")
    options = query.split("&") if query else []
    values = [option.removeprefix("cache=") for option in options if option.startswith("cache=")]
    if not values:
        return url, 0
    value = values[-1]
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_CACHE_DIGITS):
        raise StoreError(f"{redact_url(url)}: cache is a number of entries; 0 for none")
    left = "&".join(option for option in options if not option.startswith("cache="))
    return f"{location}?{left}" if left else location, int(value)
