"""Spans of verifications and hooks, as OpenTelemetry's in-memory exporter has them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanContext, StatusCode

from async_oauth1.provider.hooks import problems
from async_oauth1.telemetry import instrument
from tests.protocol.wire import Signer, Wire
from tests.provider.provider import Provider

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Traced(Provider):
    """A provider with a tracer of its own."""

    def __init__(self, sampler: Any = ALWAYS_ON) -> None:
        super().__init__()
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider(sampler=sampler)
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = tracers.get_tracer("tests")
        instrument(self.protector, self.server, tracer=self.tracer)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """The spans that have ended, by name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}


def with_header(wire: Wire, flags: str = "01") -> Wire:
    """The request of a client that traces."""
    return wire.changed(headers=(*wire.headers, (b"traceparent", f"00-{TRACE}-{SPAN}-{flags}".encode())))


def context_of(span: ReadableSpan) -> SpanContext:
    """The identifiers of a span."""
    found: SpanContext | None = span.get_span_context()
    assert found is not None
    return found


def test_a_request() -> None:
    """The verification is a span with the request's fields, and each hook is a span in it."""
    provider = Traced()
    provider.protect(provider.client.wire(), two_legged=True)
    spans = provider.spans
    assert set(spans) == {"oauth1.verify", "oauth1.hook query_client", "oauth1.hook exists_nonce"}
    verify = spans["oauth1.verify"]
    attributes = dict(verify.attributes or {})
    assert attributes["oauth1.endpoint"] == "resource"
    assert attributes["http.request.method"] == "GET"
    assert attributes["url.path"] == "/photos"
    assert attributes["oauth1.client_id"] == provider.client.client_id
    for name, span in spans.items():
        if name != "oauth1.verify":
            assert span.parent is not None
            assert span.parent.span_id == context_of(verify).span_id


def test_the_trace_of_the_client_is_continued() -> None:
    """Without a span of the server, the parent is what `traceparent` names; hooks pass the context on."""
    provider = Traced()
    carried: dict[str, str] = {}
    original = provider.store.query_client

    def look_up(client_id: str) -> Any:
        inject(carried)
        return original(client_id)

    provider.hooks.replaced["query_client"] = look_up
    provider.protect(with_header(provider.client.wire()), two_legged=True)
    verify = provider.spans["oauth1.verify"]
    assert f"{context_of(verify).trace_id:032x}" == TRACE
    assert verify.parent is not None
    assert f"{verify.parent.span_id:016x}" == SPAN
    hook = provider.spans["oauth1.hook query_client"]
    assert carried["traceparent"] == f"00-{TRACE}-{context_of(hook).span_id:016x}-01"
    assert not trace.get_current_span().get_span_context().is_valid


def test_the_span_of_the_server_comes_first() -> None:
    """With a current span, this is the parent, whatever the request says."""
    provider = Traced()
    with provider.tracer.start_as_current_span("server") as server:
        provider.protect(with_header(provider.client.wire()), two_legged=True)
    verify = provider.spans["oauth1.verify"]
    assert verify.parent is not None
    assert verify.parent.span_id == server.get_span_context().span_id


def test_what_is_not_sampled() -> None:
    """The caller's decision counts, and then hooks have no spans either."""
    provider = Traced(ParentBased(ALWAYS_ON))
    provider.protect(with_header(provider.client.wire(), "00"), two_legged=True)
    off = Traced(ALWAYS_OFF)
    off.protect(off.client.wire(), two_legged=True)
    assert not provider.spans
    assert not off.spans


def test_refusals_and_faults() -> None:
    """A refusal has its reason and no error status; a fault of a hook is an error of both spans."""
    provider = Traced()
    provider.refusal(Signer("unknown").wire(), two_legged=True)
    verify = provider.spans["oauth1.verify"]
    assert dict(verify.attributes or {})["error.type"] == "invalid_client"
    assert verify.status.status_code is StatusCode.UNSET
    provider.exporter.clear()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    provider.hooks.replaced["query_client"] = broken
    with pytest.raises(ZeroDivisionError):
        provider.protect(provider.client.wire(), two_legged=True)
    for span in provider.spans.values():
        assert span.status.status_code is StatusCode.ERROR
        assert dict(span.attributes or {})["error.type"] == "ZeroDivisionError"


def test_no_secret_in_spans() -> None:
    """Spans have neither tokens, verifiers nor secrets, and the flow has a span for each step."""
    provider = Traced()
    jane = provider.token()
    provider.protect(jane.wire())
    written = " ".join(span.to_json() for span in provider.exporter.get_finished_spans())
    assert str(jane.token) not in written
    assert jane.token_secret not in written
    endpoints = [
        dict(span.attributes or {})["oauth1.endpoint"]
        for span in provider.exporter.get_finished_spans()
        if span.name == "oauth1.verify"
    ]
    assert endpoints == ["temporary_credentials", "authorization", "token", "resource"]


async def test_a_hook_that_blocks_is_still_reported(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning names the application's hook, not what wraps it."""
    monkeypatch.setattr(problems, "BLOCKING_SECONDS", -1.0)
    provider = Traced()

    async def look_up(_: str) -> None:
        return None

    provider.protector.register_hook("query_client", look_up)
    with caplog.at_level(logging.WARNING, "async_oauth1"), pytest.raises(Exception, match="signature"):
        await provider.protector.validate_request(provider.client.wire().read(), two_legged=True)
    assert "test_a_hook_that_blocks_is_still_reported.<locals>.look_up has blocked" in caplog.text
