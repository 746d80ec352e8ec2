"""Limits on routes that accept bearer tokens, too."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Quart
from starlette.responses import PlainTextResponse

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.limits import Limits, Rates
from async_oauth1.quart import ResourceProtector as QuartProtector
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.attacks.wire import Message, call

guesses: list[str] = []


def query_bearer(token: str) -> str | None:
    """A look-up that knows one token."""
    guesses.append(token)
    return "printer" if token == "known" else None


def bare(store: MemoryStore, clock: Clock) -> tuple[Any, Any]:
    """An ASGI application behind the middleware."""
    protector: Any = ResourceProtector(clock=clock)
    protector.register_hooks(store)
    return protector, OAuth1Middleware(
        PlainTextResponse("photos"), protector, prefixes=["/photos"], query_bearer=query_bearer
    )


def quart(store: MemoryStore, clock: Clock) -> tuple[Any, Any]:
    """Quart with a decorator."""
    app, protector = Quart(__name__), QuartProtector(clock=clock)
    protector.init_app(app)
    protector.register_hooks(store)

    @app.get("/photos")
    @protector(query_bearer=query_bearer)
    async def photos() -> str:
        return "photos"

    return protector, app


@pytest.mark.parametrize("made", [bare, quart])
async def test_bearer_tokens_cannot_be_guessed_beyond_the_limit(made: Any, clock: Clock) -> None:
    """Each request counts for its address before the token is looked up; beyond, no token is."""
    protector, app = made(MemoryStore(clock=clock), clock)
    Limits(clock=clock, resource=Rates(per_address="2/minute", per_client="1/minute")).limit(protector)
    guesses.clear()
    statuses = []
    for token in ("guess", "known", "other", "known"):
        headers = ((b"host", b"photos.example"), (b"authorization", f"Bearer {token}".encode()))
        message = Message(method="GET", target=b"/photos", headers=headers)
        statuses.append((await call(app, message)).status)
    assert statuses == [401, 200, 429, 429]
    assert guesses == ["guess", "known"]
