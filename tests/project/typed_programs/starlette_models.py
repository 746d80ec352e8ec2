"""A Starlette provider whose clients and token credentials are its own models."""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import reveal_type

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from async_oauth1 import AuthorizationServer, OAuth1Error, Policy, ResourceProtector
from async_oauth1.starlette import (
    OAuth1Middleware,
    OAuth1User,
    authorization_endpoints,
    current_credential,
    protected,
    read_request,
)


@dataclass
class MyClient:
    title: str

    def get_client_secret(self) -> str:
        return "secret"

    async def get_rsa_public_key(self) -> str | None:
        return None


@dataclass
class MyToken:
    account: int

    def get_oauth_token(self) -> str:
        return "token"

    def get_oauth_token_secret(self) -> str:
        return "secret"


protector = ResourceProtector[MyClient, MyToken]()
server = AuthorizationServer()


def on_error(connection: HTTPConnection, error: OAuth1Error) -> Response:
    return PlainTextResponse(error.error, status_code=error.status_code)


@protected(protector, "photos.read", on_error=on_error)
async def photos(request: Request) -> JSONResponse:
    user: OAuth1User[MyClient, MyToken] = request.user
    reveal_type(user.credential)  # MyToken | None
    reveal_type(user.client)  # MyClient
    reveal_type(user.identity)  # str
    return JSONResponse({"account": protector.current_credential.account})


@protected(protector, two_legged=True, early=True)
def plain(request: Request) -> Response:
    return PlainTextResponse(protector.current_client.title)


@protected(protector, optional=True)
class Album(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        read = await read_request(request, Policy())
        reveal_type(read)  # OAuth1Request
        return PlainTextResponse(current_credential.oauth_token)


@protected(protector)
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()


reveal_type(protector.current_credential)  # MyToken
reveal_type(protector.current_client)  # MyClient
routes = [
    Route("/photos", photos),
    Route("/plain", plain),
    Route("/album", Album),
    WebSocketRoute("/socket", socket),
    Mount("/oauth", authorization_endpoints(server)),
]
app = Starlette(
    routes=routes,
    middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/photos"], on_error=on_error)],
)
print(protector.current_credential.user_id)  # refused
protected(protector, scopes="photos.read")  # refused
protected(protector, on_error=len)  # refused
