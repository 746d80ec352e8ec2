"""CPU times of the two pieces that are written here although a library has them.

    python -m benchmarks.libraries

CONTRIBUTING.md has the figures.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

import cachetools
from rich.console import Console

from async_oauth1.stores.caching.ttl_cache import TTLCache
from async_oauth1.stores.redis.shared_timeout import SharedTimeout

ENTRIES, CALLS, LIFETIME = 10_000, 100_000, 30.0
KEYS = [f"{number:048}" for number in range(2 * ENTRIES)]


def _microseconds(call: Callable[[str], object], keys: Iterable[str]) -> float:
    """CPU time of a call, the best of five runs."""
    keys, best = list(keys), float("inf")
    for _ in range(5):
        gc.collect()
        began = time.process_time()
        for key in keys:
            call(key)
        best = min(best, time.process_time() - began)
    return best / len(keys) * 1e6


def _cache_times(get: Callable[[str], object], put: Callable[[str, object], object]) -> str:
    for key in KEYS[:ENTRIES]:
        put(key, key)
    dice = random.Random(1)  # noqa: S311 - dice
    hit = _microseconds(get, dice.choices(KEYS[:ENTRIES], k=CALLS))
    miss = _microseconds(get, KEYS[ENTRIES:])
    insert = _microseconds(lambda key: put(key, key), KEYS)
    return f"hit {hit:.2f} us, miss {miss:.2f} us, insert into a full cache {insert:.2f} us"


async def _timeout_time(make: Callable[[], AbstractAsyncContextManager[object]]) -> str:
    began = time.process_time()
    for _ in range(CALLS):
        async with make():
            pass
    return f"{(time.process_time() - began) / CALLS * 1e6:.2f} us"


async def _shared_timeout_time() -> str:
    timeout = SharedTimeout(2)
    began = time.process_time()
    for _ in range(CALLS):
        with timeout:
            pass
    return f"{(time.process_time() - began) / CALLS * 1e6:.2f} us"


def main() -> None:
    """Print one line for each piece and each library."""
    show = Console(highlight=False, soft_wrap=True).print
    own = TTLCache[str, object](ENTRIES, LIFETIME, time.monotonic)
    fixed = cachetools.TTLCache(ENTRIES, LIFETIME, time.monotonic)
    varying = cachetools.TLRUCache(ENTRIES, lambda _key, _value, now: now + LIFETIME, time.monotonic)
    show("TTLCache:", _cache_times(own.get, own.put))
    show("cachetools.TTLCache:", _cache_times(fixed.get, fixed.__setitem__))
    show("cachetools.TLRUCache:", _cache_times(varying.get, varying.__setitem__))
    show("SharedTimeout:", asyncio.run(_shared_timeout_time()))
    show("asyncio.timeout:", asyncio.run(_timeout_time(lambda: asyncio.timeout(2))))


if __name__ == "__main__":
    main()
