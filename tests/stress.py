"""The number of cases of a test: a sample in `make test`, all cases in `make stress`.

`make stress` sets ``STRESS=1``, and runs the tests marked ``stress`` and those of Hypothesis. `make test` runs them
with fewer cases.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["STRESS", "sample"]

T = TypeVar("T")

#: Whether all cases are run.
STRESS = bool(os.environ.get("STRESS"))


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return all cases under stress, and otherwise about ``count``, evenly spaced and the same in each run."""
    return cases if STRESS else cases[:: max(1, len(cases) // count)]
