"""Seeded discrete simulations: live nonces over time, and the credential cache of one worker."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from async_oauth1.stores.caching.ttl_cache import TTLCache

__all__ = ["BURST", "DAY", "CacheRun", "NonceRun", "burst", "constant", "daily_wave", "run_cache", "run_nonces"]

DAY = 86_400
#: Seconds from the beginning: when the burst begins and ends.
BURST = (1_800, 1_860)

Traffic = Callable[[float], float]


def constant(_: float) -> float:
    """Constant traffic."""
    return 1.0


def daily_wave(second: float) -> float:
    """From a fifth of the mean at night to nine fifths of it in the afternoon."""
    return 1.0 + 0.8 * math.sin(2 * math.pi * second / DAY)


def burst(second: float) -> float:
    """Ten times the traffic for one minute."""
    return 10.0 if BURST[0] <= second < BURST[1] else 1.0


@dataclass(frozen=True, slots=True)
class NonceRun:
    """Live nonces against time.

    Attributes:
        step: seconds between two samples.
        live: the samples.
    """

    step: float
    live: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The largest number of live nonces."""
        return max(self.live)

    def above(self, limit: float) -> float:
        """Seconds with more live nonces than a limit."""
        return self.step * sum(live > limit for live in self.live)


def _arrivals(traffic: Traffic, rate: float, seconds: float, step: float, dice: random.Random) -> Iterator[int]:
    for number in range(math.ceil(seconds / step)):
        mean = rate * traffic(number * step) * step
        yield max(
            0, round(dice.gauss(mean, math.sqrt(mean)))
        )  # approximates the Poisson distribution for thousands of arrivals


def run_nonces(
    traffic: Traffic, *, rate: float, lifetime: float, seconds: float, step: float = 1.0, seed: int = 1
) -> NonceRun:
    """Simulate nonces that arrive and expire.

    Args:
        traffic: factor on the rate, by seconds from the beginning.
        rate: requests per second.
        lifetime: seconds that a nonce lives for, a multiple of the step.
        seconds: simulated.
        step: seconds.
        seed: of the dice.
    """
    alive: deque[int] = deque(maxlen=round(lifetime / step))
    total, samples = 0, []
    for arrived in _arrivals(traffic, rate, seconds, step, random.Random(seed)):  # noqa: S311 - dice
        total += arrived - (alive[0] if len(alive) == alive.maxlen else 0)
        alive.append(arrived)
        samples.append(total)
    return NonceRun(step, tuple(samples))


@dataclass(frozen=True, slots=True)
class CacheRun:
    """The figures of one worker's cache, after warming up.

    Attributes:
        asked: look-ups.
        answered: how many of them from memory.
        ages: of what was served from memory, in seconds, in order.
        remembered: entries that were good at the end.
    """

    asked: int
    answered: int
    ages: tuple[float, ...]
    remembered: int

    @property
    def hit_rate(self) -> float:
        """The share of look-ups that the cache answered."""
        return self.answered / self.asked

    def age(self, share: float) -> float:
        """The age that this share of the served entries did not exceed."""
        return self.ages[min(len(self.ages) - 1, int(share * len(self.ages)))] if self.ages else 0.0


def run_cache(
    *, rate: float, workers: int, tokens: int, zipf: float, lifetime: float, entries: int, seconds: float, seed: int = 1
) -> CacheRun:
    """Simulate the cache of `CachingStore` in one of many equal workers.

    Requests are spread at random, so each worker gets its share of the rate for all tokens. Fetching takes no time: in
    `CachingStore`, concurrent look-ups of a token share one fetch.

    Args:
        rate: requests per second of all workers.
        workers: number of workers.
        tokens: in use; popularity is Zipf's.
        zipf: its exponent.
        lifetime: seconds that an entry is good for.
        entries: at most.
        seconds: length of the measured part, after warming up for twice the lifetime.
        seed: of the random numbers.
    """
    dice = random.Random(seed)  # noqa: S311 - dice
    now, warm = 0.0, 2 * lifetime
    cache: TTLCache[int, float] = TTLCache(entries, lifetime, lambda: now)
    asked, ages, seen = 0, [], set()
    mean = workers / rate
    for token in _popular(tokens, zipf, dice):
        now += dice.expovariate(1.0) * mean
        if now > warm + seconds:
            break
        fetched_at = cache.get(token)
        if fetched_at is None:
            cache.put(token, now)
            seen.add(token)
        if now > warm:
            asked += 1
            if fetched_at is not None:
                ages.append(now - fetched_at)
    return CacheRun(asked, len(ages), tuple(sorted(ages)), _count(cache.get(token) is not None for token in seen))


def _popular(tokens: int, zipf: float, dice: random.Random) -> Iterator[int]:
    ranks = range(tokens)
    weights = list(accumulate((rank + 1) ** -zipf for rank in ranks))
    while True:
        yield from dice.choices(ranks, cum_weights=weights, k=10_000)


def _count(flags: Iterable[bool]) -> int:
    return sum(flags)
