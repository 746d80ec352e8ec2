"""One request and its answer, as the recorder has seen them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from async_oauth1.asgi.requests import request_from_scope
from async_oauth1.errors import OAuth1Error
from async_oauth1.explain import WireRequest
from async_oauth1.policy import Policy

__all__ = ["Answer", "wire_request"]


@dataclass(slots=True)
class Answer:
    """A response that is held back until it is complete.

    Attributes:
        status: HTTP status.
        headers: as ASGI has them.
        body: its octets.
    """

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]], repr=False)
    body: bytearray = field(default_factory=bytearray, repr=False)

    async def receive(self, message: Any) -> None:
        """Take a message that the application sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [*message.get("headers", [])]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Any) -> None:
        """Send the whole response to the client."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": bytes(self.body)})

    def replace_body(self, status: int, media_type: str, body: str) -> None:
        """Say the same in other words."""
        octets = body.encode()
        changed = (b"content-type", b"content-length")
        kept = [(name, value) for name, value in self.headers if name.lower() not in changed]
        self.status, self.body = status, bytearray(octets)
        self.headers = [
            *kept,
            (b"content-type", media_type.encode()),
            (b"content-length", str(len(octets)).encode()),
        ]

    def fields(self) -> dict[str, str]:
        """The fields of a form, or the texts of a JSON object; those of an error page are in its header fields."""
        media_type = self._header(b"content-type")
        text = self.body.decode("utf-8", "replace")
        if media_type.startswith(b"application/x-www-form-urlencoded"):
            return dict(parse_qsl(text, keep_blank_values=True))
        if media_type.startswith(b"application/json"):
            decoded: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
            return {name: value for name, value in decoded.items() if isinstance(value, str)}
        code = self._header(b"x-error").decode("latin-1")
        return {"error": code, "error_description": "The page says more."} if code else {}

    def _header(self, wanted: bytes) -> bytes:
        return next((value for name, value in self.headers if name.lower() == wanted), b"")


def wire_request(scope: Any, policy: Policy, body: bytes) -> WireRequest:
    """The request as the provider sees it; with what stands on its first line if it cannot be read."""
    try:
        return WireRequest.of(request_from_scope(scope, policy, body))
    except OAuth1Error:
        pass
    headers = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    host = next((value for name, value in headers if name.lower() == b"host"), b"")
    return WireRequest(
        method=scope["method"].upper(),
        scheme=scope.get("scheme", "http"),
        host=host.decode("latin-1"),
        path=scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass"),
        query=scope.get("query_string", b""),
        headers=headers,
        body=body,
    )
