"""Middlewares of several protectors, one inside the other: each protector verifies a request once."""

from __future__ import annotations

from typing import Any, cast

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, Verified
from async_oauth1.stores import MemoryStore
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE, Recording
from tests.attacks.signer import sign
from tests.attacks.wire import call


async def test_a_protector_finds_what_it_has_verified_further_out() -> None:
    """A, B, A: A uses one nonce, although B has verified the request in between; the application sees both."""
    stores = [Recording(await make_store()) for _ in range(2)]
    protectors = [ResourceProtector(), ResourceProtector()]
    for protector, store in zip(protectors, stores, strict=True):
        protector.register_hooks(cast("MemoryStore", store))  # it delegates
    seen: list[Verified] = []

    async def view(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["async_oauth1.verified"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    a, b = protectors
    app = OAuth1Middleware(OAuth1Middleware(OAuth1Middleware(view, a, ["/"]), b, ["/"]), a, ["/"])
    message = sign(JANE, "GET", "/")
    assert (await call(app, message)).status == 204
    assert [store.calls["exists_nonce"] for store in stores] == [1, 1]
    [verified] = seen
    assert verified.protector is a
    assert verified.earlier is None
    assert (await call(app, message)).status == 401
    assert [store.calls["exists_nonce"] for store in stores] == [2, 1]


async def test_the_inner_one_checks_what_it_demands_more() -> None:
    """Also if another protector is in between."""
    protectors = [ResourceProtector(), ResourceProtector()]
    for protector in protectors:
        protector.register_hooks(await make_store())
    a, b = protectors

    async def view(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the token does not cover the scope")

    inner = OAuth1Middleware(view, a, ["/"], scope="photos.write")
    app = OAuth1Middleware(OAuth1Middleware(inner, b, ["/"]), a, ["/"])
    assert (await call(app, sign(JANE, "GET", "/"))).status == 403
