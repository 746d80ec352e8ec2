"""The table of metrics, for every backend. Names are those of OpenTelemetry; Prometheus' are derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "BATCH_SIZE",
    "CACHE",
    "CONNECTIONS",
    "HOOK",
    "INSTRUMENTS",
    "MAX_CONNECTIONS",
    "NONCES",
    "QUEUE",
    "REQUESTS",
    "STORE",
    "VERIFICATION",
    "Instrument",
]

_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric.

    Attributes:
        name: in OpenTelemetry.
        kind: what it does.
        unit: in UCUM: ``s`` for seconds, ``{thing}`` for a number of things.
        description: one line.
        labels: the attributes, in order.
        buckets: upper bounds of a histogram.
        over_workers: what Prometheus makes of the gauges of several processes.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    over_workers: Literal["livesum", "livemax"] = "livesum"

    @property
    def prometheus_name(self) -> str:
        """The name of the metric in Prometheus, as OpenTelemetry's exporters derive it."""
        name = self.name.replace(".", "_")
        if self.unit == "s":
            name += "_seconds"
        return f"{name}_total" if self.kind == "counter" else name


REQUESTS = Instrument(
    "oauth1.server.requests", "counter", "{request}", "Signed requests, by outcome and reason",
    ("oauth1.endpoint", "oauth1.outcome", "error.type"),
)  # fmt: skip
VERIFICATION = Instrument(
    "oauth1.server.verification.duration", "histogram", "s", "Time from a request that is read to the decision",
    ("oauth1.endpoint", "oauth1.outcome"), _SECONDS,
)  # fmt: skip
HOOK = Instrument(
    "oauth1.server.hook.duration", "histogram", "s", "Time of a hook that was awaited",
    ("oauth1.hook", "error.type"), _SECONDS,
)  # fmt: skip
STORE = Instrument(
    "db.client.operation.duration", "histogram", "s", "Time of a batch of nonces or look-ups in a store",
    ("db.system.name", "db.operation.name", "error.type"), _SECONDS,
)  # fmt: skip
BATCH_SIZE = Instrument(
    "oauth1.store.nonce.batch.size", "histogram", "{nonce}", "Nonces that one statement inserts",
    ("db.system.name",), (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)  # fmt: skip
CACHE = Instrument(
    "oauth1.cache.lookups", "counter", "{lookup}", "Look-ups of credentials in the cache", ("oauth1.cache.result",)
)
CONNECTIONS = Instrument(
    "db.client.connection.count", "gauge", "{connection}", "Open connections of a store's pool",
    ("db.client.connection.pool.name", "db.client.connection.state"),
)  # fmt: skip
MAX_CONNECTIONS = Instrument(
    "db.client.connection.max", "gauge", "{connection}", "Connections that a store's pool may open",
    ("db.client.connection.pool.name",),
)  # fmt: skip
NONCES = Instrument(
    "oauth1.store.nonces", "gauge", "{nonce}", "Nonces that a store remembers", ("db.system.name",),
    over_workers="livemax",
)  # fmt: skip
QUEUE = Instrument("oauth1.explain.queue.length", "gauge", "{refusal}", "Refusals that wait for an explanation")

#: Every metric.
INSTRUMENTS = (
    REQUESTS, VERIFICATION, HOOK, STORE, BATCH_SIZE, CACHE, CONNECTIONS, MAX_CONNECTIONS, NONCES, QUEUE,
)  # fmt: skip
