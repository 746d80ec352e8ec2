"""Sends requests to the API."""

from __future__ import annotations

import json
from typing import Any

from async_oauth1.admin.api import AdminAPI
from tests.attacks.signer import Message
from tests.attacks.wire import Answer
from tests.attacks.wire import call as send

__all__ = ["JSON", "Operator", "api_of", "call"]

JSON = "application/json"


class Operator:
    """A permission hook that knows one operator, by a header field."""

    def __init__(self) -> None:
        """Count the requests."""
        self.asked = 0

    async def __call__(self, scope: Any) -> str | None:
        """The name of the operator."""
        self.asked += 1
        return "alice" if (b"x-operator", b"alice") in scope["headers"] else None


def api_of(store: Any, **options: Any) -> AdminAPI:
    """The API over a store."""
    return AdminAPI(store, operator=Operator(), **options)


async def call(
    app: Any,
    method: str,
    target: str,
    body: Any = None,
    *,
    content_type: str | None = JSON,
    operator: str | None = "alice",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    **changes: Any,
) -> Answer:
    """Send a request as an operator; a body that is not octets becomes JSON."""
    octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = [(b"host", b"provider.example"), *headers]
    if operator:
        fields.append((b"x-operator", operator.encode()))
    if octets and content_type:
        fields.append((b"content-type", content_type.encode()))
    fields.append((b"content-length", str(len(octets)).encode()))
    return await send(
        app, Message(method=method, target=target.encode(), headers=tuple(fields), body=octets), **changes
    )
