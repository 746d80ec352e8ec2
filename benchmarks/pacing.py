"""How late the slowest requests are at 1,000 connections and a fixed rate, protected and not.

Both sides get the same rate: 60% of what the protected route answers at most.
"""

from __future__ import annotations

from typing import Any

from .duels import TWIN, Opponent, Plan, Side, Size, open_sides
from .load import Burst, Pace, burst

__all__ = ["paced", "run"]

SHARE = 0.6
#: Seconds in which the connections are made, before the first requests.
QUIET = 1
SIDES = (
    Side("unprotected", "ours-redis", path=TWIN),
    Side("Redis + PostgreSQL, warm", "ours-redis"),
)


def paced(opponent: Opponent, rate: float, size: Size) -> Burst:
    """One burst at a rate, less what the answers take; `rate` of the result says how near it came."""
    pace = Pace(size.connections / rate * 1_000, quiet=QUIET)
    result = burst(
        opponent.provider,
        opponent.signer,
        connections=size.connections,
        seconds=size.seconds,
        pace=pace,
        expected=2 * rate,
    )
    opponent.check(result)
    return result


def run(plan: Plan, *, quick: bool = False) -> dict[str, Any]:
    """Alternate between the two sides.

    Args:
        plan: shared by all measurements.
        quick: one pair.
    """
    size = Size(1_000, 1 if quick else 7, 2 if quick else 4)
    with open_sides(SIDES, plan.settings) as opponents:
        plan.say("fixed rate, 1,000 connections")
        capacity = opponents[1].burst(Size(1_000, 1, 2 if quick else 4)).rate
        rate = SHARE * capacity
        if not quick:
            for opponent in opponents:
                paced(opponent, rate, Size(1_000, 1, 2))  # warms up
        pairs = [[paced(opponent, rate, size).as_json() for opponent in opponents] for _ in range(size.pairs)]
    return {
        "connections": size.connections,
        "capacity": capacity,
        "rate": rate,
        "sides": [side.title for side in SIDES],
        "bursts": pairs,
    }
