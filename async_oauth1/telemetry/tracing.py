"""Spans of OpenTelemetry for verifications and hooks."""

from __future__ import annotations

from contextvars import Token
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.records.fields import request_fields
from async_oauth1.provider.refusals import root_of

__all__ = ["Spans", "Started"]

#: A span, and what ends its being current.
Started = tuple[Span, "Token[Any]"]

_CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate", b"baggage": "baggage"}


class Spans:
    """Starts spans with one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        """Start none yet."""
        self._tracer = tracer

    def begin_verification(self, request: OAuth1Request, endpoint: str) -> Started:
        """Start the span of a verification. It is current until its end, so what hooks call continues the trace.

        Its parent is the current span, such as that of a server's instrumentation; without one, the span of the client
        that the request's ``traceparent`` names.
        """
        parent = context.get_current()
        if not trace.get_current_span(parent).get_span_context().is_valid:
            parent = _remote(request, parent)
        span = self._tracer.start_span("oauth1.verify", parent)
        if span.is_recording():
            span.set_attributes({**request_fields(request), "oauth1.endpoint": endpoint})
        return span, context.attach(trace.set_span_in_context(span, parent))

    def begin_hook(self, name: str) -> Started | None:
        """Start the span of a hook; ``None`` if the trace is not sampled."""
        if not trace.get_current_span().is_recording():
            return None
        span = self._tracer.start_span(f"oauth1.hook {name}", attributes={"oauth1.hook": name})
        return span, context.attach(trace.set_span_in_context(span))

    @staticmethod
    def pause(started: Started) -> None:
        """Let a span no longer be current; it goes on."""
        context.detach(started[1])

    @staticmethod
    def resume(started: Started) -> Started:
        """Let a paused span be current again."""
        return started[0], context.attach(trace.set_span_in_context(started[0]))

    @staticmethod
    def end(started: Started, error: BaseException | None) -> None:
        """End a span. A refused client is no error of the server's."""
        span, token = started
        if error is not None and span.is_recording():
            if isinstance(error, OAuth1Error) and error.status_code < 500:
                span.set_attribute("error.type", root_of(error).error or "")
            else:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
        span.end()
        context.detach(token)


def _remote(request: OAuth1Request, parent: context.Context) -> context.Context:
    carrier: dict[str, str] = {}
    for name, value in request.raw_headers:
        carried = _CARRIED.get(name.lower())
        if carried is not None:
            carrier.setdefault(carried, value.decode("latin-1"))
    return propagate.extract(carrier, parent) if "traceparent" in carrier else parent
