"""An application that counts the octets of a body, behind the middleware; `EARLY` is its mode."""

from __future__ import annotations

import os
from typing import Any

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from tests.asgi.test_cors import make_store

protector = ResourceProtector()


async def count(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of octets."""
    if scope["type"] == "lifespan":
        await receive()
        protector.register_hooks(await make_store())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    octets, more = 0, True
    while more:
        message = await receive()
        octets += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(octets).encode()})


app = OAuth1Middleware(count, protector, ["/"], early=bool(os.environ.get("EARLY")))
