"""Answers a refused connection with a response of the application's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.requests import HTTPConnection
from starlette.responses import Response

from async_oauth1.asgi.requests import Receive, Scope, Send
from async_oauth1.asgi.verifying.gate import RefuseConnection
from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.refusals import log_refusal, with_scope

__all__ = ["OnError", "answer_with"]

#: Makes the response to a refused connection, as ``on_error`` of Starlette's ``AuthenticationMiddleware`` does.
OnError: TypeAlias = Callable[[HTTPConnection, OAuth1Error], Response]


def answer_with(on_error: OnError | None) -> RefuseConnection | None:
    """Let a function answer refused connections; a WebSocket is closed if the server cannot answer its handshake."""
    if on_error is None:
        return None

    async def answer(error: OAuth1Error, scope: Scope, receive: Receive, send: Send) -> None:
        log_refusal(with_scope(error, scope))
        response = on_error(HTTPConnection(scope), error)
        if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or {}):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await response(scope, receive, send)

    return answer
