"""Medians and quartiles of samples, ratios pair by pair, and goals."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Goal", "Spread", "number", "ratios", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the quartiles of samples.

    Attributes:
        median: half of the samples are below it.
        low: a quarter of the samples is below it.
        high: three quarters of the samples are below it.
        count: number of samples.
    """

    median: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        """The median, followed by the quartiles if there are several samples."""
        if self.count == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal for a figure.

    Attributes:
        kind: on which side of the limit the figure must be.
        limit: a figure equal to it reaches the goal.
    """

    kind: Literal["at least", "at most"]
    limit: float

    def __str__(self) -> str:
        """The text in the table."""
        return f"{self.kind} {number(self.limit)}"

    def reached(self, value: float) -> bool:
        """Whether a value reaches the goal."""
        return value >= self.limit if self.kind == "at least" else value <= self.limit


def spread(samples: Sequence[float]) -> Spread:
    """Summarise samples.

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("there are no samples")
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], 1)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high, len(samples))


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """The ratio of each pair, which is not affected by what slows down both samples.

    Raises:
        ValueError: the sequences have different lengths.
    """
    return [first / second for first, second in zip(over, under, strict=True)]


def number(value: float) -> str:
    """Format a number with three significant digits, and commas between thousands."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
