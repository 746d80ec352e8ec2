"""Limits on protected routes, in every framework."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
import trio
from fastapi import FastAPI, Security
from litestar import Litestar, get
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from async_oauth1 import Client, Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, Retirement
from async_oauth1.fastapi import OAuth1
from async_oauth1.limits import Limits, Rates
from async_oauth1.litestar import OAuth1Auth
from async_oauth1.quart import AuthorizationServer as QuartServer
from async_oauth1.quart import ResourceProtector as QuartProtector
from async_oauth1.starlette import protected
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import Answer, call, scope_of

CLIENT = Keys(client_id="client", client_secret="secret")


def bare(protector: ResourceProtector) -> Any:
    """An ASGI application behind the middleware."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("photos")(scope, receive, send)

    return OAuth1Middleware(app, protector, prefixes=["/photos"], two_legged=True)


def starlette(protector: ResourceProtector) -> Any:
    """Starlette with a protected endpoint."""

    @protected(protector, two_legged=True)
    async def photos(request: Request) -> PlainTextResponse:
        return PlainTextResponse("photos")

    return Starlette(routes=[Route("/photos", photos)])


def fastapi(protector: ResourceProtector) -> Any:
    """FastAPI with a dependency."""
    app, oauth1 = FastAPI(), OAuth1(protector)
    oauth1.install(app)

    async def photos(client: Any) -> str:
        return "photos"

    photos.__annotations__["client"] = Annotated[Any, Security(oauth1.client)]
    app.get("/photos")(photos)
    return app


def litestar(protector: ResourceProtector) -> Any:
    """Litestar with the security backend."""

    @get("/photos")
    async def photos() -> str:
        return "photos"

    photos_handler: Any = photos
    return Litestar([photos_handler], on_app_init=[OAuth1Auth(protector, two_legged=True).on_app_init])


def quart(protector: Any) -> Any:
    """Quart with a decorated view."""
    app = Quart(__name__)
    protector.init_app(app)

    @app.route("/photos")
    @protector(two_legged=True)
    async def photos() -> str:
        return "photos"

    return app


FRAMEWORKS = [bare, starlette, fastapi, litestar, quart]


def protector_of(make: Any, store: MemoryStore, **options: Any) -> Any:
    """The protector that a framework needs."""
    protector: Any = QuartProtector(**options) if make is quart else ResourceProtector(**options)
    protector.register_hooks(store)
    return protector


async def fetch(app: Any, keys: Keys = CLIENT, **changes: Any) -> Answer:
    """Request a resource."""
    return await call(app, sign(keys, "GET", "/photos", content_type=None), **changes)


@pytest.mark.parametrize("make", FRAMEWORKS)
async def test_answers_say_what_is_left_and_then_429(make: Any, store: MemoryStore, clock: Clock) -> None:
    """The fields are in each answer of each framework once; beyond the limit the view does not run."""
    protector = protector_of(make, store)
    Limits(clock=clock, resource=Rates(per_client="2/minute")).limit(protector)
    app = make(protector)
    for left in (1, 0):
        answer = await fetch(app)
        assert answer.status == 200
        limits = [value for name, value in answer.headers if name == "ratelimit"]
        assert [value.split(";")[1] for value in limits] == [f"r={left}"]
        assert [value for name, value in answer.headers if name == "ratelimit-policy"] == [
            '"resource-client-60s";q=2;w=60'
        ]
    refused = await fetch(app)
    assert (refused.status, refused.json["error"]) == (429, "too_many_requests")
    values = [value for name, value in refused.headers if name == "ratelimit"]
    assert values == [f'"resource-client-60s";r=0;t={refused.header("retry-after")}']
    other = Keys(client_id="other", client_secret="secret")
    assert (await fetch(app, other)).status == 200


@pytest.mark.parametrize("make", FRAMEWORKS)
async def test_without_limits_no_field_is_added(make: Any, store: MemoryStore) -> None:
    """An answer is as it was."""
    answer = await fetch(make(protector_of(make, store)))
    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.startswith("ratelimit")]


@pytest.mark.parametrize("make", FRAMEWORKS)
async def test_an_address_is_limited_before_its_signature_is_read(make: Any, store: MemoryStore, clock: Clock) -> None:
    """A flood of forged requests is refused with 429."""
    protector = protector_of(make, store)
    Limits(clock=clock, resource=Rates(per_address="2/minute")).limit(protector)
    app = make(protector)
    forged = Keys(client_id="client", client_secret="guessed")
    assert [(await fetch(app, forged)).status for _ in range(4)] == [401, 401, 429, 429]
    assert (await fetch(app)).status == 429
    assert (await fetch(app, client=("203.0.113.8", 40_000))).status == 200


