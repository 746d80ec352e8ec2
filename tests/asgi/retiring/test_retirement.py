"""A protector with a `Retirement`: header fields on every answer, brown-outs, and the uses of clients."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, Retirement
from async_oauth1.quart import ResourceProtector as QuartProtector
from async_oauth1.starlette import protected
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import Answer, call

from .frameworks import (
    fastapi,
    fastapi_with_own_answers,
    litestar,
    litestar_with_own_answers,
    starlette_with_own_answers,
)
from .test_bearer_or_oauth import LookUp, bearer

HOUR = timedelta(hours=1)
UNSIGNED = Message(method="GET", target=b"/photos", headers=((b"host", b"provider.example"),))


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        """Start now, since signers take the time of the machine."""
        self.now = float(int(time.time()))

    def __call__(self) -> float:
        return self.now

    @property
    def date(self) -> datetime:
        """The time as a datetime."""
        return datetime.fromtimestamp(self.now, UTC)


def make_retirement(clock: Clock, **changes: Any) -> Retirement:
    """A retirement with a brown-out that begins in a minute and lasts for one."""
    begins = clock.date + timedelta(minutes=1)
    given: dict[str, Any] = {
        "deprecated_at": clock.date - HOUR,
        "sunset_at": clock.date + 1000 * HOUR,
        "link": "https://provider.example/end",
        "brownouts": [(begins, begins + timedelta(minutes=1))],
        "text": 'Use OAuth 2: "see the page".',
        **changes,
    }
    return Retirement(**given)


async def photos(request: Request) -> JSONResponse:
    """A view."""
    return JSONResponse({"body": (await request.body()).decode()})


async def behind_middleware(clock: Clock, retirement: Retirement) -> Any:
    """Starlette behind the middleware."""
    protector = ResourceProtector(clock=clock, retirement=retirement)
    protector.register_hooks(await make_store())
    app = Starlette(routes=[Route("/photos", photos, methods=["GET", "POST"])])
    return OAuth1Middleware(app, protector, ["/"], two_legged=True, query_bearer=LookUp(), early=True)


async def with_decorator(clock: Clock, retirement: Retirement) -> Any:
    """Starlette's decorator."""
    protector = ResourceProtector(clock=clock, retirement=retirement)
    protector.register_hooks(await make_store())
    decorate = protected(protector, two_legged=True, query_bearer=LookUp())
    return Starlette(routes=[Route("/photos", decorate(photos), methods=["GET", "POST"])])


async def on_quart(clock: Clock, retirement: Retirement) -> Any:
    """A Quart application."""
    app = Quart("retiring")
    protector = QuartProtector(app, clock=clock, retirement=retirement)
    protector.register_hooks(await make_store())

    @app.route("/photos", methods=["GET", "POST"])
    @protector(two_legged=True, query_bearer=LookUp())
    async def view() -> dict[str, str]:
        return {}

    return app


async def quart_behind_middleware(clock: Clock, retirement: Retirement) -> Any:
    """Both, with one protector."""
    app = await on_quart(clock, retirement)
    return OAuth1Middleware(app, app.extensions["async_oauth1"][0], ["/"], two_legged=True, query_bearer=LookUp())


async def on_fastapi(clock: Clock, retirement: Retirement) -> Any:
    """A FastAPI application."""
    return await fastapi(retirement, clock=clock)


async def on_litestar(clock: Clock, retirement: Retirement) -> Any:
    """A Litestar application."""
    return await litestar(retirement, clock=clock)


EVERYWHERE = pytest.mark.parametrize(
    "make", [behind_middleware, with_decorator, on_quart, quart_behind_middleware, on_fastapi, on_litestar]
)


def announced(answer: Answer) -> list[tuple[str, str]]:
    """The header fields that announce the end, in the order of the answer."""
    return [(name, value) for name, value in answer.headers if name in ("deprecation", "sunset", "link")]


@EVERYWHERE
async def test_every_answer_announces_the_end_once(make: Any) -> None:
    """Accepted and refused, signed and unsigned, read and malformed; but not for a bearer token."""
    clock = Clock()
    retirement = make_retirement(clock)
    app = await make(clock, retirement)
    expected = [(name.lower(), value) for name, value in retirement.headers]
    assert len(expected) == 4
    malformed = sign(JANE, "GET", "/photos?oauth_token=t")
    cases = [
        (sign(JANE, "GET", "/photos"), 200),
        (sign(CLIENT, "GET", "/photos"), 400 if make is on_fastapi else 200),  # its route wants a token
        (sign(JANE, "GET", "/photos", signature=b"x"), 401),
        (UNSIGNED, 401),
        (malformed, 400),
    ]
    for message, status in cases:
        answer = await call(app, message)
        assert (answer.status, announced(answer)) == (status, expected)
    for message, status in ((bearer(), 200), (bearer(b"Bearer bad"), 401)):
        answer = await call(app, message)
        assert (answer.status, announced(answer)) == (status, [])


