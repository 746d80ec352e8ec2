"""Refusals look as on Quart, and an application's own handlers come first."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

import time
from dataclasses import replace
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, HTTPException, Request, Security, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from async_oauth1 import Policy, TokenCredential
from async_oauth1.errors import InvalidSignatureError, StoreUnavailableError
from async_oauth1.fastapi import OAuth1HTTPError
from tests.asgi.test_websockets import ACCEPTED, Connection
from tests.attacks.provider import JANE, make_provider
from tests.attacks.signer import sign
from tests.attacks.wire import call
from tests.fastapi.installed import Installed, install, make_store, protect


def add_routes(made: Installed) -> Installed:
    """Add a route for requests, and one for WebSockets."""

    @made.app.api_route("/echo", methods=["GET", "POST"])
    async def echo(credential: Annotated[TokenCredential, Security(made.oauth1)]) -> Any:
        return credential.user_id

    @made.app.websocket("/socket")
    async def socket(
        websocket: WebSocket, credential: Annotated[TokenCredential, Security(made.oauth1, scopes=["photos.read"])]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(credential.user_id or "")

    return made


WRONG = (
    sign(JANE, "GET", "/echo", signature=b"x"),
    sign(JANE, "GET", "/echo").without(b"authorization"),
    sign(JANE, "GET", "/echo", oauth={"version": "2.0"}),
    sign(JANE, "GET", "/echo", oauth={"timestamp": "1"}),
    sign(replace(JANE, token=None), "GET", "/echo"),
    sign(JANE, "POST", "/echo", body=b"a=" + b"x" * 2_000_000),
    sign(JANE, "GET", "/echo").adding((b"authorization", b"OAuth x")),
)


@pytest.mark.parametrize("message", WRONG, ids=range(len(WRONG)))
async def test_the_same_as_on_quart(message: Any) -> None:
    """Status, body and headers are those of Quart's adapter, and so for an application's own 404 nothing changes."""
    made = add_routes(await install(Policy()))
    quart = await make_provider(policy=Policy())
    now = time.time()
    for protector in (made.oauth1.protector, quart.require_oauth):
        protector.clock = lambda: now  # a refused timestamp is answered with the time
    assert (await call(made.app, message)).fingerprint == (await quart.send(message)).fingerprint
    assert (await call(made.app, replace(message, target=b"/none"))).json == {"detail": "Not Found"}


async def test_a_store_that_is_down() -> None:
    """It is a 503 with Retry-After, and nothing is let in."""
    made = add_routes(await install())

    async def fail(*_: Any) -> bool:
        raise StoreUnavailableError()

    made.oauth1.protector.register_hook("exists_nonce", fail)
    answer = await call(made.app, sign(JANE, "GET", "/echo"))
    assert (answer.status, answer.header("retry-after")) == (503, "1")


@pytest.mark.parametrize("kind", [OAuth1HTTPError, HTTPException, StarletteHTTPException, 401])
@pytest.mark.parametrize("registered", ["before", "after"])
async def test_handlers_of_the_application(kind: Any, registered: str) -> None:
    """They come first, whether registered before `install` or after it, and know the error and its headers."""
    app, seen = FastAPI(), []

    async def handle(request: Request, error: Any) -> PlainTextResponse:
        seen.append(error)
        return PlainTextResponse(f"own {error.error.error}", error.status_code, error.headers)

    if registered == "before":
        app.add_exception_handler(kind, handle)
    made = add_routes(await install(app=app))
    if registered == "after":
        app.add_exception_handler(kind, handle)
    answer = await call(app, sign(JANE, "GET", "/echo", signature=b"x"))
    assert (answer.status, answer.body) == (401, b"own invalid_signature")
    assert answer.header("www-authenticate") == 'OAuth realm=""'
    assert answer.header("cache-control") == "no-store"
    (error,) = seen
    assert isinstance(error, HTTPException)
    assert isinstance(error.error, InvalidSignatureError)
    assert (await call(app, sign(JANE, "GET", "/echo"))).status == 200
    assert made.nonces == 1


async def test_other_exceptions_keep_their_form() -> None:
    """FastAPI's handler answers an HTTPException of the application's."""
    made = add_routes(await install())

    @made.app.get("/teapot", dependencies=[Security(made.oauth1)])
    async def teapot() -> None:
        raise HTTPException(418, "short and stout", {"x-pot": "tea"})

    answer = await call(made.app, sign(JANE, "GET", "/teapot"))
    assert (answer.status, answer.json, answer.header("x-pot")) == (418, {"detail": "short and stout"}, "tea")


async def test_a_refusal_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line for each, also for a request that cannot be read, and with an own handler."""
    made = add_routes(await install())
    made.app.add_exception_handler(OAuth1HTTPError, lambda request, error: PlainTextResponse("no", 401))
    with caplog.at_level("INFO", "async_oauth1"):
        for message in (WRONG[0], WRONG[-1]):
            caplog.clear()
            await call(made.app, message)
            assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["Refused"]


async def test_a_response_that_is_sent_twice() -> None:
    """An application that calls the handler and keeps its response can send it again."""
    made = await install(Policy())
    answer: Any = made.app.exception_handlers[StarletteHTTPException]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/echo", "headers": [], "client": None}
    response = await answer(Request(scope), OAuth1HTTPError(InvalidSignatureError(), Policy()))
    sent: list[tuple[Any, Any]] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append((message.get("status"), message.get("body")))

    await response(scope, receive, send)
    await response(scope, receive, send)
    assert sent[:2] == sent[2:]
    assert sent[0] == (401, None)


async def test_a_websocket() -> None:
    """A handshake is verified like a request; without the extension a refusal closes it with 1008."""
    made = add_routes(await install())
    connection = Connection(made.app)
    message = sign(JANE, "GET", "/socket", signed_origin="wss://provider.example")
    assert ACCEPTED in await connection.open(message)
    assert connection.sent[1]["text"] == "jane"
    refused = [message, sign(JANE, "GET", "/socket", signature=b"x"), message.without(b"authorization")]
    for handshake in refused:
        assert await connection.open(handshake) == ["websocket.close"]
        assert connection.sent[0]["code"] == 1008
        extended = await connection.open(handshake, extensions={"websocket.http.response": {}})
        assert extended == ["websocket.http.response.start", "websocket.http.response.body"]
        assert connection.sent[0]["status"] == 401
        assert (b"www-authenticate", b'OAuth realm=""') in connection.sent[0]["headers"]
        assert b'"error"' in connection.sent[1]["body"]


async def test_a_websocket_of_an_application_without_install() -> None:
    """It is not accepted."""
    app, oauth1 = FastAPI(), protect(await make_store())
    add_routes(Installed(app, oauth1, await make_store()))
    connection = Connection(app)
    message = sign(JANE, "GET", "/socket")
    sent = await connection.open(message, extensions={"websocket.http.response": {}})
    assert sent[0] == "websocket.http.response.start"
    assert connection.sent[0]["status"] == 500
    assert ACCEPTED not in await connection.open(message)
