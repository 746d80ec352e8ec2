"""Two mistakes at once, drawn uniformly from the corpus."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from .corpus import MISTAKES, SHAPES, is_broken
from .signer import Request

__all__ = ["drawn_pairs"]


def drawn_pairs(seed: int, count: int) -> Iterator[tuple[str, frozenset[str], Request]]:
    """Draw pairs of mistakes with different codes, each of which matters.

    Args:
        seed: of the drawing; one seed gives the same pairs on every machine.
        count: how many.

    Yields:
        The shape, both codes, and the request.
    """
    chance = random.Random(seed)
    while count:
        shape = chance.choice(list(SHAPES))
        (code, mistake), (other_code, other_mistake) = chance.sample(MISTAKES, 2)
        request = SHAPES[shape]
        broken, other = mistake(request), other_mistake(request)
        if code == other_code or broken is None or other is None:
            continue
        both = _combined(request, broken, other)
        if both is not None:
            count -= 1
            yield shape, frozenset((code, other_code)), both


def _combined(request: Request, broken: Request, other: Request) -> Request | None:
    """Both mistakes, if they change different steps of signing, and neither is without effect."""
    changes, more = _changes(request, broken), _changes(request, other)
    if changes.keys() & more.keys() or not (is_broken(request, broken) and is_broken(request, other)):
        return None
    return request.but(**changes, **more)


def _changes(request: Request, broken: Request) -> dict[str, Any]:
    names = [field.name for field in fields(request)]
    return {name: getattr(broken, name) for name in names if getattr(broken, name) is not getattr(request, name)}
