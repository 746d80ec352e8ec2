"""Metrics and traces of the servers of flask_compat, on both frameworks, with plain and async views and hooks."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from async_oauth1.telemetry import instrument
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Ported
from tests.telemetry.test_metrics import requests, samples


async def test_each_request_counts_once(ported: Ported, client: Client) -> None:
    """With its endpoint, its outcome and the code that the log has."""
    registry = CollectorRegistry()
    instrument(ported.server, ported.require_oauth, registry=registry)
    await client.dance()
    assert (await client.send("GET", "/photos")).status == 200
    forger = Client(client.app, secret="guessed", token=client.token, token_secret=client.token_secret)
    assert (await forger.send("GET", "/photos")).status == 401
    counted = requests(registry)
    assert {key: counted[key] for key in counted if key[1] == "accepted" and key[0] != "authorization"} == {
        ("temporary_credentials", "accepted", ""): 1,
        ("token", "accepted", ""): 1,
        ("resource", "accepted", ""): 1,
    }
    assert counted["resource", "refused", "invalid_signature"] == 1
    assert {key[0] for key in counted if key[1] != "accepted"} == {"resource"}
    labels = (("oauth1_endpoint", "resource"), ("oauth1_outcome", "accepted"))
    assert samples(registry)["oauth1_server_verification_duration_seconds_count", labels] == 1


async def test_an_unsigned_request_counts(ported: Ported, client: Client) -> None:
    """It is refused, also if it cannot be read."""
    registry = CollectorRegistry()
    instrument(ported.require_oauth, registry=registry)
    unsigned = Client(client.app, client_id="unknown")
    assert (await unsigned.send("GET", "/photos")).status >= 400
    assert sum(requests(registry).values()) == 1
    assert {key[:2] for key in requests(registry)} == {("resource", "refused")}


async def test_a_verification_is_a_span(ported: Ported, client: Client) -> None:
    """It ends before the view begins."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(ported.server, ported.require_oauth, tracer=provider.get_tracer("test"))
    await client.dance()
    await client.send("GET", "/photos")
    spans = [span for span in exporter.get_finished_spans() if span.name == "oauth1.verify"]
    assert [span.attributes["oauth1.endpoint"] for span in spans if span.attributes][-2:] == ["token", "resource"]


def test_a_server_is_measured_once(ported: Ported) -> None:
    """As a native one; anything else is refused by name."""
    instrument(ported.server, registry=CollectorRegistry())
    with pytest.raises(ValueError, match="this AuthorizationServer is instrumented already"):
        instrument(ported.server, registry=CollectorRegistry())
    with pytest.raises(TypeError, match="not <object"):
        instrument(object(), registry=CollectorRegistry())