@EVERYWHERE
async def test_a_brownout_refuses_oauth_alone(make: Any) -> None:
    """410 with the text, whatever the request; nothing is used up, so that the same request may be sent afterwards."""
    clock = Clock()
    retirement = make_retirement(clock)
    app = await make(clock, retirement)
    later = sign(JANE, "GET", "/photos")
    clock.now += 60
    malformed = sign(JANE, "GET", "/photos?oauth_token=t")
    for message in (later, sign(JANE, "GET", "/photos", signature=b"x"), UNSIGNED, malformed):
        answer = await call(app, message)
        assert answer.status == 410
        assert answer.json == {"error": "retired", "error_description": retirement.text}
        assert announced(answer)
        assert answer.header("www-authenticate") is None
    assert (await call(app, bearer())).status == 200
    clock.now += 60
    assert (await call(app, later)).status == 200


async def test_a_body_that_is_delivered_early() -> None:
    """Its answers announce the end, too, whether the hash holds or not."""
    clock = Clock()
    app = await behind_middleware(clock, make_retirement(clock))
    for sent, status in ((b"{}", 200), (b"[]", 401)):
        message = sign(
            JANE, "POST", "/photos", body=sent, content_type=b"application/json", oauth={"body_hash": body_hash(b"{}")}
        )
        answer = await call(app, message)
        assert answer.status == status
        assert len(announced(answer)) == 4


@pytest.mark.parametrize("make", [starlette_with_own_answers, fastapi_with_own_answers, litestar_with_own_answers])
async def test_an_application_that_answers_itself(make: Any) -> None:
    """Its own answer to a refused request announces the end, too."""
    retirement = make_retirement(Clock())
    answer = await call(await make(retirement), sign(JANE, "GET", "/photos", signature=b"x"))
    assert (answer.status, answer.body) == (418, b"own")
    assert announced(answer) == [(name.lower(), value) for name, value in retirement.headers]


async def test_what_the_application_says_stays() -> None:
    """Its own Deprecation is kept, and is the only one."""

    async def view(request: Request) -> JSONResponse:
        return JSONResponse({}, headers={"Deprecation": "@1", "Link": '</next>; rel="next"'})

    protector = ResourceProtector(retirement=make_retirement(Clock()))
    protector.register_hooks(await make_store())
    app = OAuth1Middleware(Starlette(routes=[Route("/photos", view)]), protector, ["/"])
    found = announced(await call(app, sign(JANE, "GET", "/photos")))
    assert [name for name, _ in found] == ["deprecation", "link", "sunset", "link", "link"]
    assert found[0] == ("deprecation", "@1")


class Usage:
    """Keeps the uses that it is told."""

    def __init__(self) -> None:
        """Start without any."""
        self.told: list[tuple[str, datetime]] = []
        self.fails = False

    async def __call__(self, client_id: str, when: datetime) -> None:
        """Keep one."""
        await asyncio.sleep(0)
        if self.fails:
            raise ConnectionError("the database is down")
        self.told.append((client_id, when))


async def settle() -> None:
    """Let the tasks run that tell uses."""
    for _ in range(5):
        await asyncio.sleep(0)


@EVERYWHERE
async def test_uses_are_told_once_a_minute(make: Any) -> None:
    """Of verified requests alone, with the client and the time."""
    clock, usage = Clock(), Usage()
    app = await make(clock, make_retirement(clock, usage=usage, brownouts=[]))
    started = clock.date
    for message in (
        sign(replace(CLIENT, client_secret="wrong"), "GET", "/photos"),
        bearer(),
        sign(JANE, "GET", "/photos"),
        sign(JANE, "GET", "/photos"),
    ):
        await call(app, message)
        await settle()
    assert usage.told == [("client", started)]
    clock.now += 60
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 200
    await settle()
    assert usage.told == [("client", started), ("client", started + timedelta(minutes=1))]


async def test_a_hook_that_fails_affects_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next use is told."""
    clock, usage = Clock(), Usage()
    usage.fails = True
    app = await behind_middleware(clock, make_retirement(clock, usage=usage))
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 200
    await settle()
    assert "The hook usage failed for client 'client'" in caplog.text
    usage.fails = False
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 200
    await settle()
    assert len(usage.told) == 1


async def test_a_hook_that_hangs_delays_no_request() -> None:
    """The answer is sent while the hook waits."""
    done, told = asyncio.Event(), list[str]()

    async def usage(client_id: str, when: datetime) -> None:
        await done.wait()
        told.append(client_id)

    clock = Clock()
    app = await behind_middleware(clock, make_retirement(clock, usage=usage))
    assert (await call(app, sign(JANE, "GET", "/photos"))).status == 200
    assert told == []
    done.set()
    await settle()
    assert told == ["client"]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("make", [behind_middleware, on_quart])
async def test_over_a_server(make: Any, server: str) -> None:
    """The fields arrive on the wire, in an answer that is not signed and in one that is refused for good."""
    clock = Clock()
    retirement = make_retirement(clock)
    async with serving(await make(clock, retirement), server) as port, httpx.AsyncClient() as client:
        url, origin = f"http://127.0.0.1:{port}/photos", f"http://127.0.0.1:{port}"
        signed = sign(JANE, "GET", "/photos", origin=origin)
        headers = [(name.decode(), value.decode()) for name, value in signed.headers]
        answer = await client.get(url, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["deprecation"] == f"@{int(retirement.deprecated_at.timestamp())}"
        assert len(answer.headers.get_list("link")) == 2
        clock.now += 60
        assert (await client.get(url)).status_code == 410
