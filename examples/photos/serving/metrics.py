"""Metrics for Prometheus at ``/metrics``, of one process or of all workers."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from quart import Quart, Response, abort, request

from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.telemetry import Instrumentation, instrument
from examples.photos.settings import Settings
from examples.photos.storage import Storage

__all__ = ["add_metrics", "forget_worker", "shared_by_workers"]

# The variable with which prometheus_client keeps its figures in files of this directory, one for each process.
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
_FORWARDED = {"forwarded", "x-forwarded-for", "x-real-ip"}


def add_metrics(
    app: Quart, server: AuthorizationServer, require_oauth: ResourceProtector, storage: Storage, settings: Settings
) -> None:
    """Measure the provider, and serve the figures to this machine alone, or to requests with the token.

    Args:
        app: the application.
        server: its authorization server.
        require_oauth: its protector.
        storage: its open stores.
        settings: the provider's settings.
    """
    registry = CollectorRegistry()
    stores = [storage.store] if storage.nonces is storage.store else [storage.store, storage.nonces]
    _keep_fresh(app, instrument(require_oauth, server, store=stores, registry=registry, clients=True))

    @app.get("/metrics")
    async def metrics() -> Response:
        scope: Any = request.scope
        if not _may_read(scope, settings):
            abort(404)
        return Response(generate_latest(_of_all_workers() or registry), content_type=CONTENT_TYPE_LATEST)


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Let the processes that are started here share their figures, in a directory that is removed at the end."""
    if _DIRECTORY in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="photos-metrics-") as directory:
        os.environ[_DIRECTORY] = directory
        try:
            yield
        finally:
            del os.environ[_DIRECTORY]


def forget_worker(pid: int | None) -> None:
    """Remove the gauges of a process that has ended. Its counts stay."""
    if pid is not None and _DIRECTORY in os.environ:
        forget: Any = mark_process_dead  # untyped
        forget(pid, os.environ[_DIRECTORY])


def _of_all_workers() -> CollectorRegistry | None:
    if _DIRECTORY not in os.environ:
        return None
    registry = CollectorRegistry()
    collect: Any = MultiProcessCollector  # untyped
    collect(registry)
    return registry


def _keep_fresh(app: Quart, measuring: Instrumentation) -> None:
    tasks: list[asyncio.Task[None]] = []

    @app.before_serving
    async def start() -> None:
        tasks.append(asyncio.create_task(measuring.keep_fresh()))

    @app.after_serving
    async def stop() -> None:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _may_read(scope: Mapping[str, Any], settings: Settings) -> bool:
    """Whether a request has the token; without one, whether it comes from this machine.

    A proxy on this machine may pass on a request without any header that says so, so behind a proxy a token is needed.
    """
    if settings.metrics_token:
        presented = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        expected = f"Bearer {settings.metrics_token}".encode()
        return len(presented) == 1 and compare_digest(presented[0], expected)
    has_proxy = settings.external_base_url or settings.trusted_proxies
    return not has_proxy and _is_local(scope)


def _is_local(scope: Mapping[str, Any]) -> bool:
    """Whether a request comes from this machine, and through no proxy."""
    client = scope.get("client")
    if not client or any(name.decode("latin-1").lower() in _FORWARDED for name, _ in scope["headers"]):
        return False
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False
