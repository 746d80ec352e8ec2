"""Switches metrics and traces on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.configured_server import ConfiguredServer
from async_oauth1.provider.hooks.limiting import LimitedByFlows
from async_oauth1.stores.health.figures import count_nonces, observe_batches, observe_lookups, pool_use, system_of

from .observing import Observer
from .recording import Backend, Recorder
from .table import BATCH_SIZE, CACHE, CONNECTIONS, MAX_CONNECTIONS, NONCES, QUEUE, STORE

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer
    from prometheus_client import CollectorRegistry

    from .tracing import Spans

__all__ = ["Instrumentation", "instrument"]


def instrument(
    *servers: Any,
    store: Any = None,
    registry: CollectorRegistry | None = None,
    meter: Meter | None = None,
    tracer: Tracer | None = None,
    clients: bool = False,
) -> Instrumentation:
    """Measure servers and stores from now on. Call it once in each process, when the stores are open.

    Args:
        servers: resource protectors and authorization servers, also those of ``flask_compat`` and
            ``async_oauth1.django``. Of the latter, decisions are measured, but no hooks: these are methods of theirs.
        store: a store, or a sequence of several.
        registry: of prometheus_client, for metrics.
        meter: of OpenTelemetry, for metrics; both may be given.
        tracer: of OpenTelemetry, for spans.
        clients: label the number of requests with the client. Clients that do not exist, or were not looked up before
            the refusal, are one value. Leave it off if there are thousands of clients.

    Returns:
        What measures; `Instrumentation.keep_fresh` has to run for some gauges.

    Raises:
        TypeError: something else than a server was given.
        ValueError: neither a registry nor a meter nor a tracer was given; or a server is measured already.
    """
    flows = [_flows_of(server) for server in servers]
    if registry is None and meter is None and tracer is None:
        raise ValueError("instrument needs a registry, a meter or a tracer")
    stores: tuple[object, ...] = (store,)
    if store is None or isinstance(store, (list, tuple)):
        stores = tuple(cast("Sequence[object]", store or ()))
    return Instrumentation(flows, stores, registry, meter, _spans(tracer), clients=clients)


class Instrumentation:
    """What measures servers and stores."""

    def __init__(
        self,
        servers: Iterable[ConfiguredServer],
        stores: Iterable[object],
        registry: CollectorRegistry | None,
        meter: Meter | None,
        spans: Spans | None,
        *,
        clients: bool,
    ) -> None:
        """Begin; `instrument` has checked the arguments."""
        self._servers, self._stores = tuple(servers), tuple(stores)
        backends = self._backends(registry, meter)
        self._connections, self._max_connections = Recorder(backends, CONNECTIONS), Recorder(backends, MAX_CONNECTIONS)
        self._nonces, self._queue = Recorder(backends, NONCES), Recorder(backends, QUEUE)
        self._store_time, self._batch_size = Recorder(backends, STORE), Recorder(backends, BATCH_SIZE)
        self._cache = Recorder(backends, CACHE)
        observer = Observer(backends, spans, clients=clients)
        for server in self._servers:
            server.decision_observer = observer
            server.hooks.wrap(observer.wrap_hook)
        if backends:
            self._observe_stores()
            self.refresh()

    def refresh(self) -> None:
        """Set the gauges of connections and of the queue. A scrape of the registry and an export do so themselves."""
        for store in self._stores:
            use, name = pool_use(store), system_of(store)
            if use is not None:
                self._connections(use.used, name, "used")
                self._connections(use.idle, name, "idle")
                self._max_connections(use.most, name)
        queues = [getattr(server.refusal_observer, "queue", None) for server in self._servers]
        self._queue(sum(len(queue) for queue in queues if queue is not None))

    async def count_nonces(self) -> None:
        """Set the gauge of live nonces: for a database, one statement that reads all of them."""
        for store in self._stores:
            try:
                count = await count_nonces(store)
            except StoreUnavailableError:  # an outage is logged and measured elsewhere
                continue
            if count is not None:
                self._nonces(count, system_of(store))

    async def keep_fresh(self, *, seconds: float = 5.0, nonces_every: float = 60.0) -> None:
        """Set the gauges until cancelled. It is needed for live nonces, and with several processes for all gauges.

        Args:
            seconds: between two times.
            nonces_every: seconds between two counts of nonces.
        """
        since_count = nonces_every
        while True:
            self.refresh()
            if since_count >= nonces_every:
                await self.count_nonces()
                since_count = 0.0
            await asyncio.sleep(seconds)
            since_count += seconds

    def _backends(self, registry: CollectorRegistry | None, meter: Meter | None) -> list[Backend]:
        backends: list[Backend] = []
        if registry is not None:
            from .prometheus import PrometheusBackend

            backends.append(PrometheusBackend(registry, self.refresh))
        if meter is not None:
            from .opentelemetry import OpenTelemetryBackend

            backends.append(OpenTelemetryBackend(meter, self.refresh))
        return backends

    def _observe_stores(self) -> None:
        for store in self._stores:
            observe_batches(store, partial(self._batch, system_of(store)))
            observe_lookups(store, self._lookup)

    def _batch(self, system: str, operation: str, keys: int, seconds: float, error: BaseException | None) -> None:
        self._store_time(seconds, system, operation, type(error).__name__ if error else "")
        if operation == "insert_nonces":
            self._batch_size(keys, system)

    def _lookup(self, is_hit: bool) -> None:  # noqa: FBT001 - called for every request
        self._cache(1, "hit" if is_hit else "miss")


def _flows_of(server: object) -> ConfiguredServer:
    """What makes a server's decisions."""
    flows: object = server
    if isinstance(server, LimitedByFlows):
        flows = server._flows  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # this package's own
    if not isinstance(flows, ConfiguredServer):
        raise TypeError(f"instrument takes resource protectors and authorization servers, not {server!r}")
    if flows.decision_observer is not None:
        raise ValueError(f"this {type(server).__name__} is instrumented already; instrument it once")
    return flows


def _spans(tracer: Tracer | None) -> Spans | None:
    if tracer is None:
        return None
    from .tracing import Spans

    return Spans(tracer)
