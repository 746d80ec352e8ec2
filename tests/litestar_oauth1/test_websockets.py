"""Handshakes of WebSockets on Litestar, under real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from litestar import WebSocket, websocket
from websockets.exceptions import InvalidStatus

from async_oauth1.litestar import current_credential, requires_oauth1
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_websockets import connect, handshake
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.wire import scope_of

from .site import protected_site, unsigned


@websocket("/socket")
async def greet(socket: WebSocket[Any, Any, Any]) -> None:
    """Say whose the connection is."""
    await socket.accept()
    user = await asyncio.to_thread(current_credential.get_user_id)
    await socket.send_text(f"{user} {socket.user.identity} {socket.auth.oauth_token}")
    await socket.close()


@websocket("/guarded", guards=[requires_oauth1("photos.read")])
async def guarded(socket: WebSocket[Any, Any, Any]) -> None:
    """Never reached without the scope."""
    await socket.accept()
    await socket.close()


@pytest.mark.parametrize("server", SERVERS)
async def test_a_handshake_under_a_real_server(server: str) -> None:
    """It is accepted over ``http`` or ``ws``, once; a refusal is the same 401 as over HTTP."""
    app = await protected_site(greet, guarded)
    async with serving(app, server) as port:
        message = handshake(JANE, port, target="/socket")
        for accepted in (message, handshake(JANE, port, scheme="ws", target="/socket")):
            assert await connect(port, accepted) == "jane jane tok"
        for refused, status in (
            (message, 401),
            (handshake(JANE, port, target="/socket", signature=b"x"), 401),
            (handshake(CLIENT, port, target="/socket"), 400),
            (handshake(JANE, port, target="/guarded"), 403),
        ):
            with pytest.raises(InvalidStatus) as error:
                await connect(port, refused)
            assert error.value.response.status_code == status


async def test_a_server_that_cannot_answer() -> None:
    """The connection is closed with 1008."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        sent.append(event)

    scope: Any = scope_of(unsigned("GET", "/socket"), type="websocket", scheme="wss", subprotocols=[])
    del scope["method"]
    await (await protected_site(greet))(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
