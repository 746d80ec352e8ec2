"""ASGI without a framework: `OAuth1Middleware` in front of each handler."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.asgi.event_loops import in_thread

from . import shared


async def answer(send: Any, body: Any, method: str = "GET") -> None:
    """Send JSON."""
    octets = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(octets)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    # granian sends whatever body there is, for HEAD over HTTP/2, too.
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else octets})


async def pieces(receive: Any) -> Any:
    """Receive the body."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise EOFError("the client is gone, or the hash of the body does not hold")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def whom(scope: Any, receive: Any, send: Any) -> None:
    """Say what the request is signed with."""
    await answer(send, shared.whom(), scope["method"])


async def thread(scope: Any, receive: Any, send: Any) -> None:
    """The same from a thread."""
    await answer(send, await in_thread(shared.whom))


async def form(scope: Any, receive: Any, send: Any) -> None:
    """Parse a form."""
    octets = b"".join([piece async for piece in pieces(receive)])
    await answer(send, shared.pairs(parse_qsl(octets.decode(), keep_blank_values=True)))


async def read_json(scope: Any, receive: Any, send: Any) -> None:
    """Parse JSON."""
    shared.called()
    await answer(send, json.loads(b"".join([piece async for piece in pieces(receive)])))


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Receive a body in pieces."""
    digest = shared.Digest()
    async for piece in pieces(receive):
        digest.add(piece)
    await answer(send, digest.as_json())


async def socket(scope: Any, receive: Any, send: Any) -> None:
    """Accept a WebSocket."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(shared.whom())})
    await send({"type": "websocket.close", "code": 1000})


async def calls(scope: Any, receive: Any, send: Any) -> None:
    """Count the calls."""
    await answer(send, len(shared.calls))


def guarded(handler: Any, protector: Any = shared.protector, **how: Any) -> Any:
    """A handler behind the middleware."""
    return OAuth1Middleware(handler, protector, ["/"], **how)


ROUTES = {
    "/photos": guarded(whom),
    "/thread": guarded(thread),
    "/albums": guarded(whom, scope="albums.read"),
    "/signed": guarded(whom, two_legged=True),
    "/mounted/photos": guarded(whom),
    "/form": guarded(form),
    "/json": guarded(read_json),
    "/stream": guarded(stream, memory_limit=1000),
    "/early": guarded(stream, early=True),
    "/down": guarded(whom, shared.down),
    "/broken": guarded(whom, shared.broken),
    "/socket": guarded(socket),
    "/calls": calls,
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Route by the exact path; no handler has anything to start."""
    if scope["type"] != "lifespan":
        await ROUTES[scope["path"]](scope, receive, send)
        return
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
