"""What is remembered of each request: how it was answered, and why; never a secret."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

from async_oauth1.explain import Explanation
from async_oauth1.explain.report import Marker, report

__all__ = ["RecordedRequest", "Records"]

#: Requests that are remembered; the oldest are forgotten.
MOST_RECORDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request as it arrived, and its answer. Signatures and secrets are masked in every attribute.

    Attributes:
        number: counts from 1.
        at: Unix time of its arrival, in seconds.
        method: HTTP method.
        url: as the provider sees it, with the query.
        headers: names in lower case; repeated ones are joined by commas.
        status: HTTP status of the answer.
        accepted: it was not refused.
        error: code of the error, such as ``invalid_signature``; empty if it was accepted.
        description: what the provider says of the error.
        client_id: of the client that the request names; empty without one.
        signature_method: that the request names; empty without one.
        explanation: why its signature does not verify, or that it does; ``None`` if the request has no signature, or
            was not looked at.
    """

    number: int = 0
    at: float
    method: str
    url: str
    headers: dict[str, str]
    status: int
    accepted: bool
    error: str = ""
    description: str = ""
    client_id: str = ""
    signature_method: str = ""
    explanation: Explanation | None = None

    @property
    def causes(self) -> tuple[str, ...]:
        """The codes of what is wrong, the most likely first."""
        return tuple(cause.code for cause in self.explanation.causes) if self.explanation else ()

    def lines(self, marker: Marker | None = None) -> Iterator[str]:
        """The explanation of a refused request, as lines for people; nothing for one that is as it should be."""
        if self.explanation is not None and not (self.accepted and self.explanation.verifies):
            if self.explanation.verifies:
                yield f"The signature verifies. {self.description}"
            else:
                yield from report(self.explanation, marker=marker or Marker(colour=False))
        elif not self.accepted and self.description:
            yield self.description

    def as_json(self) -> dict[str, object]:
        """The record in JSON's types; the explanation as that of ``async-oauth1 explain --json``."""
        return asdict(self)


class Records:
    """The last requests, for threads."""

    def __init__(self, listener: Callable[[RecordedRequest], None] | None = None) -> None:
        """Start without any.

        Args:
            listener: called with each record when it is complete.
        """
        self._listener = listener
        self._records: deque[RecordedRequest] = deque(maxlen=MOST_RECORDS)
        self._count = 0
        self._open: set[int] = set()
        self._changed = threading.Condition()

    def begin(self) -> int:
        """Count a request before it is answered; returns its number."""
        with self._changed:
            self._count += 1
            self._open.add(self._count)
            return self._count

    def complete(self, number: int, record: RecordedRequest | None) -> None:
        """Add the record of a request that was counted; ``None`` if there is nothing to tell."""
        if record is not None:
            record = replace(record, number=number)
        with self._changed:
            if record is not None:
                self._records.append(record)
            self._open.discard(number)
            self._changed.notify_all()
        if record is not None and self._listener is not None:
            self._listener(record)

    def after(self, number: int) -> list[RecordedRequest]:
        """The complete records that follow a number, in their order."""
        with self._changed:
            return sorted((one for one in self._records if one.number > number), key=lambda one: one.number)

    def wait(self, timeout: float) -> list[RecordedRequest]:
        """All records, once those of the requests that have arrived are complete.

        Args:
            timeout: seconds to wait at most.
        """
        with self._changed:
            last = self._count
            self._changed.wait_for(lambda: not any(number <= last for number in self._open), timeout)
        return self.after(0)

    def clear(self) -> None:
        """Forget all records."""
        with self._changed:
            self._records.clear()
