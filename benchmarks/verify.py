"""How long one signed request takes from its raw parts to verified, by this project and by others.

    python -m benchmarks verify

Short batches take turns, so that a noisy moment meets every contestant, and ratios are taken round by round.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from .contestants import CASES, CONTESTANTS, Case, Verify, make_case, tampered

__all__ = ["ROUNDS", "check", "run"]

ROUNDS = 41
#: CPU seconds of one batch.
BATCH_SECONDS = 0.05


def check(case: Case) -> dict[str, Verify]:
    """Make the contestants for a case, and check that each accepts the genuine request and refuses a changed one.

    Raises:
        AssertionError: one of them does not verify, and its time would mean nothing.
    """
    ready = {}
    for name, make in CONTESTANTS.items():
        ready[name] = make(case)
        if not ready[name]():
            raise AssertionError(f"{name} refuses the genuine request ({case.name})")
        if make(tampered(case))():
            raise AssertionError(f"{name} accepts a request that was changed ({case.name})")
    return ready


def seconds_for(verify: Verify, count: int) -> float:
    """CPU seconds for a number of verifications."""
    started = time.process_time()
    for _ in range(count):
        verify()
    return time.process_time() - started


def measure(ready: dict[str, Verify], rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU time per verification, one for each contestant and round."""
    counts = {}
    for name, verify in ready.items():
        seconds_for(verify, 200)  # warms up caches and the specialising interpreter
        counts[name] = max(10, int(BATCH_SECONDS * 200 / max(seconds_for(verify, 200), 1e-6)))
    times: dict[str, list[float]] = {name: [] for name in ready}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, verify in ready.items():
                times[name].append(round(seconds_for(verify, counts[name]) / counts[name] * 1e6, 3))
            gc.collect()
    finally:
        gc.enable()
    return times


def run(say: Callable[[str], None], *, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Measure every case.

    Args:
        say: told what is being measured.
        rounds: batches of each contestant in each case.
    """
    results = []
    for name in CASES:
        case = make_case(name)
        say(f"verify: {case.title}")
        results.append({"case": name, "title": case.title, "microseconds": measure(check(case), rounds)})
    return results
