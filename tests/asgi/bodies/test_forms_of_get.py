"""A GET may have a form, which is signed and limited like any other."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.asgi import OAuth1Middleware
from tests.attacks.provider import JANE, Provider, make_provider
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call


async def app_of(provider: Provider, bodies: list[bytes]) -> Any:
    """An application behind the middleware that records the bodies which it receives."""

    async def record(_: Any, receive: Any, send: Any) -> None:
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    return OAuth1Middleware(record, provider.require_oauth, ["/"])


def changed(message: Message, body: bytes) -> Message:
    """The same request with another body."""
    headers = [(name, value) for name, value in message.headers if name.lower() != b"content-length"]
    return Message(method=message.method, target=message.target, headers=tuple(headers), body=body)


@pytest.mark.parametrize("place", ["header", "body"])
async def test_the_form_of_a_get_is_signed(place: Any) -> None:
    """The application receives the form that was signed, and none that was changed on the way."""
    bodies: list[bytes] = []
    app = await app_of(await make_provider(), bodies)
    message = sign(JANE, "GET", "/echo?b=1", body=b"a=1&a=2", place=place)
    assert (await call(app, changed(message, message.body + b"&c=3"))).status == 401
    assert (await call(app, message)).status == 200
    assert bodies == [message.body]


async def test_the_form_of_a_get_is_limited() -> None:
    """A form with too many parameters is a 400, whatever the method is."""
    bodies: list[bytes] = []
    app = await app_of(await make_provider(), bodies)
    message = sign(JANE, "GET", "/echo", body=b"a=1")
    assert (await call(app, changed(message, b"a&" * 2_000))).status == 400
    assert not bodies
