"""How many cases a test tries: a sample in `make test`, all of them in `make stress`.

`make stress` sets ``STRESS=1`` and runs the tests that are marked ``stress`` and those of Hypothesis. `make test` runs
them as well, with fewer cases.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["STRESS", "sample"]

T = TypeVar("T")

#: Whether this run is long and tries every case.
STRESS = bool(os.environ.get("STRESS"))


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return every case under stress, and otherwise about ``count`` of them, evenly spread and the same in each run."""
    return cases if STRESS else cases[:: max(1, len(cases) // count)]
