"""Whether a cache can keep nonces and temporary credentials: checked before its first use, and its limits logged."""

from __future__ import annotations

import logging
import secrets
from typing import cast

from .adapter import CacheAdapter
from .kinds import eviction_of

__all__ = ["UnsuitableCacheError", "check_suitability", "log_limits"]

log = logging.getLogger("flask_compat")

#: Seconds that the entries of the check live: as long as real ones, because a full cache may drop shorter ones first.
PROOF_LIFETIME = 86400
_PROOF = {"proof": "of a temporary credential"}

_ADVICE = (
    "Use another cache, such as cachelib's RedisCache, Flask-Caching's RedisCache or MemcachedCache, "
    "or aiocache's RedisCache."
)
_logged: set[str] = set()


class UnsuitableCacheError(RuntimeError):
    """A cache cannot keep nonces or temporary credentials safely. The message says why and what to use instead."""


async def check_suitability(opened: CacheAdapter, prefix: str, *, keeps_mappings: bool) -> bool:
    """Check that a cache adds, finds and deletes entries reliably.

    Args:
        opened: the cache.
        prefix: the prefix of the key that is used for the check.
        keeps_mappings: whether it must keep dicts unchanged.

    Returns:
        Whether ``delete`` reports if the entry existed.

    Raises:
        UnsuitableCacheError: one of these failed.
        StoreUnavailableError: the cache is down.
    """
    key = f"{prefix}proof:{secrets.token_hex(8)}"
    if not await opened.add(key, 1, PROOF_LIFETIME):
        raise _unsuitable_error(opened, "add() returned a false value for a new entry")
    if await opened.get(key) is None:
        raise _unsuitable_error(opened, "an entry that was just added is not found")
    if await opened.add(key, 1, PROOF_LIFETIME):
        raise _unsuitable_error(
            opened, "add() returned a true value twice for one entry, so every replay would be accepted"
        )
    if keeps_mappings:
        await opened.set(key, _PROOF, PROOF_LIFETIME)
        if (found := await opened.get(key)) != _PROOF:
            raise _unsuitable_error(opened, f"set() was given a dict, and get() returned {type(found).__name__}")
    deleted = await opened.delete(key)
    if await opened.get(key) is not None:
        raise _unsuitable_error(opened, "an entry that was just deleted is still found")
    return bool(deleted) and not await opened.delete(key)


def _unsuitable_error(opened: CacheAdapter, problem: str) -> UnsuitableCacheError:
    cls = cast("type[object]", type(opened.cache))
    package = cls.__module__.partition(".")[0]
    advice = _ADVICE
    if package == "pymemcache":
        advice = (
            "Make the client with default_noreply=False, so that it waits for the server's answers, and with "
            "serde=pymemcache.serde.pickle_serde, so that it keeps dicts."
        )
    return UnsuitableCacheError(
        f"{package}.{cls.__name__} cannot keep nonces and temporary credentials: {problem}. {advice}"
    )


async def log_limits(opened: CacheAdapter) -> None:
    """Log once how a cache could lose nonces; log nothing if it cannot."""
    kind = opened.kind
    problems: list[str] = []
    if kind.local:
        problems.append(
            "it is not shared between processes (one process only): another one would accept the same request again"
        )
    elif not opened.can_add:
        problems.append("it has no add(), so it is safe within one process only")
    if kind.threshold:
        problems.append(f"it drops live entries beyond {kind.threshold} (threshold)")
    if kind.folder is not None:
        problems.append("a dropped nonce is remembered only by the process that added it")
    elif kind.threshold:
        problems.append(
            "this process remembers dropped nonces; users whose temporary credential is dropped must start again"
        )
    async with opened.alone():
        evicts = await eviction_of(kind)
    if evicts is not None:
        problems.append(f"{evicts}: a request could then be accepted again")
    if not problems:
        return
    message = f"{opened.label} may lose nonces: {'; '.join(problems)}."
    if message not in _logged:
        _logged.add(message)
        log.warning('%s See "Caches" in the guide for porting from Flask.', message)
