"""Metrics of a provider, as Prometheus' own parser and OpenTelemetry's own SDK read them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from async_oauth1 import OAuth1Error, Policy, ResourceProtector, StoreUnavailableError
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.explaining import observe_on_loop
from async_oauth1.provider.lane import find_lane, methods_of
from async_oauth1.stores import MemoryStore, open_store
from async_oauth1.telemetry import INSTRUMENTS, instrument, observing
from tests.protocol.wire import Signer
from tests.provider.provider import CALLBACK, PRINTER, Provider

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(registry: CollectorRegistry) -> Samples:
    """What a scrape says, by name and labels."""
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def requests(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """The number of requests by endpoint, outcome and reason, and by client if that is a label."""
    order = ("oauth1_endpoint", "oauth1_outcome", "error_type", "oauth1_client_id")
    return {
        tuple(dict(labels)[name] for name in order if name in dict(labels)): value
        for (name, labels), value in samples(registry).items()
        if name == "oauth1_server_requests_total"
    }


class Measured(Provider):
    """A provider with metrics in a registry of its own."""

    def __init__(self, policy: Policy | None = None, **options: Any) -> None:
        super().__init__(policy)
        self.registry = CollectorRegistry()
        self.measuring = instrument(self.protector, self.server, store=self.store, registry=self.registry, **options)


def test_the_whole_flow() -> None:
    """Each endpoint counts each request once, with its outcome and its reason."""
    provider = Measured()
    jane = provider.token()
    wire = jane.wire()
    provider.protect(wire)
    provider.refusal(wire)
    provider.refusal(Signer("unknown").wire())
    provider.refusal(jane.wire(signature="x"))
    provider.initiate(provider.client.wire("GET", oauth_callback=CALLBACK))
    with pytest.raises(OAuth1Error):
        provider.decide("unknown")
    assert requests(provider.registry) == {
        ("temporary_credentials", "accepted", ""): 1,
        ("authorization", "accepted", ""): 1,
        ("token", "accepted", ""): 1,
        ("resource", "accepted", ""): 1,
        ("resource", "refused", "invalid_nonce"): 1,
        ("resource", "refused", "missing_required_parameter"): 1,
        ("resource", "refused", "invalid_signature"): 1,
        ("temporary_credentials", "refused", "method_not_allowed"): 1,
        ("authorization", "refused", "invalid_token"): 1,
    }
    found = samples(provider.registry)
    times = {
        labels: value for (name, labels), value in found.items() if name.endswith("verification_duration_seconds_count")
    }
    assert sum(times.values()) == 9
    hooks = {
        dict(labels)["oauth1_hook"] for name, labels in found if name == "oauth1_server_hook_duration_seconds_count"
    }
    assert {"query_client", "exists_nonce", "exchange"} <= hooks


def test_names_are_those_of_the_table() -> None:
    """A scrape has no metric that is not in the table."""
    provider = Measured()
    provider.protect(provider.token().wire())
    names = {name for name, _ in samples(provider.registry)}
    known = {instrument.prometheus_name for instrument in INSTRUMENTS}
    assert {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in names} <= known | {
        name.removesuffix("_count") for name in known
    }


def test_clients_are_no_label_by_default() -> None:
    """No label has the client, or anything else that a request says."""
    provider = Measured()
    provider.refusal(Signer("made-up-client").wire(path=b"/made-up-path", oauth_nonce="made-up-nonce"))
    provider.refusal(Signer("made-up-client").wire(oauth_signature_method="made-up-method"))
    text = generate_latest(provider.registry).decode()
    assert "made-up" not in text
    assert "client_id" not in text


def test_clients_by_option() -> None:
    """A client that exists is itself, also if its signature is wrong; what a client makes up is one value."""
    provider = Measured(clients=True)
    provider.protect(provider.client.wire(), two_legged=True)
    provider.refusal(provider.client.wire(signature="x"), two_legged=True)
    for number in range(50):
        provider.refusal(Signer(f"made-up-{number}").wire(), two_legged=True)
    provider.refusal(Signer(PRINTER.client_id).wire(oauth_timestamp="1"), two_legged=True)
    assert requests(provider.registry) == {
        ("resource", "accepted", "", PRINTER.client_id): 1,
        ("resource", "refused", "invalid_signature", PRINTER.client_id): 1,
        ("resource", "refused", "invalid_client", "unknown"): 50,
        ("resource", "refused", "timestamp_refused", "unknown"): 1,
    }


def test_a_hook_that_fails() -> None:
    """An outage is neither accepted nor refused; the hook has the exception's name, and a fault of the program, too."""
    provider = Measured()

    def unavailable(*_: object) -> None:
        raise StoreUnavailableError()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    for fail in (unavailable, broken):
        provider.hooks.replaced["query_client"] = fail
        with pytest.raises((StoreUnavailableError, ZeroDivisionError)):
            provider.protect(provider.client.wire(), two_legged=True)
    assert requests(provider.registry) == {
        ("resource", "unavailable", "temporarily_unavailable"): 1,
        ("resource", "failed", "ZeroDivisionError"): 1,
    }
    errors = {
        dict(labels)["error_type"]
        for name, labels in samples(provider.registry)
        if name == "oauth1_server_hook_duration_seconds_count"
    }
    assert errors == {"StoreUnavailableError", "ZeroDivisionError"}


