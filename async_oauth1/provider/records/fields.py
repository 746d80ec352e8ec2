"""The fields of log records: ``extra=`` of the logging module, named as in OpenTelemetry's semantic conventions.

Each value is a number, or one line of printable ASCII that was cut to a limit. A client can neither forge a line nor
make one long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from async_oauth1.protocol.request import OAuth1Request

__all__ = ["LONGEST_TEXT", "Fields", "client_name", "correlation", "printable", "record_fields", "request_fields"]

Fields = dict[str, str | int]

#: Characters of a text, and of a name such as a client identifier.
LONGEST_TEXT, LONGEST_NAME = 1_000, 100

# W3C Trace Context, section 3.2.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
# Anything else in a request's identifier could look like another field in a log that separates fields by spaces.
_FOREIGN = re.compile(r"[^A-Za-z0-9._~:/+=@-]")


def record_fields(event: str, request: OAuth1Request | None = None, **more: str | int | None) -> Fields:
    """The fields of one record.

    Args:
        event: becomes ``event.name``, behind ``oauth1.``.
        request: what the record is about, if it could be read.
        more: further fields, with ``__`` for a dot. ``None`` is left out.
    """
    found: Fields = {"event.name": f"oauth1.{event}"}
    if request is not None:
        found |= request_fields(request)
    return found | {name.replace("__", "."): value for name, value in more.items() if value is not None}


def request_fields(request: OAuth1Request) -> Fields:
    """What the records of a request have in common: method, path, client, address and identifiers."""
    found: Fields = {
        "http.request.method": printable(request.method, LONGEST_NAME),
        "url.path": printable(request.raw_path.decode("latin-1"), LONGEST_TEXT),
    }
    client = client_name(request)
    if client is not None:
        found["oauth1.client_id"] = printable(client, LONGEST_NAME)
    if request.peer is not None:
        found["client.address"] = printable(request.peer, LONGEST_NAME)
    return found | correlation(request.raw_headers)


def client_name(request: OAuth1Request) -> str | None:
    """The client that a request names, cut; the request need not be genuine."""
    return (request.client_id or "")[:LONGEST_NAME] or None


def correlation(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """What connects a record with those of other programs.

    Args:
        headers: of the request.

    Returns:
        ``oauth1.request_id``: the first X-Request-Id, or the trace; and ``trace_id`` if there is a valid traceparent.
    """
    request_id = trace_id = ""
    for name, value in headers:
        lower = name.lower()
        if lower == b"x-request-id" and not request_id:
            request_id = _FOREIGN.sub("?", value.decode("latin-1").strip()[:LONGEST_NAME])
        elif lower == b"traceparent" and not trace_id:
            match = _TRACEPARENT.fullmatch(value.decode("latin-1").strip())
            trace_id = match[1] if match else ""
    found: Fields = {"oauth1.request_id": request_id or trace_id, "trace_id": trace_id}
    return {name: value for name, value in found.items() if value}


def printable(text: str, limit: int = LONGEST_TEXT) -> str:
    """The text in one line of ASCII, cut.

    Args:
        text: any.
        limit: characters that are kept.
    """
    if len(text) > limit:
        text = f"{text[:limit]}..."
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter if letter.isascii() and letter.isprintable() else ascii(letter)[1:-1] for letter in text)
