"""Latency of the slowest requests at 1,000 connections and a fixed rate, protected and unprotected.

The rate is 60% of a route's capacity: first each route's own, then the protected route's for both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.reporting.figures import spread

from .duels import TWIN, Opponent, Plan, Side, Size, open_sides
from .wrk import Burst, Pace, burst

__all__ = ["SIDES", "paced", "run"]

SHARE = 0.6
#: Seconds for opening the connections, before the first request.
QUIET = 1
SIDES = (
    Side("unprotected", "ours-redis", path=TWIN),
    Side("Redis + PostgreSQL, warm", "ours-redis"),
)


def paced(opponent: Opponent, rate: float, size: Size) -> Burst:
    """Measure one burst at a rate. The actual rate, in the result, is lower by the time that the answers take."""
    result = _paced(opponent, rate, size)
    if not result.requests:  # a busy machine may need longer for the first answer
        result = _paced(opponent, rate, replace(size, seconds=4 * size.seconds))
    opponent.check(result)
    return result


def _paced(opponent: Opponent, rate: float, size: Size) -> Burst:
    pace = Pace(size.connections / rate * 1_000, quiet=QUIET)
    return burst(
        opponent.provider,
        opponent.signer,
        connections=size.connections,
        seconds=size.seconds,
        pace=pace,
        expected=2 * rate,
    )


def run(plan: Plan, *, quick: bool = False) -> dict[str, Any]:
    """Alternate between the two sides.

    Args:
        plan: shared by all measurements.
        quick: measure one pair.
    """
    size = Size(1_000, 1 if quick else 11, 2 if quick else 3)
    with open_sides(SIDES, plan.settings) as opponents:
        plan.say("capacity, 1,000 connections")
        rounds = [[opponent.burst(Size(1_000, 1, 2)).rate for opponent in opponents] for _ in range(1 if quick else 3)]
        capacities = [spread(rates).median for rates in zip(*rounds, strict=True)]
        own = [SHARE * capacity for capacity in capacities]
        paces = (
            ("each at 60% of its own capacity", own),
            ("both at 60% of the protected route's capacity", own[1:] * 2),
        )
        measured = [_pace(plan, opponents, size, title, rates) for title, rates in paces]
    return {
        "connections": size.connections,
        "capacities": capacities,
        "sides": [side.title for side in SIDES],
        "paces": measured,
    }


def _pace(plan: Plan, opponents: list[Opponent], size: Size, title: str, rates: list[float]) -> dict[str, Any]:
    plan.say(f"fixed rate, 1,000 connections, {title}")
    sides = list(zip(opponents, rates, strict=True))
    for opponent, rate in sides:
        paced(opponent, rate, Size(1_000, 1, 1))  # warms up
    pairs = [[paced(opponent, rate, size).as_json() for opponent, rate in sides] for _ in range(size.pairs)]
    return {"title": title, "rates": rates, "bursts": pairs}
