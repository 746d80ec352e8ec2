"""Closed formulas: what a deployment of so many requests per second needs.

Nothing here is measured. What was measured comes in as an `Assumptions`, and everything else that is in one is named as
what it is: a figure that a reader puts in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from async_oauth1 import Policy
from async_oauth1.stores.caching.store import MAX_ENTRIES

__all__ = [
    "Assumptions",
    "Sizing",
    "batch_size",
    "cache_hit_rate",
    "live_nonces",
    "nonce_octets",
    "pinned_hit_rate",
    "popularity",
    "size",
]

#: Ranks are summed one by one up to here, and beyond it in groups whose ends are 2% apart.
_EXACT_RANKS = 200
_MIN_CLUSTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """The inputs of the formulas; times are in microseconds if the name ends in ``us``.

    Attributes:
        cpu_us: CPU time of a request whose credentials are cached.
        cold_extra_us: additional CPU time if they are not.
        utilisation: planned utilisation of a core, for workers and Redis.
        nonce_lifetime: seconds.
        nonce_bytes: of one live nonce in Redis.
        postgres_nonce_bytes: of one nonce in PostgreSQL, on disk, in the long run.
        headroom: factor on memory, for fragmentation, expired keys and rewriting the log.
        replicas: of each shard.
        shard_gigabytes: memory of one Redis server.
        redis_call_us: the server's CPU time for a round trip, without its nonces.
        redis_nonce_us: the server's CPU time for each nonce.
        round_trip_us: duration of a batch, including the confirmation by replicas.
        tokens: number of tokens in use within the lifetime of an entry.
        zipf: exponent of their popularity; 0 if all are equally popular.
        cache_lifetime: seconds.
        cache_entries: of one worker.
        postgres_look_ups: look-ups per second of one PostgreSQL server.
        postgres_sessions: sessions of one PostgreSQL server.
        request_bytes: of a request and its answer, headers included.
        gigabits: of one network interface.
    """

    cpu_us: float = 600.0
    cold_extra_us: float = 200.0
    utilisation: float = 0.6
    nonce_lifetime: float = float(Policy().nonce_lifetime)
    nonce_bytes: float = 102.0
    postgres_nonce_bytes: float = 119.0
    headroom: float = 1.5
    replicas: int = 1
    shard_gigabytes: float = 16.0
    redis_call_us: float = 10.0
    redis_nonce_us: float = 2.0
    round_trip_us: float = 500.0
    tokens: int = 1_000_000
    zipf: float = 1.0
    cache_lifetime: float = 30.0
    cache_entries: int = MAX_ENTRIES
    postgres_look_ups: float = 30_000.0
    postgres_sessions: float = 500.0
    request_bytes: float = 1_200.0
    gigabits: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What is needed; rates are per second, of all workers together unless a name says otherwise."""

    rate: float
    workers: int
    hit_rate: float
    look_ups: float
    live: float
    batch: float
    shards_for_cpu: int
    shards_for_memory: int
    shards: int
    redis_us: float
    gigabytes: float
    redis_bits: float
    client_bits: float
    redis_connections: int
    postgres_sessions: int

    @property
    def per_worker(self) -> float:
        """Requests per second of one worker."""
        return self.rate / self.workers


def live_nonces(rate: float, lifetime: float) -> float:
    """The number of live nonces, by Little's law."""
    return rate * lifetime


def popularity(tokens: int, zipf: float) -> Iterator[tuple[float, float]]:
    """Pairs of how many tokens there are and which share of the requests each of them has, most popular first."""
    groups: list[tuple[int, float]] = []
    first = 1
    while first <= tokens:
        last = first if first <= _EXACT_RANKS else min(tokens, int(first * 1.02))
        groups.append((last - first + 1, ((first + last) / 2) ** -zipf))
        first = last + 1
    total = sum(count * weight for count, weight in groups)
    return ((count, weight / total) for count, weight in groups)


def idle_time(rates: list[tuple[float, float]], entries: int) -> float:
    """Seconds after which an unused entry is evicted from a full LRU cache (Che's approximation).

    It solves: the sum over all tokens of 1 - exp(-rate x time) is the number of entries.
    """
    if sum(count for count, _ in rates) <= entries:
        return math.inf
    low, high = 0.0, 1.0
    while sum(-count * math.expm1(-rate * high) for count, rate in rates) < entries:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        full = sum(-count * math.expm1(-rate * middle) for count, rate in rates) >= entries
        low, high = (low, middle) if full else (middle, high)
    return high


