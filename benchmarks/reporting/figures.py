"""Samples, their medians and quartiles, ratios taken pair by pair, and the goals they are held against."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Goal", "Spread", "number", "ratios", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the middle half of the samples lies.

    Attributes:
        median: half of them are below.
        low: a quarter of them is below.
        high: three quarters of them are below.
        count: how many there are.
    """

    median: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        """The median, with the quartiles behind it where there are several samples."""
        if self.count == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be.

    Attributes:
        kind: which side of the limit is good.
        limit: the limit itself still is.
    """

    kind: Literal["at least", "at most"]
    limit: float

    def __str__(self) -> str:
        """As it stands in a table."""
        return f"{self.kind} {number(self.limit)}"

    def reached(self, value: float) -> bool:
        """Whether the value keeps to it."""
        return value >= self.limit if self.kind == "at least" else value <= self.limit


def spread(samples: Sequence[float]) -> Spread:
    """Summarise samples.

    Raises:
        ValueError: there are none.
    """
    if not samples:
        raise ValueError("there are no samples")
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], 1)
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high, len(samples))


def ratios(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """One ratio for each pair: what disturbs both sides of a pair does not disturb its ratio.

    Raises:
        ValueError: a sample has no partner.
    """
    return [first / second for first, second in zip(over, under, strict=True)]


def number(value: float) -> str:
    """Three digits that count, and thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
