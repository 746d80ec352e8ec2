"""An API that pages of other origins may call; hypercorn loads it as ``tests.browser.cross_origin_api:app``.

``/on-top`` has ``@require_oauth()`` over ``@route_cors()``, ``/below`` the reverse, ``/middleware`` is behind
`OAuth1Middleware` with CORS middleware in front, and ``/closed`` does not allow other origins.
"""

from __future__ import annotations

from typing import Any

from quart import Quart
from quart_cors import route_cors
from starlette.middleware.cors import CORSMiddleware

from async_oauth1 import Client, TemporaryCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector, current_credential
from async_oauth1.stores import MemoryStore

application = Quart("cross-origin")
require_oauth = ResourceProtector(application)
store = MemoryStore()
require_oauth.register_hooks(store)


@application.before_serving
async def add_credentials() -> None:
    """Add one client, and one token."""
    await store.add_client(Client(client_id="client", client_secret="secret", callbacks=("oob",)))
    pending = TemporaryCredential(
        oauth_token="t", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    await store.create_token_credential({"oauth_token": "tok", "oauth_token_secret": "toksecret"}, pending)


@application.get("/on-top")
@require_oauth()
@route_cors()
async def on_top() -> dict[str, Any]:
    """The extension is below."""
    return {"user": current_credential.user_id}


@application.get("/below")
@route_cors()
@require_oauth()
async def below() -> dict[str, Any]:
    """The extension is on top, so that refusals have its headers."""
    return {"user": current_credential.user_id}


@application.get("/middleware")
@application.get("/closed", endpoint="closed")
@require_oauth()
async def plain() -> dict[str, Any]:
    """No extension."""
    return {"user": current_credential.user_id}


class OnlyUnder:
    """CORS middleware for one prefix."""

    def __init__(self, prefix: str) -> None:
        """Name the prefix."""
        self._prefix = prefix
        protected = OAuth1Middleware(application.asgi_app, require_oauth, [prefix])
        self._with_cors = CORSMiddleware(protected, allow_origins=["*"], allow_headers=["authorization"])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        covered = scope["type"] == "http" and scope["path"].startswith(self._prefix)
        await (self._with_cors if covered else application)(scope, receive, send)


app = OnlyUnder("/middleware")
