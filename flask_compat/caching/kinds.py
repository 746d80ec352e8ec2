"""What the class of a cache shows: where entries are kept, how many, and which errors mean that it is down.

Libraries are recognised by the names of their modules and classes, so none of them has to be installed.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, cast

from flask_compat.execution.flow_runner import settle

#: Base classes of the errors that drivers raise if a server is down, unreachable or refuses a command.
DRIVER_ERRORS = frozenset(
    {
        ("redis", "RedisError"),
        ("valkey", "ValkeyError"),
        ("pylibmc", "Error"),
        ("_pylibmc", "MemcachedError"),
        ("pymemcache", "MemcacheError"),
        ("aiomcache", "ClientException"),
        ("pymongo", "PyMongoError"),
        ("botocore", "BotoCoreError"),
        ("botocore", "ClientError"),
    }
)
#: Errors of the same drivers for an argument that they cannot send: a mistake in the program.
MISUSE_ERRORS = frozenset({("redis", "DataError"), ("valkey", "DataError"), ("pymemcache", "MemcacheClientError")})

_CLIENT_ATTRIBUTES = ("_write_client", "client", "_client")


class CacheKind(NamedTuple):
    """The properties of one cache.

    Attributes:
        backing: equal for two caches that keep their entries in one place; ``None`` if that place is unknown.
        folder: the folder of a cache that keeps each entry in a file.
        threshold: the number of entries above which live ones are dropped; ``None`` if there is no limit.
        local: whether the entries are in the memory of one process.
        client: the driver's client, if there is one.
        unsafe_client: whether the client must not be used by two threads at once.
    """

    backing: tuple[object, ...] | None = None
    folder: str | None = None
    threshold: int | None = None
    local: bool = False
    client: Any = None
    unsafe_client: bool = False


def unwrap(cache: object) -> Any:
    """The object behind Werkzeug's ``LocalProxy`` and behind Flask-Caching's ``Cache``.

    Raises:
        RuntimeError: the proxy has no object outside of a context.
    """
    if _is_instance(cache, "werkzeug", "LocalProxy"):
        cache = cast("Any", cache)._get_current_object()  # noqa: SLF001 - the proxy's documented way to its object
    if _is_instance(cache, "flask_caching", "Cache") and hasattr(cache, "cache"):
        cache = cast("Any", cache).cache
    return cache


def describe(cache: object) -> CacheKind:
    """The properties of an unwrapped cache, found without calling a server."""
    if _is_instance(cache, "cachelib", "FileSystemCache"):
        folder = os.path.realpath(cast("Any", cache)._path)  # noqa: SLF001 - cachelib has no public name for it
        return CacheKind(("folder", folder), folder, getattr(cache, "_threshold", None) or None)
    if _is_instance(cache, "cachelib", "SimpleCache"):
        return CacheKind(threshold=getattr(cache, "_threshold", None) or None, local=True)
    if _is_instance(cache, "aiocache", "SimpleMemoryCache"):
        return CacheKind(local=True)
    client = _client(cache)
    address = _address(client)
    prefix = getattr(cache, "key_prefix", None) or getattr(cache, "namespace", None)
    if isinstance(prefix, bytes):
        prefix = prefix.decode("latin-1")
    backing = None if address is None else (*address, prefix if isinstance(prefix, str) else None)
    return CacheKind(backing, client=client, unsafe_client=_is_unsafe(client))


def is_driver_error(error: BaseException) -> bool:
    """Whether an exception of any driver means that the server of a cache cannot be used."""
    names = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(error).__mro__}
    return not names.isdisjoint(DRIVER_ERRORS) and names.isdisjoint(MISUSE_ERRORS)


async def eviction_of(kind: CacheKind) -> str | None:
    """How a server drops live entries, with its limits, as a phrase for the log; ``None`` if it does not."""
    client = kind.client
    if client is None:
        return None
    if hasattr(client, "config_get"):
        return await _redis_eviction(client)
    if _package(client) in {"pymemcache", "pylibmc", "memcache", "aiomcache"}:
        limit = await _memcached_limit(client)
        size = f"{limit} bytes (limit_maxbytes)" if limit else "its memory"
        return f"Memcached drops live entries when {size} are full, and all of them when it restarts"
    return None


@contextmanager
def locked_folder(folder: str | None) -> Generator[None, None, None]:
    """Lock a folder against other processes of this machine, because cachelib's `add` is a look-up and then a write."""
    if folder is None or sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


async def settled(value: object) -> Any:
    """The result of a method, awaited if it is awaitable."""
    result = settle(value)
    return await result if inspect.isawaitable(result) else result


def _is_instance(value: object, package: str, name: str) -> bool:
    return any(cls.__name__ == name and cls.__module__.partition(".")[0] == package for cls in type(value).__mro__)


def _package(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _client(cache: object) -> Any:
    if _package(cache) in {"redis", "valkey", "pymemcache", "pylibmc"}:
        return cache
    return next((found for name in _CLIENT_ATTRIBUTES if (found := getattr(cache, name, None)) is not None), None)


def _address(client: object) -> tuple[object, ...] | None:
    pool = getattr(client, "connection_pool", None)
    settings = getattr(pool, "connection_kwargs", None)
    if isinstance(settings, dict):
        settings = cast("dict[str, object]", settings)
        return ("redis", *(settings.get(name) for name in ("host", "port", "path", "db")))
    for name in ("server", "addresses"):
        if isinstance(address := getattr(client, name, None), tuple | list | str):
            return "memcached", str(cast("object", address))
    return None


def _is_unsafe(client: object) -> bool:
    if _is_instance(client, "pylibmc", "Client") or _is_instance(client, "pymemcache", "Client"):
        return True
    return _is_instance(client, "pymemcache", "HashClient") and not getattr(client, "use_pooling", False)


async def _redis_eviction(client: Any) -> str | None:
    found: dict[str, str] = {}
    with suppress(Exception):  # a managed server may refuse the command
        for name in ("maxmemory", "maxmemory-policy"):
            answer = await settled(client.config_get(name))
            found |= {_text(key): _text(value) for key, value in answer.items()}
    policy, limit = found.get("maxmemory-policy", "noeviction"), found.get("maxmemory", "0")
    if policy == "noeviction" or limit == "0":
        return None
    return f"the Redis server drops live entries when {limit} bytes are full (maxmemory, maxmemory-policy {policy})"


async def _memcached_limit(client: Any) -> str | None:
    with suppress(Exception):  # the number is only for the log
        statistics = await settled(client.stats()) if hasattr(client, "stats") else client.get_stats()[0][1]
        return next(_text(value) for name, value in statistics.items() if _text(name) == "limit_maxbytes")
    return None


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