def hits_per_miss(rate: float, lifetime: float, idle: float) -> float:
    """The number of look-ups that an entry answers, for Poisson arrivals, before it expires or is evicted.

    Until `idle` has passed nothing but age ends it, so there are rate x time of them. From then on a gap longer than
    `idle` ends it at a rate of rate / (exp(rate x idle) - 1 - rate x idle), which makes the sum right without an age.
    """
    if lifetime <= idle:
        return rate * lifetime
    reach = rate * idle
    if reach > 700:  # exp() of more is no float; no gap is ever that long
        return rate * lifetime
    scale = math.expm1(reach) - reach
    return reach if scale <= 0 else reach - scale * math.expm1(-(lifetime - idle) * rate / scale)


def cache_hit_rate(rate: float, *, tokens: int, zipf: float, lifetime: float, entries: int) -> float:
    """The share of look-ups that one worker answers from its cache.

    Args:
        rate: look-ups per second of that worker.
        tokens: that they are for.
        zipf: exponent of the tokens' popularity.
        lifetime: seconds that an entry is good for, counted from when it was fetched.
        entries: at most; the one not used for longest goes.
    """
    rates = [(count, rate * share) for count, share in popularity(tokens, zipf)]
    idle = idle_time(rates, entries)
    found = 0.0
    for count, own_rate in rates:
        hits = hits_per_miss(own_rate, lifetime, idle)
        found += count * own_rate * hits / (1 + hits)
    return found / rate


def batch_size(rate: float, workers: int, shards: int, round_trip_us: float) -> float:
    """Nonces in one round trip: those that reach a worker, for one shard, while its last batch is under way."""
    return max(1.0, rate / workers / shards * round_trip_us / 1e6)


def resp(*words: bytes | str) -> int:
    """Octets of a Redis command on the wire."""
    texts = [word.encode() if isinstance(word, str) else word for word in words]
    return len(b"*%d\r\n" % len(texts)) + sum(len(b"$%d\r\n" % len(text)) + len(text) + 2 for text in texts)


def nonce_octets(batch: float, lifetime: float) -> float:
    """Octets that a shard receives for a nonce, in a Cluster: its SET, and its part of WAIT, ROLE and TCP/IP."""
    key = b"oauth1:n" + bytes(16)
    shared = resp("WAIT", "1", "1000") + resp("ROLE") + 66
    return resp("SET", key, "1", "NX", "EX", str(round(lifetime))) + shared / batch


def _shards_for_cpu(rate: float, workers: int, given: Assumptions) -> int:
    """The smallest number of shards that keeps to the planned utilisation. More shards make smaller batches."""
    shards = 1
    while True:
        batch = batch_size(rate, workers, shards, given.round_trip_us)
        busy = rate / shards * (given.redis_call_us / batch + given.redis_nonce_us) / 1e6
        if busy <= given.utilisation:
            return shards
        shards = max(shards + 1, math.floor(shards * busy / given.utilisation / 2))


def size(rate: float, given: Assumptions) -> Sizing:
    """Compute what a rate of requests per second needs."""
    hit_rate, workers = 1.0, 0
    for _ in range(4):  # workers and hit rate depend on each other; this converges at once
        cpu = given.cpu_us + (1 - hit_rate) * given.cold_extra_us
        workers = max(1, math.ceil(rate * cpu / 1e6 / given.utilisation))
        hit_rate = cache_hit_rate(
            rate / workers,
            tokens=given.tokens,
            zipf=given.zipf,
            lifetime=given.cache_lifetime,
            entries=given.cache_entries,
        )
    live = live_nonces(rate, given.nonce_lifetime)
    gigabytes = live * given.nonce_bytes * given.headroom / 1e9
    for_cpu, for_memory = _shards_for_cpu(rate, workers, given), math.ceil(gigabytes / given.shard_gigabytes)
    shards = max(for_cpu, for_memory)
    shards = 1 if shards == 1 else max(_MIN_CLUSTER, shards)
    batch = batch_size(rate, workers, shards, given.round_trip_us)
    return Sizing(
        rate=rate,
        workers=workers,
        hit_rate=hit_rate,
        look_ups=rate * (1 - hit_rate),
        live=live,
        batch=batch,
        shards_for_cpu=for_cpu,
        shards_for_memory=for_memory,
        shards=shards,
        redis_us=given.redis_call_us / batch + given.redis_nonce_us,
        gigabytes=gigabytes,
        redis_bits=rate * nonce_octets(batch, given.nonce_lifetime) * 8,
        client_bits=rate * given.request_bytes * 8,
        redis_connections=workers * shards,
        postgres_sessions=3 * workers,
    )


def pinned_hit_rate(sizing: Sizing, given: Assumptions) -> float:
    """The hit rate if each token always reaches the same worker, so that all caches act as one."""
    return cache_hit_rate(
        sizing.rate,
        tokens=given.tokens,
        zipf=given.zipf,
        lifetime=given.cache_lifetime,
        entries=given.cache_entries * sizing.workers,
    )
