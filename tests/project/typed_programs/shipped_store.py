"""A Quart provider with a shipped store."""

# pyright: strict

from __future__ import annotations

from typing import reveal_type

from quart import Quart, Response

from async_oauth1 import Client, Policy, TokenCredential
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import (
    AuthorizationServer,
    ResourceProtector,
    current_client,
    current_credential,
    current_oauth1_request,
)
from async_oauth1.stores import open_store
from async_oauth1.stores.caching import CachingStore, open_change_feed

URL = "postgresql://localhost/photos"

app = Quart(__name__)
store = CachingStore(open_store(URL), open_change_feed(URL))
server = AuthorizationServer(app, policy=Policy(realm="Photos"))
server.register_hooks(store)
require_oauth = ResourceProtector(app)
require_oauth.register_hooks(open_store("sqlite:///photos.db"))
require_oauth.register_hooks(42)  # refused
server.register_hooks("sqlite:///photos.db")  # refused
guarded = OAuth1Middleware(app.asgi_app, require_oauth, prefixes=["/photos"])


@app.get("/photos/<int:number>")
@require_oauth("photos.read")
async def photo(number: int) -> dict[str, str]:
    return {"owner": current_credential.user_id, "client": current_client.name}


@app.get("/photos")
@require_oauth
def photos() -> list[str]:
    return [current_credential.get_user_id(), current_oauth1_request.raw_path.decode()]


@app.get("/health")
async def health() -> dict[str, str]:
    credential = await require_oauth.acquire_credential(two_legged=True)
    reveal_type(credential)  # TokenCredential | None
    return {"owner": credential.user_id if credential else ""}


@app.post("/initiate")
async def initiate() -> Response:
    return await server.create_temporary_credentials_response()


def name_of(credential: TokenCredential, client: Client) -> str:
    return f"{credential.user_id} {client.name}"


reveal_type(photo)  # (number: int) -> Coroutine[Any, Any, dict[str, str] | Response]
reveal_type(photos)  # () -> Coroutine[Any, Any, list[str] | Response]
reveal_type(current_credential.user_id)  # str
reveal_type(current_client.callbacks)  # tuple[str, ...]
reveal_type(current_oauth1_request.raw_path)  # bytes
name_of(current_credential, current_client)
if not current_credential:
    reveal_type(current_credential.scope)  # str
print(current_credential.user_identifier)  # refused
print(current_client.user_id)  # refused
print(current_oauth1_request.raw_paht)  # refused
photo("one")  # refused
require_oauth(scope=1)  # refused
