"""Requests as people save them: raw HTTP, a curl command, and a HAR file."""

from __future__ import annotations

import json
import shlex

from async_oauth1.explain import WireRequest

from .signer import CLIENT_SECRET, TOKEN_SECRET

#: The secrets of the corpus, as the command takes them.
SECRETS = {"ASYNC_OAUTH1_CLIENT_SECRET": CLIENT_SECRET, "ASYNC_OAUTH1_TOKEN_SECRET": TOKEN_SECRET}


def as_http(wire: WireRequest) -> bytes:
    """The octets of a request."""
    target = wire.path + (b"?" + wire.query if wire.query else b"")
    lines = [b"%s %s HTTP/1.1" % (wire.method.encode(), target), *(b"%s: %s" % field for field in wire.headers)]
    if wire.body:
        lines.append(b"Content-Length: %d" % len(wire.body))
    return b"\r\n".join([*lines, b"", wire.body])


def url_of(wire: WireRequest) -> str:
    """The URL of a request."""
    query = f"?{wire.query.decode()}" if wire.query else ""
    return f"{wire.scheme}://{wire.host}{wire.path.decode()}{query}"


def as_curl(wire: WireRequest) -> str:
    """A curl command for bash."""
    words = ["curl", "-X", wire.method, url_of(wire)]
    for name, value in wire.headers:
        words += ["-H", f"{name.decode()}: {value.decode()}"]
    if wire.body:
        words += ["--data-raw", wire.body.decode()]
    return shlex.join(words)


def as_har(*wires: WireRequest, started: str = "2007-10-01T12:34:56.000Z") -> str:
    """A HAR file."""
    return json.dumps({"log": {"version": "1.2", "entries": [_entry(wire, started) for wire in wires]}})


def _entry(wire: WireRequest, started: str) -> dict[str, object]:
    request: dict[str, object] = {
        "method": wire.method,
        "url": url_of(wire),
        "httpVersion": "HTTP/2",
        "headers": [
            {"name": ":authority", "value": wire.host},
            *({"name": name.decode(), "value": value.decode()} for name, value in wire.headers if name != b"Host"),
        ],
    }
    if wire.body:
        request["postData"] = {"mimeType": wire.header("Content-Type"), "text": wire.body.decode()}
    return {"startedDateTime": started, "request": request}
