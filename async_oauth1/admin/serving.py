"""What the page and the API do as ASGI applications, whatever they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from async_oauth1.asgi.bodies.received import ClientHasLeftError
from async_oauth1.asgi.requests import Receive, Scope, send_response, snapshot
from async_oauth1.asgi.startup import serve_nothing
from async_oauth1.provider.responses import OAuth1Response

__all__ = ["serve"]

Respond: TypeAlias = Callable[[Scope, Receive], Awaitable[OAuth1Response]]


async def serve(respond: Respond, scope: Any, receive: Any, send: Any) -> None:
    """Serve one request, or the events of a start.

    Args:
        respond: answers a request.
        scope: as for ASGI, like the arguments after it.
        receive: as above.
        send: as above.
    """
    if scope["type"] == "lifespan":
        await serve_nothing(scope, receive, send)
    elif scope["type"] == "http":
        try:
            response = await respond(snapshot(scope), receive)
        except ClientHasLeftError:
            return
        await send_response(response, send, method=scope["method"])
    else:  # the server answers a WebSocket with 403
        await send({"type": "websocket.close", "code": 1000})
