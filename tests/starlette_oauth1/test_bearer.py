"""Endpoints of Starlette that accept a bearer token beside OAuth 1.0."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from async_oauth1 import ResourceProtector
from async_oauth1.starlette import OAuth1Middleware, protected
from tests.asgi.retiring.test_bearer_or_oauth import LookUp, bearer
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call


@requires("photos.read", status_code=418)
async def photos(request: Request) -> JSONResponse:
    """The user, and how the request is authenticated."""
    verified = request.scope["async_oauth1.verified"]
    return JSONResponse({"scheme": verified.scheme, "identity": request.user.identity})


async def make_protector() -> ResourceProtector[Any, Any]:
    """A protector with one client and one token, which has no scope."""
    protector: ResourceProtector[Any, Any] = ResourceProtector()
    protector.register_hooks(await make_store())
    return protector


async def test_protected_and_the_middleware() -> None:
    """``@requires`` checks the scopes of the principal as those of a token."""
    look_up = LookUp()
    decorate = protected(await make_protector(), query_bearer=look_up)
    middleware = Middleware(OAuth1Middleware, await make_protector(), ["/"], query_bearer=look_up)
    for app in (
        Starlette(routes=[Route("/photos", decorate(photos))]),
        Starlette(routes=[Route("/photos", photos)], middleware=[middleware]),
    ):
        assert (await call(app, bearer())).json == {"scheme": "bearer", "identity": "jane"}
        assert (await call(app, bearer(b"Bearer bad"))).status == 401
        assert (await call(app, sign(JANE, "GET", "/photos"))).status == 418
