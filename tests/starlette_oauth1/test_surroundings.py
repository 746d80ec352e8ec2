"""Protected routes between Starlette's own parts: other middleware, mounts, redirects, CORS and root paths."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from async_oauth1 import ResourceProtector
from async_oauth1.starlette import OAuth1Middleware, current_credential, protected
from tests.asgi.test_cors import HOST, ORIGIN, PAGE, PREFLIGHT
from tests.attacks.provider import JANE, Recording
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import call

FORM = b"a=1&b=%C3%BC"


async def fields(request: Request) -> Response:
    """The form, and the user of a helper that is given nothing."""
    form = await request.form()
    return JSONResponse({"form": form.multi_items(), "user": current_credential.get_user_id()})


async def passing(request: Request, call_next: Any) -> Any:
    """Middleware that handles the request in another task."""
    return await call_next(request)


async def reading_form(request: Request, call_next: Any) -> Any:
    """Middleware that reads a form."""
    await request.form()
    return await call_next(request)


async def reading_body(request: Request, call_next: Any) -> Any:
    """Middleware that reads a body, which Starlette then gives to the application as well."""
    await request.body()
    return await call_next(request)


def by_decorator(protector: ResourceProtector, *middleware: Any) -> Any:
    """A protected endpoint behind middleware."""
    route = Route("/", protected(protector)(fields), methods=["POST", "PUT"])
    return Starlette(routes=[route], middleware=[Middleware(BaseHTTPMiddleware, dispatch=each) for each in middleware])


def by_middleware(protector: ResourceProtector, *middleware: Any) -> Any:
    """`OAuth1Middleware` behind middleware."""
    layers = [Middleware(BaseHTTPMiddleware, dispatch=each) for each in middleware]
    ours = Middleware(OAuth1Middleware, protector=protector, prefixes=["/"])
    return Starlette(routes=[Route("/", fields, methods=["POST", "PUT"])], middleware=[*layers, ours])


WAYS = pytest.mark.parametrize("make", [by_decorator, by_middleware])
EXPECTED = {"form": [["a", "1"], ["b", "ü"]], "user": "jane"}


@WAYS
@pytest.mark.parametrize("other", [passing, reading_body])
async def test_behind_middleware_that_keeps_the_body(protector: ResourceProtector, make: Any, other: Any) -> None:
    """The form is verified, and the endpoint gets it."""
    app = make(protector, other)
    assert (await call(app, sign(JANE, "POST", "/", body=FORM))).json == EXPECTED
    assert (await call(app, sign(JANE, "POST", "/", body=FORM, signed_body=b"a=2"))).status == 401


@WAYS
@pytest.mark.parametrize("signed_body", [b"", FORM])
async def test_behind_middleware_that_reads_the_form(
    protector: ResourceProtector, store: Recording, make: Any, signed_body: bytes
) -> None:
    """What is left is empty, and not taken for an empty form: 400, whatever is signed, and no nonce is used."""
    app = make(protector, reading_form)
    answer = await call(app, sign(JANE, "POST", "/", body=FORM, signed_body=signed_body))
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "another middleware" in answer.json["error_description"]
    assert store.calls["exists_nonce"] == 0


async def test_in_front_of_other_middleware(protector: ResourceProtector) -> None:
    """Middleware behind ours may read the form: it sees what was verified."""
    app = OAuth1Middleware(by_decorator(protector, passing, reading_body), protector, ["/"])
    assert (await call(app, sign(JANE, "POST", "/", body=FORM))).json == EXPECTED


async def test_a_redirect_is_not_followed_for_the_client(protector: ResourceProtector) -> None:
    """Starlette sends ``/x`` to ``/x/``; the client signs the address that it is sent to."""
    app = Starlette(
        routes=[Mount("/x", routes=[Route("/", fields)])],
        middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/x"])],
    )
    unsigned = Message(method="GET", target=b"/x", headers=(HOST,))
    assert (await call(app, unsigned)).status == 401
    message = sign(JANE, "GET", "/x")
    answer = await call(app, message)
    assert (answer.status, answer.header("location")) == (307, "https://provider.example/x/")
    assert (await call(app, sign(JANE, "GET", "/x/", signed_target="/x"))).status == 401
    assert (await call(app, sign(JANE, "GET", "/x/"))).json == {"form": [], "user": "jane"}


@pytest.mark.parametrize(("target", "root_path"), [("/api/in/photos", "/api"), ("/in/photos", "")])
async def test_mounts_below_a_root_path(protector: ResourceProtector, target: str, root_path: str) -> None:
    """The path on the wire is signed, whatever mounts and the server's root path do to it."""
    routes = [Mount("/in", routes=[Route("/photos", protected(protector)(fields))])]
    app = Starlette(routes=routes, middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/in"])])
    assert (
        await call(app, Message(method="GET", target=target.encode(), headers=(HOST,)), root_path=root_path)
    ).status == 401
    assert (await call(app, sign(JANE, "GET", target), root_path=root_path)).json["user"] == "jane"


async def test_cors_middleware_outermost(protector: ResourceProtector) -> None:
    """It answers preflights, and a refusal has its headers."""
    app = Starlette(
        routes=[Route("/", fields)],
        middleware=[
            Middleware(CORSMiddleware, allow_origins=[PAGE.decode()], allow_headers=["authorization"]),
            Middleware(OAuth1Middleware, protector=protector, prefixes=["/"]),
        ],
    )
    assert (await call(app, Message(method="OPTIONS", target=b"/", headers=PREFLIGHT))).status == 200
    answer = await call(app, Message(method="GET", target=b"/", headers=(HOST, ORIGIN)))
    assert (answer.status, answer.header("access-control-allow-origin")) == (401, PAGE.decode())
    assert (await call(app, sign(JANE, "GET", "/", headers=[ORIGIN]))).status == 200


async def test_cors_preflights_through_ours(protector: ResourceProtector) -> None:
    """With ``cors_preflight=True`` they reach CORS middleware behind ours; other OPTIONS requests do not."""
    for allowed in (False, True):
        app = OAuth1Middleware(
            CORSMiddleware(
                Starlette(routes=[Route("/", fields)]), allow_origins=["*"], allow_headers=["authorization"]
            ),
            protector,
            ["/"],
            cors_preflight=allowed,
        )
        answer = await call(app, Message(method="OPTIONS", target=b"/", headers=PREFLIGHT))
        assert answer.status == (200 if allowed else 401)
        assert (await call(app, Message(method="OPTIONS", target=b"/", headers=(HOST, ORIGIN)))).status == 401


@WAYS
async def test_a_hashed_body_behind_middleware(protector: ResourceProtector, make: Any) -> None:
    """Middleware that reads the body hands it on, and its hash holds."""
    app = make(protector, reading_body)
    body = {"body": b"text", "content_type": b"text/plain"}
    assert (await call(app, sign(JANE, "PUT", "/", oauth={"body_hash": body_hash(b"text")}, **body))).status == 200
    assert (await call(app, sign(JANE, "PUT", "/", oauth={"body_hash": body_hash(b"x")}, **body))).status == 401
