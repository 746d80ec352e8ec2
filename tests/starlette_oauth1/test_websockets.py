"""WebSockets on Starlette: functions and classes, under real servers."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus

from async_oauth1 import OAuth1Error, ResourceProtector
from async_oauth1.starlette import protected
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_websockets import connect, handshake
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.wire import scope_of


async def greet(websocket: WebSocket) -> None:
    """Say to which user the connection belongs."""
    await websocket.accept()
    await websocket.send_text(websocket.user.identity)
    await websocket.close()


class Greeter(WebSocketEndpoint):
    """The same as a class."""

    async def on_connect(self, websocket: WebSocket) -> None:
        """Greet."""
        await greet(websocket)


def teapot(connection: HTTPConnection, error: OAuth1Error) -> Response:
    """A response of the application's own."""
    return PlainTextResponse(error.error, status_code=418)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_handshake_under_a_real_server(protector: ResourceProtector, server: str) -> None:
    """Each kind is accepted once, and refused with the 401 of any request, or with the application's response."""
    app = Starlette(
        routes=[
            WebSocketRoute("/function", protected(protector)(greet)),
            WebSocketRoute("/class", protected(protector)(Greeter)),
            WebSocketRoute("/optional", protected(protector, optional=True)(greet)),
            WebSocketRoute("/own", protected(protector, on_error=teapot)(greet)),
        ]
    )
    async with serving(app, server) as port:
        for target in ("/function", "/class", "/optional", "/own"):
            message = handshake(JANE, port, target=target)
            assert await connect(port, message) == "jane"
            with pytest.raises(InvalidStatus) as refusal:
                await connect(port, message)
            assert refusal.value.response.status_code == (418 if target == "/own" else 401)
        unsigned = handshake(JANE, port, target="/optional").without(b"authorization")
        assert await connect(port, unsigned) == ""
        with pytest.raises(InvalidStatus):
            await connect(port, handshake(CLIENT, port, target="/function"))


@pytest.mark.parametrize("on_error", [None, teapot])
@pytest.mark.parametrize("endpoint", [greet, Greeter])
async def test_without_the_extension_it_is_closed(protector: ResourceProtector, endpoint: Any, on_error: Any) -> None:
    """A server that cannot answer a handshake closes with 1008."""
    app = Starlette(routes=[WebSocketRoute("/", protected(protector, on_error=on_error)(endpoint))])
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    message = handshake(JANE, 80, target="/").without(b"authorization")
    await app({**scope_of(message, type="websocket", scheme="ws"), "subprotocols": []}, receive, send)
    assert [(each["type"], each["code"]) for each in sent] == [("websocket.close", 1008)]
