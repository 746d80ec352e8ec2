"""A FastAPI provider on a shipped store, and one whose clients and token credentials are its own models."""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, reveal_type

from fastapi import Depends, FastAPI, Request, Security, WebSocket

from async_oauth1 import AuthorizationServer, Client, ResourceProtector, TokenCredential
from async_oauth1.fastapi import OAuth1, OAuth1HTTPError, read_request
from async_oauth1.stores import MemoryStore


@dataclass
class App:
    secret: str
    title: str

    def get_client_secret(self) -> str:
        return self.secret

    async def get_rsa_public_key(self) -> str | None:
        return None


@dataclass
class Grant:
    token: str
    secret: str
    account: int

    def get_oauth_token(self) -> str:
        return self.token

    def get_oauth_token_secret(self) -> str:
        return self.secret


app = FastAPI()
server = AuthorizationServer()
protector = ResourceProtector()
protector.register_hooks(MemoryStore())
oauth1 = OAuth1(protector)
oauth1.install(app, max_body_bytes=1024 * 1024)
own = OAuth1(ResourceProtector[App, Grant](), scheme_name="Own")
own.install(app)


@app.get("/photos")
async def photos(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]) -> str | None:
    return credential.user_id


@app.get("/account")
def account(
    grant: Annotated[Grant, Security(own)],
    client: Annotated[App, Depends(own.client)],
    maybe: Annotated[Grant | None, Security(own.optional)],
) -> list[int | str]:
    reveal_type(own.protector.current_credential)  # Grant
    return [grant.account, client.title, own.protector.current_credential.account]


@app.websocket("/socket")
async def socket(websocket: WebSocket, client: Annotated[Client, Depends(oauth1.client)]) -> None:
    await websocket.send_text(client.client_id)


@app.exception_handler(OAuth1HTTPError)
async def refused(request: Request, error: OAuth1HTTPError) -> None:
    reveal_type(error.error)  # OAuth1Error


async def endpoint(request: Request) -> None:
    reveal_type(await read_request(request, server.policy))  # OAuth1Request


def override() -> Grant:
    return Grant("token", "secret", 1)


app.dependency_overrides[own] = override
app.dependency_overrides[own.optional] = lambda: None
reveal_type(oauth1)  # OAuth1[Client, TokenCredential]
reveal_type(own)  # OAuth1[App, Grant]
reveal_type(own.protector)  # ResourceProtector[App, Grant]
reveal_type(own.protector.current_client)  # App
print(own.protector.current_credential.user_id)  # refused
OAuth1(app)  # refused
oauth1.install(protector)  # refused