async def test_the_lane_stays_open() -> None:
    """Measuring leaves usual requests in the lane, which asks a store without waiting."""
    protector = ResourceProtector(Policy(require_https=False))
    protector.register_hooks(MemoryStore())
    instrument(protector, registry=CollectorRegistry())
    protector.require_hooks()
    lane = find_lane(protector, methods_of(ResourceProtector))
    assert lane is not None
    assert lane._peek_both is not None
    assert lane._exists_nonce is not None


async def test_requests_that_cannot_be_read() -> None:
    """They count as refused, with the reason, and once."""
    protector = ResourceProtector(Policy(require_https=False))
    protector.register_hooks(MemoryStore())
    registry = CollectorRegistry()
    instrument(protector, registry=registry)

    async def application(*_: object) -> None:
        raise AssertionError

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_: object) -> None:
        pass

    wrapped: Callable[..., Any] = OAuth1Middleware(application, protector, ["/"])
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "http"}
    await wrapped({**scope, "headers": [(b"host", b"a..b")], "client": ("127.0.0.1", 1)}, receive, send)
    await wrapped({**scope, "headers": [(b"host", b"a")], "client": ("127.0.0.1", 1)}, receive, send)
    assert requests(registry) == {
        ("resource", "refused", "invalid_request"): 1,
        ("resource", "refused", "unsigned_request"): 1,
    }


async def test_batches_and_nonces_of_a_database(tmp_path: Any) -> None:
    """The size of each batch, its time, and how many nonces there are."""
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    await store.migrate()
    async with store:
        protector = ResourceProtector(Policy(require_https=False))
        protector.register_hooks(store)
        registry = CollectorRegistry()
        measuring = instrument(protector, store=store, registry=registry)
        now = str(int(time.time()))
        await asyncio.gather(*(store.exists_nonce(f"n{number}", now, "c", None) for number in range(10)))
        await measuring.count_nonces()
        found = samples(registry)
    system = ("db_system_name", "sqlite")
    assert found["oauth1_store_nonce_batch_size_sum", (system,)] == 10
    assert found["oauth1_store_nonces", (system,)] == 10
    labels = (("db_operation_name", "insert_nonces"), system, ("error_type", ""))
    assert found["db_client_operation_duration_seconds_count", labels] >= 1


