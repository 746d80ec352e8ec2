"""Missing hooks are named when a Litestar application starts, and at the first request of a router."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from litestar import Litestar, Router

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.litestar import OAuth1Auth
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

from .site import listen, photos


def backend(**how: Any) -> OAuth1Auth[Any, Any]:
    """Of a protector without hooks."""
    return OAuth1Auth(ResourceProtector(**how))


async def start(app: Any) -> list[Any]:
    """Start an application as a server does."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup" if not sent else "lifespan.shutdown"}

    async def send(event: Any) -> None:
        sent.append(event)

    with suppress(Exception):  # Litestar has sent the message
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
    return sent


async def test_an_application_does_not_start() -> None:
    """One message names the hooks of every protector."""
    protector = ResourceProtector()
    protector.register_hook("exists_nonce", print)
    app = Litestar([photos], on_app_init=[OAuth1Auth(protector).on_app_init, backend().on_app_init])
    [failed] = await start(app)
    assert failed["type"] == "lifespan.startup.failed"
    for name in ("query_client", "query_token", "exists_nonce"):
        assert name in failed["message"]


async def test_hooks_that_are_registered_during_the_start() -> None:
    """They count."""
    protector = ResourceProtector()

    def register() -> None:
        protector.register_hooks(MemoryStore())

    app = Litestar([photos], on_app_init=[OAuth1Auth(protector).on_app_init], on_startup=[register])
    assert [event["type"] for event in await start(app)] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_router(caplog: pytest.LogCaptureFixture) -> None:
    """It sees no start: the first request is a 500, and the log names the hooks."""
    app = Litestar([Router("/in", route_handlers=[photos], middleware=[backend().middleware])])
    listen(caplog)
    assert (await call(app, sign(JANE, "GET", "/in/photos"))).status == 500
    assert "query_client" in caplog.text
    assert "exists_nonce" in caplog.text


async def test_an_unknown_signature_method() -> None:
    """The application does not start either."""
    protector = ResourceProtector(policy=Policy(signature_methods=("HMAC-MD5",)))
    protector.register_hooks(MemoryStore())
    app = Litestar([photos], on_app_init=[OAuth1Auth(protector).on_app_init])
    [failed] = await start(app)
    assert failed["type"] == "lifespan.startup.failed"
    assert "HMAC-MD5" in failed["message"]
