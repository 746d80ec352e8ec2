"""A Quart provider whose clients and token credentials are its own models."""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import reveal_type

from quart import Quart

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import ResourceProtector


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


async def query_client(client_id: str) -> App | None:
    return App("secret", client_id)


def query_token(client_id: str, oauth_token: str) -> Grant | None:
    return Grant(oauth_token, "secret", 1)


async def exists_nonce(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
    return False


async def query_number(client_id: str) -> int:
    return 1


class Store:
    async def query_client(self, client_id: str) -> App | None:
        return None

    async def query_token(self, client_id: str, oauth_token: str) -> Grant | None:
        return None


app = Quart(__name__)
inferred = ResourceProtector(app, query_client, query_token, exists_nonce)
named = ResourceProtector[App, Grant](app)
named.register_hooks(Store())
guarded = OAuth1Middleware(app.asgi_app, named, prefixes=["/"])


@app.get("/account")
@named(two_legged=True)
async def account() -> dict[str, int]:
    grant = await named.acquire_credential()
    reveal_type(grant)  # Grant | None
    return {"account": named.current_credential.account}


reveal_type(inferred)  # ResourceProtector[App, Grant]
reveal_type(inferred.current_credential)  # Grant
reveal_type(named.current_client)  # App
reveal_type(account)  # () -> Coroutine[Any, Any, dict[str, int] | Response]
print(named.current_credential.user_id)  # refused
ResourceProtector[int, Grant](app)  # refused
ResourceProtector(app, query_number)  # refused