def test_live_nonces_in_memory() -> None:
    """The memory store says how many it holds."""
    provider = Measured()
    provider.protect(provider.client.wire(), two_legged=True)
    asyncio.run(provider.measuring.count_nonces())
    assert samples(provider.registry)["oauth1_store_nonces", (("db_system_name", "memory"),)] == 1


async def test_the_queue_of_explanations() -> None:
    """Its length is read when it is scraped."""
    protector = ResourceProtector(Policy(require_https=False, explain_refusals=True))
    protector.register_hooks(MemoryStore())
    observe_on_loop(protector)
    registry = CollectorRegistry()
    instrument(protector, registry=registry)
    assert samples(registry)["oauth1_explain_queue_length", ()] == 0
    request = Signer().wire(signature="x").read()
    with pytest.raises(OAuth1Error):
        await protector.validate_request(request)
    assert samples(registry)["oauth1_explain_queue_length", ()] == 1


def test_opentelemetry() -> None:
    """The same figures, with the names of the table and without empty attributes."""
    reader = InMemoryMetricReader()
    provider = Provider()
    meter = MeterProvider([reader]).get_meter("tests")
    instrument(provider.protector, provider.server, store=provider.store, meter=meter)
    wire = provider.client.wire()
    provider.protect(wire, two_legged=True)
    provider.refusal(wire, two_legged=True)
    data: Any = reader.get_metrics_data()
    metrics = {metric.name: metric for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert metrics.keys() <= {instrument.name for instrument in INSTRUMENTS}
    points = metrics["oauth1.server.requests"].data.data_points
    assert {tuple(sorted(point.attributes.items())): point.value for point in points} == {
        (("oauth1.endpoint", "resource"), ("oauth1.outcome", "accepted")): 1,
        (("error.type", "invalid_nonce"), ("oauth1.endpoint", "resource"), ("oauth1.outcome", "refused")): 1,
    }
    (accepted, refused) = metrics["oauth1.server.verification.duration"].data.data_points
    assert accepted.count == refused.count == 1
    assert metrics["oauth1.server.verification.duration"].unit == "s"
    assert accepted.explicit_bounds[0] == 0.00005


def test_both_at_once() -> None:
    """A registry and a meter get the same."""
    reader, registry, provider = InMemoryMetricReader(), CollectorRegistry(), Provider()
    instrument(provider.protector, registry=registry, meter=MeterProvider([reader]).get_meter("tests"))
    provider.protect(provider.client.wire(), two_legged=True)
    data: Any = reader.get_metrics_data()
    names = {metric.name for metric in data.resource_metrics[0].scope_metrics[0].metrics}
    assert "oauth1.server.requests" in names
    assert requests(registry) == {("resource", "accepted", ""): 1}


@pytest.mark.parametrize(
    ("servers", "options", "error", "text"),
    [
        (["x"], {"registry": CollectorRegistry()}, TypeError, "not 'x'"),
        ([ResourceProtector()], {}, ValueError, "a registry, a meter or a tracer"),
    ],
)
def test_what_cannot_be(servers: list[Any], options: dict[str, Any], error: type[Exception], text: str) -> None:
    """The error says what was wrong."""
    with pytest.raises(error, match=text):
        instrument(*servers, **options)


def test_twice() -> None:
    """A second call would count everything twice."""
    protector = ResourceProtector()
    instrument(protector, registry=CollectorRegistry())
    with pytest.raises(ValueError, match="instrumented already"):
        instrument(protector, registry=CollectorRegistry())


def test_a_sample_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests are counted; after the first ones, one in eight is timed."""
    monkeypatch.setattr(observing, "FIRST_TIMED", 8)
    provider = Measured()
    for _ in range(24):
        provider.protect(provider.client.wire(), two_legged=True)
    labels = (("oauth1_endpoint", "resource"), ("oauth1_outcome", "accepted"))
    assert samples(provider.registry)["oauth1_server_verification_duration_seconds_count", labels] == 8 + 2
    assert requests(provider.registry) == {("resource", "accepted", ""): 24}
