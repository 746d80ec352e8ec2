"""With ``users=True`` a request has Starlette's ``user`` and ``auth``, without Starlette's middleware."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from async_oauth1 import ResourceProtector, TemporaryCredential
from async_oauth1.asgi import OAuth1Middleware
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call


async def tell(request: Request) -> JSONResponse:
    """What the request says about its user."""
    user: Any = request.user
    known = {"identity": user.identity, "name": user.display_name, "is": user.is_authenticated}
    if user.is_authenticated:
        known |= {"client": user.client.client_id, "token": user.credential and user.credential.oauth_token}
    return JSONResponse({**known, "scopes": request.auth.scopes})


@requires("photos.read")
async def photos(request: Request) -> JSONResponse:
    """Starlette's own decorator decides."""
    return await tell(request)


@pytest.fixture
async def app() -> Any:
    """The application behind the middleware."""
    store = await make_store()
    approved = TemporaryCredential(
        oauth_token="t2", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    secrets = {"oauth_token": "wide", "oauth_token_secret": "toksecret", "scope": "photos.read albums.read"}
    await store.create_token_credential(secrets, approved)
    protector = ResourceProtector()
    protector.register_hooks(store)
    starlette = Starlette(routes=[Route("/", tell), Route("/photos", photos), Route("/open", tell)])
    return OAuth1Middleware(starlette, protector, ["/"], exclude=["/open"], two_legged=True, users=True)


async def test_the_user_of_a_token(app: Any) -> None:
    """Its identity is the user's id, and the scopes are those of the token."""
    assert (await call(app, sign(replace(JANE, token="wide"), "GET", "/photos"))).json == {
        "identity": "jane", "name": "jane", "is": True, "client": "client", "token": "wide",
        "scopes": ["authenticated", "photos.read", "albums.read"],
    }  # fmt: skip
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 403


async def test_the_client_of_a_two_legged_request(app: Any) -> None:
    """Its identity is the client's id."""
    assert (await call(app, sign(CLIENT, "GET", "/"))).json == {
        "identity": "client", "name": "client", "is": True, "client": "client", "token": None,
        "scopes": ["authenticated"],
    }  # fmt: skip


async def test_an_excluded_path(app: Any) -> None:
    """A request without verification has a user who is not authenticated, even if it is signed."""
    expected = {"identity": "", "name": "", "is": False, "scopes": []}
    unsigned = Message(method="GET", target=b"/open", headers=((b"host", b"provider.example"),))
    for message in (unsigned, sign(JANE, "GET", "/open")):
        assert (await call(app, message)).json == expected
    assert (await call(app, sign(JANE, "GET", "/", signature=b"x"))).status == 401
