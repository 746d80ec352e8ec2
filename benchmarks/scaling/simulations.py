"""Discrete simulations, seeded: nonces in memory over time, and one worker's memory of credentials."""

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
    """The same all the time."""
    return 1.0


def daily_wave(second: float) -> float:
    """From a fifth of the mean at night to nine fifths of it in the afternoon."""
    return 1.0 + 0.8 * math.sin(2 * math.pi * second / DAY)


def burst(second: float) -> float:
    """Ten times as much for one minute."""
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
        """The most there ever were."""
        return max(self.live)

    def above(self, limit: float) -> float:
        """Seconds for which there were more than that."""
        return self.step * sum(live > limit for live in self.live)


def _arrivals(traffic: Traffic, rate: float, seconds: float, step: float, dice: random.Random) -> Iterator[int]:
    for number in range(math.ceil(seconds / step)):
        mean = rate * traffic(number * step) * step
        yield max(0, round(dice.gauss(mean, math.sqrt(mean))))  # Poisson, for the thousands that are meant here


def run_nonces(
    traffic: Traffic, *, rate: float, lifetime: float, seconds: float, step: float = 1.0, seed: int = 1
) -> NonceRun:
    """Let nonces come and expire.

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
    """What one worker's memory did, once it was warm.

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
        """Share of look-ups answered from memory."""
        return self.answered / self.asked

    def age(self, share: float) -> float:
        """The age that this share of what was served did not exceed."""
        return self.ages[min(len(self.ages) - 1, int(share * len(self.ages)))] if self.ages else 0.0


def run_cache(
    *, rate: float, workers: int, tokens: int, zipf: float, lifetime: float, entries: int, seconds: float, seed: int = 1
) -> CacheRun:
    """Ask one worker of many, with the cache that `CachingStore` has; the others fare alike.

    Any worker gets any request, so one gets its share of the rate, for all of the tokens. An answer that has to be
    fetched is there at once: whoever asks meanwhile waits for it and asks nobody, in `CachingStore` as well.

    Args:
        rate: requests per second of all workers.
        workers: how many there are.
        tokens: in use; popularity is Zipf's.
        zipf: its exponent.
        lifetime: seconds that an entry is good for.
        entries: at most.
        seconds: that are counted, after twice the lifetime that is not.
        seed: of the dice.
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
