"""Send messages to an ASGI application, with the scope and events of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from .signer import Message

#: A peer that is neither on the loopback interface nor a proxy.
PEER = ("203.0.113.7", 40_000)
#: Seconds; a test that hangs fails after this time.
PATIENCE = 60


@dataclass(frozen=True)
class Answer:
    """A complete response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        """The body, decoded as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, decoded as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    @property
    def error(self) -> str | None:
        """The error code, from a JSON or a form body."""
        if (self.header("content-type") or "").startswith("application/json"):
            code: str | None = self.json.get("error")
            return code
        return self.form.get("error")

    @property
    def fingerprint(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Everything by which an observer could distinguish two responses."""
        return self.status, tuple(sorted(self.headers)), self.body


def scope_of(message: Message, **changes: Any) -> dict[str, Any]:
    """Create the ASGI scope of a message, as a server would."""
    path, _, query = message.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.1"},
        "http_version": "1.1",
        "method": message.method,
        "scheme": "https",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(message.headers),
        "client": PEER,
        "server": ("198.51.100.1", 443),
        "extensions": {},
        **changes,
    }


async def call(app: Any, message: Message, *, pieces: Iterable[bytes] | None = None, **changes: Any) -> Answer:
    """Send a message to an application; an exception from the application fails the test.

    Args:
        app: An ASGI application.
        message: The request to send.
        pieces: Send the body in these pieces.
        changes: Keys of the scope to change.
    """
    body = [message.body] if pieces is None else list(pieces)
    events = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    events.append({"type": "http.request", "body": b"", "more_body": False})
    waiting = iter(events)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        event = next(waiting, None)
        if event is None:
            await asyncio.Event().wait()
        assert event is not None
        return event

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    async with asyncio.timeout(PATIENCE):
        await app(scope_of(message, **changes), receive, send)
    [start] = [event for event in sent if event["type"] == "http.response.start"]
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(event.get("body", b"") for event in sent))
