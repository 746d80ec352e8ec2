"""An application that answers any path behind `OAuth1Middleware`; servers load it as ``tests.attacks.echo_app:app``.

``POLICY`` in the environment is JSON, for `Policy`.
"""

from __future__ import annotations

import json
import os
from typing import Any

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.stores import MemoryStore

from .provider import add_credentials

store = MemoryStore()
protector = ResourceProtector(Policy(**json.loads(os.environ.get("POLICY", "{}"))))
protector.register_hooks(store)


async def echo(scope: Any, _receive: Any, send: Any) -> None:
    """Answer with the path and the header fields."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    body = json.dumps({"raw_path": scope["raw_path"].decode(), "headers": headers}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


guarded = OAuth1Middleware(echo, protector, ["/"])


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve one connection, or the start and the end."""
    if scope["type"] != "lifespan":
        await guarded(scope, receive, send)
        return
    await receive()
    await add_credentials(store)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
