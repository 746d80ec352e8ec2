"""A protector is never copied, and one request is verified once, however many layers protect it."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, Request, Router, get
from litestar.middleware import DefineMiddleware

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.litestar import OAuth1Auth, requires_oauth1
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call

from .site import anything, make_protector, photos, unsigned


@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_routers_are_copied_and_the_protector_is_not(depth: int) -> None:
    """A nonce that one router has used is used for all, and for the application."""
    protector, store = await make_protector()
    auth = OAuth1Auth(protector)
    router = Router("/photos", route_handlers=[photos], middleware=[auth.middleware])
    for level in range(depth - 1):
        router = Router(f"/level{level}", route_handlers=[router])
    app, other = Litestar([router]), Litestar([router])
    target = "".join(f"/level{level}" for level in reversed(range(depth - 1))) + "/photos/photos"
    message = sign(JANE, "GET", target)
    assert [(await call(each, message)).status for each in (app, app, other)] == [200, 401, 401]
    assert store.calls["exists_nonce"] == 3


async def test_middleware_for_any_application() -> None:
    """`OAuth1Middleware` of a router is copied with it, and its protector is not."""
    protector, _ = await make_protector()
    middleware = DefineMiddleware(OAuth1Middleware, protector=protector, prefixes=["/"])
    router = Router("/in", route_handlers=[anything], middleware=[middleware])
    message = sign(JANE, "GET", "/in/any")
    assert [(await call(Litestar([router]), message)).status for _ in range(2)] == [200, 401]


async def test_all_layers_share_one_verification() -> None:
    """Middleware in front, the application, the router and guards: one nonce."""
    protector, store = await make_protector()
    auth = OAuth1Auth(protector)
    router = Router(
        "/in", route_handlers=[photos], middleware=[auth.middleware], guards=[requires_oauth1(), requires_oauth1()]
    )
    app = OAuth1Middleware(Litestar([router], on_app_init=[auth.on_app_init]), protector, ["/in"])
    assert (await call(app, sign(JANE, "GET", "/in/photos"))).status == 200
    assert store.calls["exists_nonce"] == 1
    assert (await call(app, unsigned("GET", "/in/photos"))).status == 401


async def test_middleware_outside_sees_the_user() -> None:
    """It keeps the scope that it was given, as Litestar's sessions do."""
    protector, _ = await make_protector()
    seen: list[Any] = []

    def outside(app: Any) -> Any:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)
            seen.append((scope["user"].identity, scope["session"]))

        return serve

    @get("/in")
    async def view(request: Request[Any, Any, Any]) -> None:
        request.set_session({"set": "set"})

    router = Router("/", route_handlers=[view], middleware=[outside, OAuth1Auth(protector).middleware])
    assert (await call(Litestar([router]), sign(JANE, "GET", "/in"))).status == 200
    assert seen == [("jane", {"set": "set"})]
