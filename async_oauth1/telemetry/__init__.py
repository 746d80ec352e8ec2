"""Metrics and traces of a provider, for Prometheus and OpenTelemetry; see ``docs/monitoring.md``.

    instrument(require_oauth, server, store=store, registry=prometheus_client.REGISTRY)

Nothing is measured until `instrument` is called. `INSTRUMENTS` is the table of all metrics.
"""

from __future__ import annotations

from .instrumenting import Instrumentation, instrument
from .table import INSTRUMENTS, Instrument

__all__ = ["INSTRUMENTS", "Instrument", "Instrumentation", "instrument"]
