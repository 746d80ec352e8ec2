"""Middleware around the dependency: what it does to bodies, scopes and contexts changes nothing of what is verified."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Request, Security
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from async_oauth1 import TokenCredential
from async_oauth1.fastapi import current_credential
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import call
from tests.fastapi.installed import Installed, install

LONG = b"a=" + b"x" * 5_000


def add_routes(made: Installed) -> Installed:
    """Add a form, and a body that the endpoint receives."""

    @made.app.post("/form")
    def form(credential: Annotated[TokenCredential, Security(made.oauth1)], a: Annotated[str, Form()] = "") -> Any:
        return [a, credential.user_id, current_credential.user_id]

    @made.app.post("/stream")
    async def stream(credential: Annotated[TokenCredential, Security(made.oauth1)], request: Request) -> Any:
        return [(await request.body()).decode(), credential.user_id, current_credential.user_id]

    return made


async def passes(request: Request, call_next: Any) -> Any:
    """Only calls the application."""
    return await call_next(request)


async def reads_body(request: Request, call_next: Any) -> Any:
    """Reads the body, which Starlette gives to the application once more."""
    await request.body()
    return await call_next(request)


async def reads_form(request: Request, call_next: Any) -> Any:
    """Reads the form, which the application then finds empty."""
    await request.form()
    return await call_next(request)


async def looks_at_the_route(request: Request, call_next: Any) -> Any:
    """Looks for the route in the scope afterwards, as middleware for metrics does."""
    response = await call_next(request)
    response.headers["x-route"] = request.scope["route"].path
    return response


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("dispatch", [passes, reads_body, looks_at_the_route])
async def test_middleware_that_keeps_the_body(dispatch: Any, order: str) -> None:
    """It may be added before `install` or after it."""
    app = FastAPI()
    if order == "before":
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    add_routes(await install(app=app))
    if order == "after":
        app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    pieces = [LONG[:10], LONG[10:]]
    answer = await call(app, sign(JANE, "POST", "/form", body=LONG), pieces=pieces)
    assert answer.json == [LONG[2:].decode(), "jane", "jane"]
    assert answer.header("x-route") == ("/form" if dispatch is looks_at_the_route else None)
    oauth = {"body_hash": body_hash(LONG)}
    hashed = sign(JANE, "POST", "/stream", body=LONG, content_type=b"text/plain", oauth=oauth)
    assert (await call(app, hashed, pieces=pieces)).json == [LONG.decode(), "jane", "jane"]
    assert (await call(app, sign(JANE, "POST", "/form", body=LONG, signed_body=b"a=x"))).status == 401
    assert not current_credential


def chunked(message: Message) -> Message:
    """The message with a body whose length is not announced."""
    return message.without(b"content-length").adding((b"transfer-encoding", b"chunked"))


@pytest.mark.parametrize("target", ["/form", "/stream"])
async def test_a_form_that_middleware_has_read(target: str) -> None:
    """It is a 400, chunked or not, although a signature over an empty form would hold for what is left."""
    app = FastAPI()
    app.add_middleware(BaseHTTPMiddleware, dispatch=reads_form)
    made = add_routes(await install(app=app))
    for signed in (b"", LONG):
        message = sign(JANE, "POST", target, body=LONG, signed_body=signed)
        assert (await call(app, message)).status == 400
        message = sign(JANE, "POST", target, body=LONG, signed_body=signed)
        assert (await call(app, chunked(message))).status == 400
    assert not made.nonces
    intact = add_routes(await install())
    assert (await call(intact.app, chunked(sign(JANE, "POST", target, body=LONG)))).status == 200


async def test_cors_in_front() -> None:
    """A preflight needs no signature, and a refusal has the headers of CORS."""
    made = add_routes(await install())
    made.app.add_middleware(CORSMiddleware, allow_origins=["https://page.example"], allow_methods=["POST"])
    origin = (b"origin", b"https://page.example")
    asked = (b"access-control-request-method", b"POST")
    preflight = Message(method="OPTIONS", target=b"/form", headers=((b"host", b"provider.example"), origin, asked))
    assert (await call(made.app, preflight)).status == 200
    refused = await call(made.app, sign(JANE, "POST", "/form", body=b"a=1", signature=b"x").adding(origin))
    assert (refused.status, refused.header("access-control-allow-origin")) == (401, "https://page.example")


async def test_compression_in_front() -> None:
    """Answers and refusals are compressed as any other."""
    made = add_routes(await install())
    made.app.add_middleware(GZipMiddleware, minimum_size=10)
    accept = (b"accept-encoding", b"gzip")
    answer = await call(made.app, sign(JANE, "POST", "/form", body=LONG).adding(accept))
    assert (answer.status, answer.header("content-encoding")) == (200, "gzip")
    refused = await call(made.app, sign(JANE, "POST", "/form", body=LONG, signature=b"x").adding(accept))
    assert (refused.status, refused.header("content-encoding")) == (401, "gzip")


async def test_targets_and_hosts() -> None:
    """A target in absolute-form is routed by its path; one for another host, or without one, is refused."""
    made = add_routes(await install())
    message = sign(JANE, "POST", "/form", body=b"a=1")
    absolute = {"path": "https://provider.example/form", "raw_path": b"https://provider.example/form"}
    assert (await call(made.app, message, **absolute)).json == ["1", "jane", "jane"]
    other = {"path": "https://other.example/form", "raw_path": b"https://other.example/form"}
    assert (await call(made.app, sign(JANE, "POST", "/form", body=b"a=1"), **other)).status == 421
    assert (await call(made.app, sign(JANE, "POST", "/form"), path="form", raw_path=b"form")).status == 400
    lower = sign(JANE, "POST", "/form", body=b"a=1")
    assert (await call(made.app, lower, method="post")).status == 200
