"""What a client is told of limits: 429 with ``Retry-After``, and the ``RateLimit`` fields.

The fields are those of the Internet-Draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers):
``RateLimit-Policy`` says what is allowed, and ``RateLimit`` what is left of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from async_oauth1.errors import TooManyRequestsError
from async_oauth1.provider.responses import with_headers

from .rates import Rule

__all__ = ["Counted", "header_fields", "refuse_beyond"]


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a limit is used.

    Attributes:
        rule: the limit.
        count: of requests in this window, this one included.
        ends_in: seconds until the window ends.
    """

    rule: Rule
    count: int
    ends_in: int

    @property
    def left(self) -> int:
        """How many more requests the window has."""
        return max(0, self.rule.amount - self.count)


def header_fields(counted: Sequence[Counted]) -> list[tuple[str, str]]:
    """The fields ``RateLimit-Policy`` and ``RateLimit``; none if nothing was counted."""
    if not counted:
        return []
    policies = ", ".join(f'"{each.rule.name}";q={each.rule.amount};w={each.rule.seconds}' for each in counted)
    left = ", ".join(f'"{each.rule.name}";r={each.left};t={each.ends_in}' for each in counted)
    return [("RateLimit-Policy", policies), ("RateLimit", left)]


def refuse_beyond(counted: Sequence[Counted], kind: str, *, at: int = 1) -> None:
    """Refuse a request if one of its limits is used up.

    Args:
        counted: what was counted.
        kind: what was counted for: ``client`` or ``address``.
        at: requests above the limit from which it counts as used up: 0 if this request is not counted yet.

    Raises:
        TooManyRequestsError: with the fields of the limits that are used up. ``Retry-After`` says when all of them
            have room again.
    """
    used_up = [each for each in counted if each.count >= each.rule.amount + at]
    if not used_up:
        return
    last = max(used_up, key=lambda each: each.ends_in)
    error = TooManyRequestsError(
        f"Too many requests from this {kind}: {last.rule.amount} are allowed in {last.rule.seconds} seconds. Try again "
        f"in {last.ends_in} seconds."
    )
    error.retry_after = last.ends_in
    raise with_headers(error, header_fields(used_up))
