"""Quart views that accept a bearer token beside OAuth 1.0: ``@require_oauth(query_bearer=look_up)``."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from quart import Quart, request, websocket

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector, current_credential
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import Answer, call

from .test_bearer_or_oauth import LookUp, bearer, challenges


async def make_app(look_up: Any) -> Quart:
    """A view that takes both, one that demands a scope, one that takes signatures alone, and a WebSocket."""
    app = Quart("bearer")
    protector = ResourceProtector(app)
    protector.register_hooks(await make_store())

    @app.route("/photos", methods=["GET", "POST"])
    @protector(query_bearer=look_up)
    async def photos() -> dict[str, Any]:
        scope: Any = request.scope
        verified = scope["async_oauth1.verified"]
        return {
            "scheme": verified.scheme,
            "current": repr(current_credential),
            "form": dict(await request.form),
        }

    @app.get("/scoped")
    @protector("photos.write", query_bearer=look_up)
    async def scoped() -> str:
        return "never seen"

    @app.get("/signed")
    @protector
    async def signed() -> str:
        return "signed"

    @app.get("/twice")
    @protector(query_bearer=look_up)
    @protector("photos.read", query_bearer=look_up)
    async def twice() -> str:
        return "twice"

    @app.websocket("/socket")
    @protector(query_bearer=look_up)
    async def socket() -> None:
        scope: Any = websocket.scope
        await websocket.send(scope["async_oauth1.verified"].scheme)

    return app


async def test_a_view_takes_both() -> None:
    """The view learns the scheme; the principal is the current credential; the form is handed on."""
    look_up = LookUp()
    app = await make_app(look_up)
    sent = bearer(method="POST", body=b"a=1")
    assert (await call(app, sent)).json == {"scheme": "bearer", "current": repr(look_up.principal), "form": {"a": "1"}}
    assert (await call(app, sign(JANE, "GET", "/photos"))).json["scheme"] == "oauth"


async def test_refusals() -> None:
    """As behind the middleware: both challenges, 403 without the scope, and 400 for both in one request."""
    app = await make_app(LookUp())
    answer = await call(app, bearer(b"Bearer bad"))
    assert (answer.status, challenges(answer)) == (401, ['OAuth realm=""', 'Bearer realm="", error="invalid_token"'])
    assert (await call(app, bearer(target=b"/scoped"))).status == 403
    assert (await call(app, bearer(target=b"/photos?oauth_token=t"))).status == 400
    assert (await call(app, bearer(target=b"/signed"))).status == 401


async def test_two_decorators_look_a_token_up_once() -> None:
    """One verification for each request: the inner decorator only checks its scope."""
    look_up = LookUp()
    app = await make_app(look_up)
    assert (await call(app, bearer(target=b"/twice"))).status == 200
    assert look_up.asked == ["good"]


async def test_a_token_that_the_middleware_accepts_opens_no_view_that_takes_none() -> None:
    """Each view decides for itself whether it takes bearer tokens."""
    app = await make_app(LookUp())
    protector = app.extensions["async_oauth1"][0]
    outer = OAuth1Middleware(app, protector, ["/"], query_bearer=LookUp())

    async def get(target: bytes) -> Answer:
        return await call(outer, bearer(target=target))

    assert (await get(b"/signed")).status == 401
    assert (await get(b"/photos")).status == 200
    assert (await call(outer, sign(JANE, "GET", "/signed"))).status == 200


@pytest.mark.parametrize("server", SERVERS)
async def test_over_a_server(server: str) -> None:
    """Requests and the handshakes of WebSockets."""
    import websockets

    headers = {"Authorization": "Bearer good"}
    async with serving(await make_app(LookUp()), server) as port, httpx.AsyncClient() as client:
        url = f"127.0.0.1:{port}"
        assert (await client.get(f"http://{url}/photos", headers=headers)).json()["scheme"] == "bearer"
        refused = await client.get(f"http://{url}/photos")
        assert refused.headers.get_list("www-authenticate") == ['OAuth realm=""', 'Bearer realm=""']
        async with websockets.connect(f"ws://{url}/socket", additional_headers=headers) as connection:
            assert await connection.recv() == "bearer"
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(f"ws://{url}/socket", additional_headers={"Authorization": "Bearer bad"})
