"""The middleware and Quart's decorator write one line for each refusal."""

from __future__ import annotations

import logging

import pytest
import quart

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore


@pytest.mark.parametrize("wrapped", [True, False])
async def test_one_line(caplog: pytest.LogCaptureFixture, wrapped: bool) -> None:
    """An unsigned request is logged once, whether the middleware or the decorator refuses it; so is a wrong target."""
    app = quart.Quart(__name__)
    protect = ResourceProtector(app, policy=Policy(require_https=False))
    protect.register_hooks(MemoryStore())

    async def view() -> str:
        return "seen"

    app.add_url_rule("/view", view_func=protect()(view))
    if wrapped:
        app.asgi_app = OAuth1Middleware(app.asgi_app, protect, ["/view"])  # type: ignore[method-assign]
    caplog.set_level(logging.INFO, "async_oauth1")
    assert (await app.test_client().get("/view")).status_code == 401
    assert (await app.test_client().get("/view", headers={"Host": "a..b"})).status_code == 400
    lines = [record.getMessage() for record in caplog.records if record.name == "async_oauth1"]
    assert len(lines) == 2
    assert "unsigned_request (401)" in lines[0]
    assert "GET /view of client None" in lines[1]
