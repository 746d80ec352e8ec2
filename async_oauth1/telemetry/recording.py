"""Records values of the instruments, in one backend or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .table import Instrument

__all__ = ["Backend", "Record", "Recorder"]

#: Adds to a counter, records in a histogram, or sets a gauge.
Record = Callable[[float], None]

#: Combinations of labels of one instrument. Further ones are recorded as `_REST`.
MAX_COMBINATIONS = 2_000
_REST = "other"


class Backend(Protocol):
    """Where values go."""

    def bind(self, instrument: Instrument, labels: tuple[str, ...]) -> Record:
        """The function that records a value with these labels, in the order of the instrument's."""
        ...


class Recorder:
    """One instrument in all backends. Each combination of labels is looked up once."""

    __slots__ = ("_backends", "_bound", "_instrument")

    def __init__(self, backends: Sequence[Backend], instrument: Instrument) -> None:
        """Record nothing yet."""
        self._backends = tuple(backends)
        self._instrument = instrument
        self._bound: dict[tuple[str, ...], Record] = {}

    def __call__(self, value: float, *labels: str) -> None:
        """Record a value."""
        record = self._bound.get(labels)
        if record is None:
            record = self._bind(labels)
        record(value)

    def _bind(self, labels: tuple[str, ...]) -> Record:
        if len(self._bound) >= MAX_COMBINATIONS:
            labels = (_REST,) * len(labels)
        if labels not in self._bound:
            records = [backend.bind(self._instrument, labels) for backend in self._backends]
            self._bound[labels] = records[0] if len(records) == 1 else _in_all(records)
        return self._bound[labels]


def _in_all(records: Sequence[Record]) -> Record:
    def record(value: float) -> None:
        for each in records:
            each(value)

    return record
