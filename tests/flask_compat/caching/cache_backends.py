"""The caches that the tests use: each library and each of its backends, with real servers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiocache
import cachelib
import flask
import flask_caching
import pylibmc
import pymemcache
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from pymemcache.serde import pickle_serde

from async_oauth1.provider.hooks import resolve
from tests.servers import Memcached, Valkey


@dataclass
class Places:
    """Where caches keep their entries."""

    folder: Path
    valkey: Valkey
    memcached: Memcached
    made: list[Any] = field(default_factory=list)

    async def close(self) -> None:
        """Close the clients of every cache that was made."""
        for cache in self.made:
            for client in (cache, *(getattr(cache, name, None) for name in ("client", "_write_client"))):
                close = getattr(client, "aclose", None) or getattr(client, "close", None)
                if close is not None:
                    with suppress(Exception):  # the server is gone
                        await resolve(close())
        self.made.clear()


def flask_cache(kind: str, **config: Any) -> Any:
    """Flask-Caching's facade, which belongs to an application."""
    settings = {"CACHE_TYPE": kind, "CACHE_NO_NULL_WARNING": True, **config}
    return flask_caching.Cache(flask.Flask(__name__), config=settings)


def _redis(library: Any, places: Places, **options: Any) -> Any:
    return library(port=places.valkey.port, socket_timeout=5, **options)


def _pymemcache(library: Any, places: Places) -> Any:
    return library(places.memcached.address, default_noreply=False, serde=pickle_serde, timeout=5, connect_timeout=5)


#: Caches whose hooks are plain functions.
BLOCKING: dict[str, Callable[[Places], Any]] = {
    "cachelib-simple": lambda _: cachelib.SimpleCache(),
    "cachelib-files": lambda places: cachelib.FileSystemCache(str(places.folder)),
    "cachelib-redis": lambda places: cachelib.RedisCache(_redis(redis.Redis, places), key_prefix="app:"),
    "cachelib-valkey": lambda places: cachelib.ValkeyCache(_redis(valkey.Valkey, places)),
    "cachelib-memcached": lambda places: cachelib.MemcachedCache([places.memcached.address]),
    "flask-caching-simple": lambda _: flask_cache("SimpleCache").cache,
    "flask-caching-files": lambda places: flask_cache("FileSystemCache", CACHE_DIR=str(places.folder)),
    "flask-caching-redis": lambda places: flask_cache("RedisCache", CACHE_REDIS_PORT=places.valkey.port),
    "flask-caching-memcached": lambda places: flask_cache(
        "MemcachedCache", CACHE_MEMCACHED_SERVERS=[places.memcached.address]
    ),
    "pymemcache": lambda places: _pymemcache(pymemcache.Client, places),
    "pymemcache-pool": lambda places: _pymemcache(pymemcache.PooledClient, places),
    "pylibmc": lambda places: pylibmc.Client([places.memcached.address]),
    "redis-py": lambda places: _redis(redis.Redis, places),
    "valkey-py": lambda places: _redis(valkey.Valkey, places, decode_responses=True),
}

#: Caches that need the loop on which they are made.
ASYNC: dict[str, Callable[[Places], Any]] = {
    "aiocache-memory": lambda _: aiocache.SimpleMemoryCache(),
    "aiocache-redis": lambda places: aiocache.RedisCache(port=places.valkey.port),
    "aiocache-memcached": lambda places: aiocache.MemcachedCache(port=places.memcached.port),
    "redis-py-async": lambda places: _redis(redis.asyncio.Redis, places),
    "valkey-py-async": lambda places: _redis(valkey.asyncio.Valkey, places),
}

#: Those whose server can be down.
WITH_SERVER = [name for name in (*BLOCKING, *ASYNC) if not name.endswith(("simple", "files", "memory"))]


def make_cache(name: str, places: Places) -> Any:
    """One of the caches, new."""
    cache = {**BLOCKING, **ASYNC}[name](places)
    places.made.append(cache)
    return cache
