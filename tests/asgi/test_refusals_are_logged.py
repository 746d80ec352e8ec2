"""The middleware and Quart's decorator write one line for each refusal."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import quart

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector
from async_oauth1.stores import MemoryStore
from tests.servers.processes import PATIENCE


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


@pytest.mark.parametrize(
    ("path", "host", "code"),
    [("/view", b"photos.example.net", "unsigned_request (401)"), ("/other", b"a..b", "invalid_request (400)")],
)
async def test_a_websocket(caplog: pytest.LogCaptureFixture, path: str, host: bytes, code: str) -> None:
    """A refused WebSocket has a line as well; one that is let through has none."""
    app = quart.Quart(__name__)
    protect = ResourceProtector(app, policy=Policy(require_https=False))
    protect.register_hooks(MemoryStore())
    caplog.set_level(logging.INFO, "async_oauth1")
    wrapped = OAuth1Middleware(app.asgi_app, protect, ["/view"])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "ws"}
    await wrapped({**scope, "headers": [(b"host", host)], "client": ("192.0.2.1", 5), "root_path": ""}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
    (line,) = [record.getMessage() for record in caplog.records if record.name == "async_oauth1"]
    assert f"Refused websocket {path} of client None from '192.0.2.1': {code}" in line


async def test_another_host_in_front_of_the_middleware(caplog: pytest.LogCaptureFixture) -> None:
    """The middleware's 421 has a line, by `allowed_hosts` and by an absolute target of another authority."""
    app = quart.Quart(__name__)
    protect = ResourceProtector(app, policy=Policy(require_https=False, allowed_hosts=("photos.example.net",)))
    protect.register_hooks(MemoryStore())
    app.asgi_app = OAuth1Middleware(app.asgi_app, protect, ["/view"])  # type: ignore[method-assign]
    caplog.set_level(logging.INFO, "async_oauth1")
    headers = {"Host": "elsewhere.example", "Authorization": 'OAuth oauth_consumer_key="c"'}
    assert (await app.test_client().get("/view", headers=headers)).status_code == 421
    (line,) = [record.getMessage() for record in caplog.records if record.name == "async_oauth1"]
    assert "misdirected_request (421)" in line


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(("size", "status"), [(2_000, 413), (10, 408)])
async def test_bodies_that_are_too_large_or_too_slow(
    caplog: pytest.LogCaptureFixture, size: int, status: int, *, wrapped: bool
) -> None:
    """A 413 and a 408 have one line each, whether the middleware or the decorator reads the form."""
    app = quart.Quart(__name__)
    timeout = 0.05 if status == 408 else PATIENCE
    app.config["BODY_TIMEOUT"] = timeout
    protect = ResourceProtector(app, policy=Policy(require_https=False, max_form_bytes=1_000))
    protect.register_hooks(MemoryStore())
    app.add_url_rule("/view", view_func=protect()(lambda: "seen"), methods=["POST"])
    if wrapped:
        app.asgi_app = OAuth1Middleware(  # type: ignore[method-assign]
            app.asgi_app, protect, ["/view"], body_timeout=timeout
        )
    caplog.set_level(logging.INFO, "async_oauth1")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(size)}
    async with app.test_client().request("/view", method="POST", headers=headers) as connection:
        await connection.send(b"a" * min(size, 1_500))
        if status == 413:
            await connection.send_complete()
    answer = await connection.as_response()
    assert answer.status_code == status
    (line,) = [record.getMessage() for record in caplog.records if record.name == "async_oauth1"]
    assert f"({status}):" in line
    assert "POST /view" in line
