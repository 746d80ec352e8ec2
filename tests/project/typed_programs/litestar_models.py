"""A Litestar provider whose clients and token credentials are its own models."""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, reveal_type

from litestar import Litestar, Request, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State

from async_oauth1 import ResourceProtector
from async_oauth1.litestar import OAuth1Auth, OAuth1User, read_request, requires_oauth1


@dataclass
class App:
    secret: str

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


@dataclass
class User:
    name: str


Connection = ASGIConnection[Any, Any, Any, Any]


async def load_user(credential: Grant, connection: Connection) -> User | None:
    return User(str(credential.account))


def load_any_user(holder: Grant | App, connection: Connection) -> User:
    return User("someone")


async def load_wrong(credential: User, connection: Connection) -> User:
    return credential


protector = ResourceProtector[App, Grant]()
oauth1 = OAuth1Auth(protector, retrieve_user_handler=load_user, exclude=["/schema"])
reveal_type(oauth1)  # OAuth1Auth[App, Grant]
OAuth1Auth(protector, retrieve_user_handler=load_any_user, two_legged=True)
OAuth1Auth(protector, retrieve_user_handler=load_wrong)  # refused
OAuth1Auth("protector")  # refused
OAuth1Auth(protector, exclude=[1])  # refused


@get("/photos", guards=[requires_oauth1("photos.read", two_legged=False)])
async def photos(request: Request[User, Grant, State]) -> dict[str, int]:
    reveal_type(request.user.name)  # str
    reveal_type(protector.current_credential)  # Grant
    signed = await read_request(request, protector.policy)
    return {"account": request.auth.account, "bytes": len(signed.raw_path)}


@get("/albums")
async def albums(request: Request[OAuth1User[App, Grant], Grant, State]) -> str:
    reveal_type(request.user.client)  # App
    return request.user.identity


app = Litestar(
    [photos, Router("/in", route_handlers=[albums], middleware=[oauth1.middleware])], on_app_init=[oauth1.on_app_init]
)
