"""Where the grade of a launch goes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one user's grade for one link goes; store it with the user's work, since a grade is mostly sent later.

    Attributes:
        consumer_key: of the consumer, whose secret signs the grade.
        url: ``lis_outcome_service_url``, as it was sent.
        sourcedid: ``lis_result_sourcedid``.
    """

    consumer_key: str
    url: str
    sourcedid: str = field(repr=False)
