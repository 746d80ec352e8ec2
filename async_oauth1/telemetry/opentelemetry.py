"""The metrics in a meter of OpenTelemetry.

A synchronous counter of the SDK takes longer than all the rest of our work, so counts are kept here, and read when the
SDK exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from .recording import Record
from .table import Instrument

__all__ = ["OpenTelemetryBackend"]


class OpenTelemetryBackend:
    """Creates each instrument when it is first used."""

    def __init__(self, meter: Meter, refresh: Callable[[], None]) -> None:
        """Create nothing yet.

        Args:
            meter: of the application.
            refresh: sets the gauges.
        """
        self._meter = meter
        self._refresh = refresh
        self._histograms: dict[str, Histogram] = {}
        self._values: dict[str, dict[tuple[str, ...], float]] = {}

    def bind(self, instrument: Instrument, labels: tuple[str, ...]) -> Record:
        """As `Backend.bind`."""
        if instrument.kind == "histogram":
            return partial(self._histogram(instrument).record, attributes=_attributes(instrument, labels))
        values = self._values.get(instrument.name)
        if values is None:
            values = self._values[instrument.name] = {}
            self._observe(instrument, values)
        if instrument.kind == "counter":
            return partial(_add, values, labels)
        return partial(values.__setitem__, labels)

    def _histogram(self, instrument: Instrument) -> Histogram:
        histogram = self._histograms.get(instrument.name)
        if histogram is None:
            histogram = self._histograms[instrument.name] = self._meter.create_histogram(
                instrument.name,
                instrument.unit,
                instrument.description,
                explicit_bucket_boundaries_advisory=instrument.buckets,
            )
        return histogram

    def _observe(self, instrument: Instrument, values: dict[tuple[str, ...], float]) -> None:
        def observations(_: CallbackOptions) -> Iterable[Observation]:
            if instrument.kind == "gauge":
                self._refresh()
            return [Observation(value, _attributes(instrument, labels)) for labels, value in [*values.items()]]

        create: Any = self._meter.create_observable_counter
        if instrument.kind == "gauge":
            create = self._meter.create_observable_up_down_counter
        create(instrument.name, [observations], instrument.unit, instrument.description)


def _add(values: dict[tuple[str, ...], float], labels: tuple[str, ...], amount: float) -> None:
    values[labels] = values.get(labels, 0) + amount


def _attributes(instrument: Instrument, labels: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(instrument.labels, labels, strict=True) if value}
