"""The outcome service in the frameworks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import defusedxml.ElementTree as Xml
import flask
import httpx
import pytest
from litestar import Litestar, Request, Response, post
from quart import Quart
from quart import request as quart_request
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from async_oauth1 import run_sync
from async_oauth1.lti.signing import sign_body

from .service import KEY, NAMESPACE, SECRET, Gradebook, envelope

URL = "http://127.0.0.1/outcomes?a=b%20c"


def quart_app(book: Gradebook) -> Any:
    """Quart."""
    app = Quart(__name__)

    @app.post("/outcomes")
    async def grade() -> Any:
        answer = await book.service.respond(quart_request)
        return answer.body, answer.status_code, answer.headers

    return app


def starlette_app(book: Gradebook) -> Any:
    """Starlette; FastAPI's requests are the same."""

    async def grade(request: StarletteRequest) -> StarletteResponse:
        answer = await book.service.respond(request)
        return StarletteResponse(answer.body, answer.status_code, dict(answer.headers))

    return Starlette(routes=[Route("/outcomes", grade, methods=["POST"])])


def litestar_app(book: Gradebook) -> Any:
    """Litestar."""

    @post("/outcomes", status_code=200)
    async def grade(request: Request[Any, Any, Any]) -> Response[str]:
        answer = await book.service.respond(request)
        return Response(answer.body, status_code=answer.status_code, headers=dict(answer.headers))

    return Litestar([grade])


def signed(body: bytes) -> dict[str, str]:
    """The headers of a request."""
    return {"Content-Type": "application/xml", "Authorization": sign_body(URL, body, KEY, SECRET)}


def code(content: bytes) -> str | None:
    """What an answer says."""
    text: str | None = Xml.fromstring(content).findtext(f".//{{{NAMESPACE}}}imsx_codeMajor")
    return text


@pytest.mark.parametrize("make", [quart_app, starlette_app, litestar_app])
async def test_asgi(make: Any) -> None:
    """A grade is stored; of a body that is too large, no more is read than it takes to see that."""
    book = Gradebook()
    body, taken = envelope().encode(), 0
    transport = httpx.ASGITransport(make(book), client=("127.0.0.1", 1))

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for taken in range(1, 9):  # noqa: B007 - counted
            yield b" " * 20_000

    async with httpx.AsyncClient(transport=transport) as client:
        stored = await client.post(URL, content=body, headers=signed(body))
        huge = await client.post(URL, content=b" " * 70_000, headers=signed(b" " * 70_000))
        chunked = await client.post(URL, content=endless(), headers=signed(b""))
    assert (stored.status_code, code(stored.content)) == (200, "success")
    assert (huge.status_code, code(huge.content)) == (400, "failure")
    assert (chunked.status_code, code(chunked.content)) == (400, "failure")
    assert book.calls == [("replace", KEY, "grade-1", 0.92)]
    assert make is not starlette_app or taken == 4


def test_flask() -> None:
    """Flask needs no event loop."""
    book, app = Gradebook(), flask.Flask(__name__)

    @app.post("/outcomes")
    def grade() -> Any:
        answer = run_sync(book.service.respond(flask.request))
        return answer.body, answer.status_code, answer.headers

    body = envelope().encode()
    client = app.test_client()
    options: Any = {"base_url": "http://127.0.0.1", "headers": signed(body)}
    stored = client.post("/outcomes?a=b%20c", data=body, **options)
    copied = client.post("/outcomes?a=b%20c", data=body, **options)
    assert (stored.status_code, code(stored.data)) == (200, "success")
    assert (copied.status_code, code(copied.data)) == (401, "failure")
    assert copied.headers["Content-Type"] == "application/xml"


async def test_a_client_that_leaves() -> None:
    """A body that does not arrive is no grade."""
    book = Gradebook()
    sent: list[Any] = []
    body = envelope().encode()
    fields = [(name.lower().encode(), value.encode()) for name, value in signed(body).items()]
    messages: asyncio.Queue[Any] = asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": body[:10], "more_body": True})
    messages.put_nowait({"type": "http.disconnect"})
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/outcomes",
        "raw_path": b"/outcomes", "query_string": b"a=b%20c", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "headers": [(b"host", b"127.0.0.1"), *fields],
    }  # fmt: skip

    async def send(message: Any) -> None:
        sent.append(message)

    await starlette_app(book)(scope, messages.get, send)
    assert sent[0]["status"] == 401
    assert book.calls == []
