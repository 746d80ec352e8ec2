"""Scores: decimals from 0 to 1."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Real

__all__ = ["parse_reported_score", "parse_score", "score_text"]

_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_WITH_EXPONENT = re.compile(rf"(?:{_DECIMAL.pattern})[eE][+-]?[0-9]{{1,3}}")
#: What XML counts as blank.
_BLANKS = " \t\r\n"


def score_text(score: object) -> str:
    """A score as consumers accept it: without an exponent, which Python writes for small numbers.

    Raises:
        ValueError: it is no number from 0 to 1. ``True`` is no number, nor is text.
    """
    if isinstance(score, bool) or not isinstance(score, Real | Decimal):
        raise ValueError(f"A score is a number from 0 to 1, not {type(score).__name__}.")
    number = float(score)
    if not 0 <= number <= 1:
        raise ValueError(f"A score is a number from 0 to 1, not {number!r}.")
    return f"{Decimal(repr(abs(number))):f}"


def parse_score(text: str) -> float | None:
    """The score that a tool sends; ``None`` if the text is no decimal from 0 to 1."""
    found = _DECIMAL.fullmatch(text.strip(_BLANKS))
    return _in_range(Decimal(found[0])) if found else None


def parse_reported_score(text: str) -> float | None:
    """The score that a consumer reports, which may have an exponent; ``None`` if it is no number from 0 to 1."""
    found = _WITH_EXPONENT.fullmatch(text.strip(_BLANKS))
    return _in_range(Decimal(found[0])) if found else parse_score(text)


def _in_range(number: Decimal) -> float | None:
    return float(number) if number <= 1 else None
