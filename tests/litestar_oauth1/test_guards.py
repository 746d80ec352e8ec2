"""Guards demand scopes of verified requests, before a body is received, and never let an unverified one pass."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from litestar import Controller, Litestar, Request, Router, get, post

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.litestar import OAuth1Auth, requires_oauth1
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import body_hash, sign
from tests.attacks.wire import call, scope_of

from .site import listen, make_protector, photos, protected_site, unsigned

WIDE = replace(JANE, token="wide")


def guarded(*arguments: Any, **how: Any) -> Any:
    """A route with a guard."""

    @get("/guarded", guards=[requires_oauth1(*arguments, **how)])
    async def view() -> str:
        return "guarded"

    return view


async def test_a_scope() -> None:
    """A token without it gets 403."""
    app = await protected_site(guarded("photos.read"))
    assert (await call(app, sign(WIDE, "GET", "/guarded"))).status == 200
    answer = await call(app, sign(JANE, "GET", "/guarded"))
    assert (answer.status, answer.error) == (403, "insufficient_scope")
    assert (await call(app, unsigned("GET", "/guarded"))).status == 401


async def test_all_guards_count() -> None:
    """Those of the application, the router, the controller and the route, and the scope of the backend itself."""

    class Albums(Controller):
        path = "/albums"
        guards = [requires_oauth1("albums.read")]  # noqa: RUF012 - as Litestar documents it

        @get("/", guards=[requires_oauth1("photos.read")])
        async def albums(self) -> str:
            return "albums"

        @get("/write", guards=[requires_oauth1("albums.write")])
        async def write(self) -> str:
            return "written"

    router = Router("/in", route_handlers=[Albums])
    app = await protected_site(router)
    assert (await call(app, sign(WIDE, "GET", "/in/albums"))).status == 200
    assert (await call(app, sign(JANE, "GET", "/in/albums"))).status == 403
    assert (await call(app, sign(WIDE, "GET", "/in/albums/write"))).status == 403
    app = await protected_site(router, scope="all")
    assert (await call(app, sign(WIDE, "GET", "/in/albums"))).status == 403


@pytest.mark.parametrize("by_default", [True, False])
async def test_two_legged(by_default: bool) -> None:
    """A guard decides for its route; the backend for those without a guard."""
    app = await protected_site(photos, guarded(), two_legged=by_default)
    assert (await call(app, sign(CLIENT, "GET", "/photos"))).status == (200 if by_default else 400)
    assert (await call(app, sign(CLIENT, "GET", "/guarded"))).status == 400
    app = await protected_site(guarded("photos.read", two_legged=True), two_legged=by_default)
    assert (await call(app, sign(CLIENT, "GET", "/guarded"))).status == 200
    assert (await call(app, sign(JANE, "GET", "/guarded"))).status == 403


async def test_an_inner_guard_that_wants_a_token() -> None:
    """Every guard must accept two-legged requests."""
    router = Router("/in", route_handlers=[guarded("photos.read")], guards=[requires_oauth1(two_legged=True)])
    app = await protected_site(router)
    assert (await call(app, sign(CLIENT, "GET", "/in/guarded"))).status == 400


async def test_a_guard_without_the_backend(caplog: pytest.LogCaptureFixture) -> None:
    """It refuses every request, signed or not, and the log names what is missing."""
    app = Litestar([guarded("photos.read")])
    listen(caplog)
    for message in (unsigned("GET", "/guarded"), sign(WIDE, "GET", "/guarded")):
        assert (await call(app, message)).status == 500
    assert "OAuth1Auth" in caplog.text


async def test_a_guard_of_an_excluded_route() -> None:
    """It refuses as well."""
    app = await protected_site(guarded("photos.read"), exclude=["/guarded"])
    assert (await call(app, sign(WIDE, "GET", "/guarded"))).status == 500


async def test_the_scope_is_checked_before_the_body() -> None:
    """A request without the scope is refused although nothing of its body has arrived, and its nonce is unused."""

    @post("/guarded", guards=[requires_oauth1("photos.write")])
    async def view() -> None:
        raise AssertionError

    app = await protected_site(view)
    body = b'{"a": 1}'
    message = sign(
        WIDE, "POST", "/guarded", body=body, content_type=b"application/json", oauth={"body_hash": body_hash(b"other")}
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    await app(scope_of(message), receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] in (401, 403)


@pytest.mark.parametrize("wrap", [True, False], ids=["in a guard of one's own", "behind OAuth1Middleware"])
async def test_a_guard_that_the_backend_does_not_know(wrap: bool) -> None:
    """It checks what was verified, and refuses with the same answer."""
    demanding: Callable[..., Any] = requires_oauth1("photos.read")

    async def own(connection: Any, handler: Any) -> None:
        await demanding(connection, handler)

    @get("/guarded", guards=[own if wrap else demanding])
    async def view() -> str:
        return "guarded"

    protector, _ = await make_protector()
    app: Any = Litestar([view], on_app_init=[OAuth1Auth(protector).on_app_init] if wrap else [])
    app = app if wrap else OAuth1Middleware(app, protector, ["/"])
    assert (await call(app, sign(WIDE, "GET", "/guarded"))).status == 200
    answer = await call(app, sign(JANE, "GET", "/guarded"))
    assert answer.status == 403
    assert answer.header("cache-control") == "no-store"
    if wrap:
        assert (answer.error, answer.header("content-type")) == ("insufficient_scope", "application/json")


async def test_a_body_that_must_be_hashed() -> None:
    """``body_hash_required`` of a guard."""

    @post("/guarded", guards=[requires_oauth1(body_hash_required=True)])
    async def view(request: Request[Any, Any, Any]) -> Any:
        return await request.json()

    app = await protected_site(view)
    body = b'{"a": 1}'
    how: dict[str, Any] = {"body": body, "content_type": b"application/json"}
    assert (await call(app, sign(JANE, "POST", "/guarded", **how))).status == 400
    hashed = sign(JANE, "POST", "/guarded", oauth={"body_hash": body_hash(body)}, **how)
    assert (await call(app, hashed)).json == {"a": 1}


async def test_refusals_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line for each."""
    app = await protected_site(guarded("photos.read"))
    caplog.set_level(logging.INFO, "async_oauth1")
    listen(caplog)
    await call(app, sign(JANE, "GET", "/guarded"))
    assert caplog.text.count("Refused") == 1
