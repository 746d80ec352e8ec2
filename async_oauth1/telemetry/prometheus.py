"""The metrics in a registry of prometheus_client, also over several processes (``PROMETHEUS_MULTIPROC_DIR``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .recording import Record
from .table import Instrument

__all__ = ["PrometheusBackend"]

_METHODS = {"counter": "inc", "gauge": "set", "histogram": "observe"}


class PrometheusBackend:
    """Registers each instrument when it is first used, and reads the gauges anew for each scrape."""

    def __init__(self, registry: CollectorRegistry, refresh: Callable[[], None]) -> None:
        """Register nothing yet.

        Args:
            registry: of the application.
            refresh: sets the gauges.
        """
        self._registry = registry
        self._metrics: dict[str, Any] = {}
        registry.register(_Refresh(refresh))  # the first one is collected first

    def bind(self, instrument: Instrument, labels: tuple[str, ...]) -> Record:
        """As `Backend.bind`."""
        metric = self._metrics.get(instrument.name)
        if metric is None:
            metric = self._metrics[instrument.name] = self._make(instrument)
        child: Any = metric.labels(*labels) if labels else metric
        record: Record = getattr(child, _METHODS[instrument.kind])
        return record

    def _make(self, instrument: Instrument) -> Any:
        arguments: dict[str, Any] = {
            "name": instrument.prometheus_name,
            "documentation": instrument.description,
            "labelnames": [label.replace(".", "_") for label in instrument.labels],
            "registry": self._registry,
        }
        if instrument.kind == "histogram":
            return Histogram(**arguments, buckets=instrument.buckets)
        if instrument.kind == "gauge":
            return Gauge(**arguments, multiprocess_mode=instrument.over_workers)
        return Counter(**arguments)


class _Refresh(Collector):
    """Has no metrics of its own."""

    def __init__(self, refresh: Callable[[], None]) -> None:
        self._refresh = refresh

    def collect(self) -> Iterable[Metric]:
        self._refresh()
        return ()

    def describe(self) -> Iterable[Metric]:
        return ()
