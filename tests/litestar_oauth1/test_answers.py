"""On Litestar, requests are accepted and refused as on Quart, before the handler runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar, Request, Response, Router, get
from quart import Quart

import async_oauth1.quart
from async_oauth1 import Client, OAuth1Error, Policy, TokenCredential
from async_oauth1.errors import InvalidSignatureError, StoreUnavailableError
from async_oauth1.litestar import OAuth1Auth
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, sign
from tests.attacks.wire import Answer, call

from .site import anything, make_protector, photos, protected_site, unsigned


async def on_quart(message: Message) -> Answer:
    """What Quart answers at the same path."""
    app = Quart("same")
    require_oauth = async_oauth1.quart.ResourceProtector(app)
    require_oauth.register_hooks(await make_store())

    @app.get("/photos")
    @require_oauth()
    async def view() -> dict[str, str]:
        return {}

    return await call(app, message)


async def test_a_signed_request() -> None:
    """The handler sees user, credential and client, in a thread too."""
    answer = await call(await protected_site(), sign(JANE, "GET", "/photos"))
    assert answer.json == {"identity": "jane", "auth": "tok", "client": "client", "token": "tok"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: unsigned("GET", "/photos"),
        lambda: sign(JANE, "GET", "/photos", signature=b"x"),
        lambda: sign(replace(JANE, token="unknown"), "GET", "/photos"),
        lambda: sign(CLIENT, "GET", "/photos"),
        lambda: sign(JANE, "GET", "/photos", oauth={"nonce": None}),
        lambda: sign(JANE, "GET", "/photos", oauth={"timestamp": "17"}),
    ],
    ids=["unsigned", "forged", "unknown token", "two-legged", "no nonce", "old"],
)
async def test_a_refusal(make: Callable[[], Message]) -> None:
    """Its status, body and headers are those of Quart."""
    message = make()
    answer, expected = await call(await protected_site(), message), await on_quart(message)
    names = ("content-type", "cache-control", "pragma", "www-authenticate")
    assert answer.status == expected.status
    assert [answer.header(name) for name in names] == [expected.header(name) for name in names]
    if "timestamp" not in answer.body.decode():  # the server's time is in it
        assert answer.body == expected.body


async def test_a_replay() -> None:
    """The second use of a nonce is refused."""
    app, message = await protected_site(), sign(JANE, "GET", "/photos")
    assert [(await call(app, message)).status for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_every_method(method: str) -> None:
    """Each needs a signature over itself, OPTIONS too, although Litestar answers it."""
    app = await protected_site()
    assert (await call(app, unsigned(method, "/any"))).status == 401
    assert (await call(app, sign(JANE, method, "/any", signed_method="TRACE"))).status == 401
    assert (await call(app, sign(JANE, method, "/any"))).status in (200, 204)


async def test_what_litestar_does_not_route() -> None:
    """Its 404, and its 405 for HEAD beside GET, stay."""
    app = await protected_site()
    assert (await call(app, unsigned("GET", "/nowhere"))).status == 404
    assert (await call(app, unsigned("HEAD", "/photos"))).status == 405


async def test_a_store_that_is_down() -> None:
    """It is a 503 with Retry-After."""
    protector, _ = await make_protector()

    async def fail(*_: Any) -> bool:
        raise StoreUnavailableError()

    protector.register_hook("exists_nonce", fail)
    app = Litestar([photos], on_app_init=[OAuth1Auth(protector).on_app_init])
    answer = await call(app, sign(JANE, "GET", "/photos"))
    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert answer.header("retry-after")


async def test_a_router() -> None:
    """The middleware of a router protects its routes, OPTIONS too, and no others."""
    protector, _ = await make_protector()
    router = Router("/in", route_handlers=[photos], middleware=[OAuth1Auth(protector).middleware])
    app = Litestar([router, anything])
    assert (await call(app, unsigned("OPTIONS", "/in/photos"))).status == 401
    assert (await call(app, unsigned("GET", "/any"))).status == 200
    assert (await call(app, sign(JANE, "GET", "/in/photos"))).status == 200


async def test_an_exception_handler_of_the_application() -> None:
    """It comes first, for the nearest class."""

    def own(_: Request[Any, Any, Any], error: OAuth1Error) -> Response[str]:
        return Response(f"own {error.error}", status_code=418)

    protector, _ = await make_protector()
    auth = OAuth1Auth(protector)
    app = Litestar([photos], on_app_init=[auth.on_app_init], exception_handlers={InvalidSignatureError: own})
    answer = await call(app, sign(JANE, "GET", "/photos", signature=b"x"))
    assert (answer.status, answer.body) == (418, b"own invalid_signature")
    assert (await call(app, unsigned("GET", "/photos"))).error == "unsigned_request"


async def test_an_error_that_a_handler_raises() -> None:
    """It is answered like a refusal: the consent step of an authorization server raises such errors."""

    @get("/raising")
    async def raising() -> None:
        raise StoreUnavailableError()

    answer = await call(await protected_site(raising), sign(JANE, "GET", "/raising"))
    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize("is_async", [True, False])
async def test_retrieve_user_handler(is_async: bool) -> None:
    """It gets the credential or the client, and the connection; its user is ``request.user``; ``None`` is a 401."""
    seen: list[Any] = []

    def load(holder: TokenCredential | Client, connection: Any) -> Any:
        seen.append((holder, connection.url.path))
        return {"jane": "Jane"}.get(getattr(holder, "user_id", ""))

    async def load_later(holder: TokenCredential | Client, connection: Any) -> Any:
        return load(holder, connection)

    @get("/who")
    async def who(request: Request[str, TokenCredential, Any]) -> str:
        return f"{request.user} {request.auth.oauth_token}"

    app = await protected_site(who, retrieve_user_handler=load_later if is_async else load, two_legged=True)
    assert (await call(app, sign(JANE, "GET", "/who"))).body == b"Jane tok"
    answer = await call(app, sign(CLIENT, "GET", "/who"))
    assert (answer.status, answer.error) == (401, "invalid_client")
    assert [type(holder) for holder, _ in seen] == [TokenCredential, Client]
    assert {path for _, path in seen} == {"/who"}


async def test_a_method_in_lower_case() -> None:
    """Litestar does not route it, signed or not."""
    assert (await call(await protected_site(), sign(JANE, "get", "/photos"))).status == 405


async def test_the_policy_counts() -> None:
    """For example the realm."""
    answer = await call(await protected_site(policy=Policy(realm="photos")), unsigned("GET", "/photos"))
    assert answer.header("www-authenticate") == 'OAuth realm="photos"'