async def test_one_request_counts_once_however_many_layers_verify_it(store: MemoryStore, clock: Clock) -> None:
    """A middleware and a view with the same protector share one verification."""
    protector = protector_of(quart, store)
    Limits(clock=clock, resource=Rates(per_client="2/minute", per_address="2/minute")).limit(protector)
    app = OAuth1Middleware(quart(protector), protector, prefixes=["/photos"], two_legged=True)
    assert [(await fetch(app)).status for _ in range(3)] == [200, 200, 429]


async def test_a_refusal_announces_the_end_of_oauth1_too(store: MemoryStore, clock: Clock) -> None:
    """The fields of a retirement and of the limits stand beside each other."""
    retirement = Retirement(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC), "https://example.com/end"
    )
    protector = protector_of(bare, store, retirement=retirement)
    Limits(clock=clock, resource=Rates(per_client="1/minute")).limit(protector)
    app = bare(protector)
    answers = [await fetch(app), await fetch(app)]
    assert [answer.status for answer in answers] == [200, 429]
    for answer in answers:
        assert {"deprecation", "sunset", "ratelimit", "ratelimit-policy"} <= {name for name, _ in answer.headers}


async def test_the_endpoints_of_quart_have_the_fields(store: MemoryStore, clock: Clock) -> None:
    """Accepted requests for credentials say what is left, and refused ones have each field once."""
    app, server = Quart(__name__), QuartServer()
    server.init_app(app)
    server.register_hooks(store)
    app.post("/initiate")(server.create_temporary_credentials_response)
    Limits(clock=clock, temporary_credentials=Rates(per_client="1/minute")).limit(server)
    for status in (200, 429):
        answer = await call(app, sign(CLIENT, "POST", "/initiate", oauth={"callback": "oob"}))
        fields = [name for name, _ in answer.headers if name.startswith("ratelimit")]
        assert (answer.status, sorted(fields)) == (status, ["ratelimit", "ratelimit-policy"])


async def test_the_address_behind_a_trusted_proxy_counts(store: MemoryStore, clock: Clock) -> None:
    """What a client writes itself into X-Forwarded-For does not give it another counter."""
    protector = protector_of(bare, store, policy=Policy(trusted_proxies=("10.0.0.0/8",)))
    Limits(clock=clock, resource=Rates(per_address="1/minute")).limit(protector)
    app = bare(protector)

    async def through(*fields: tuple[bytes, bytes], peer: str = "10.0.0.1") -> int:
        message = sign(CLIENT, "GET", "/photos", content_type=None, headers=fields)
        return (await call(app, message, client=(peer, 40_000))).status

    assert await through((b"x-forwarded-for", b"6.6.6.6, 198.51.100.1")) == 200
    assert await through((b"x-forwarded-for", b"7.7.7.7, 198.51.100.1")) == 429
    assert await through((b"forwarded", b'for=198.51.100.1;proto=https, for="[2001:db8::1]"')) == 200
    assert await through((b"forwarded", b"for=8.8.8.8, for=198.51.100.1")) == 429
    assert await through((b"x-forwarded-for", b"198.51.100.2")) == 200
    assert await through((b"x-forwarded-for", b"198.51.100.3"), peer="203.0.113.9") == 200, "not a proxy"
    assert await through((b"x-forwarded-for", b"198.51.100.4"), peer="203.0.113.9") == 429
    contradicting = (b"x-forwarded-for", b"198.51.100.5"), (b"forwarded", b"for=198.51.100.6")
    assert await through(*contradicting) == 200
    contradicting = (b"x-forwarded-for", b"198.51.100.7"), (b"forwarded", b"for=198.51.100.8")
    assert await through(*contradicting) == 429, "they count for the proxy's address"


def test_limits_in_memory_work_under_trio(clock: Clock) -> None:
    """Counting in memory needs no event loop of asyncio."""

    async def run() -> list[int]:
        store = MemoryStore()
        await store.add_client(Client(client_id="client", client_secret="secret"))
        protector = protector_of(bare, store)
        Limits(clock=clock, resource=Rates(per_client="1/minute", per_address="9/minute")).limit(protector)
        statuses: list[int] = []

        async def send(message: Any) -> None:
            statuses.extend([message["status"]] if "status" in message else [])

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        for _ in range(2):
            message = sign(CLIENT, "GET", "/photos", content_type=None)
            await bare(protector)(scope_of(message), receive, send)
        return statuses

    assert trio.run(run) == [200, 429]
