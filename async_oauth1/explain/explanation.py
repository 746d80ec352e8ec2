"""What `explain` returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .changes import Cause

__all__ = ["Explanation", "ordered"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request is refused.

    Attributes:
        verifies: this provider would accept the request, its nonce aside.
        causes: what is wrong, the most likely first; empty if nothing that was tried matches.
        method: the signature method that the request names.
        base_string: the signature base string as this provider builds it; empty if the header cannot be read.
        signed: the base string that the signature is of, or ``None``.
        tried: how many signatures were computed.
        complete: False if the bound ended the search.
    """

    verifies: bool
    causes: tuple[Cause, ...]
    method: str
    base_string: str
    signed: str | None
    tried: int = 0
    complete: bool = True


def ordered(matching: tuple[Cause, ...], facts: Iterable[Cause], *, proven: bool) -> tuple[Cause, ...]:
    """What the signature proves first, then what it does not; together if it takes all of them."""
    known = {cause.code for cause in matching}
    causes = (*matching, *(fact for fact in facts if fact.code not in known))
    if len(causes) > 1 and proven:
        return tuple(replace(cause, together=True) for cause in causes)
    return causes
