"""Problem reporting behind the middleware, on Quart, and in the handshakes of WebSockets."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Quart

from async_oauth1 import Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector as QuartProtector
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

LATE = {"timestamp": "1"}


async def no_app(scope: Any, receive: Any, send: Any) -> None:
    """An application that is never reached."""
    raise AssertionError(scope["type"])


async def make_quart() -> Quart:
    """A Quart application with one view."""
    app = Quart("problems")
    app.config["OAUTH1_PROBLEM_REPORTING"] = True
    protector = QuartProtector(app)
    protector.register_hooks(await make_store())

    @app.get("/photos")
    @protector
    async def photos() -> str:
        return "never seen"

    return app


async def make_middleware() -> OAuth1Middleware:
    """The middleware in front of nothing."""
    protector = ResourceProtector(Policy(problem_reporting=True, realm="Photos"))
    protector.register_hooks(await make_store())
    return OAuth1Middleware(no_app, protector, ["/"])


@pytest.mark.parametrize("make", [make_quart, make_middleware])
async def test_a_refused_request(make: Any) -> None:
    """The body and the challenge say the same."""
    answer = await call(await make(), sign(JANE, "GET", "/photos", oauth=LATE))
    assert answer.json["oauth_problem"] == "timestamp_refused"
    timestamps = answer.json["oauth_acceptable_timestamps"]
    assert f'oauth_problem="timestamp_refused", oauth_acceptable_timestamps="{timestamps}"' in (
        answer.header("www-authenticate") or ""
    )


@pytest.mark.parametrize("server", SERVERS)
async def test_a_refused_websocket(server: str) -> None:
    """The answer to the handshake reports the problem."""
    import websockets

    app = await make_middleware()

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] != "lifespan"
        await app(scope, receive, send)

    async with serving(without_lifespan, server) as port:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"ws://127.0.0.1:{port}/")
    assert refused.value.response.status_code == 401
    assert 'oauth_problem="parameter_absent"' in refused.value.response.headers["WWW-Authenticate"]
