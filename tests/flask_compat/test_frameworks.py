"""Features of single frameworks: class-based views, Flask under ASGI, thread-scoped sessions, many requests."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import flask
import flask.views
import pytest
import quart
import quart.views
from asgiref.wsgi import WsgiToAsgi
from authlib.oauth1 import OAuth1Request as AuthlibRequest

from flask_compat import AuthorizationServer, ResourceProtector, current_credential
from flask_compat.errors import OAuth1Error

from .client import Client, authorization, fetch
from .ported import Client as ClientModel
from .ported import Token, Variant, made_async, make_provider


def protector(app: Any, *, is_async: bool = False) -> Any:
    def hook(value: Any) -> Any:
        def func(*_: Any) -> Any:
            return value

        return made_async(func) if is_async else func

    return ResourceProtector(
        app, hook(ClientModel("client", "secret")), hook(Token("client", "t", "s", "7")), hook(False)
    )


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("framework", [flask, quart])
async def test_method_views_can_be_protected(framework: Any, is_async: bool) -> None:
    """``decorators`` work with plain and async methods."""
    app = (framework.Flask if framework is flask else framework.Quart)(__name__)
    require_oauth = protector(app, is_async=is_async)

    class Plain(framework.views.MethodView):  # type: ignore[misc]
        decorators = (require_oauth,)

        def get(self) -> Any:
            return {"user": current_credential.user_id}

    class Async(framework.views.MethodView):  # type: ignore[misc]
        decorators = (require_oauth(),)

        async def get(self) -> Any:
            await asyncio.sleep(0)
            return {"user": current_credential.user_id}

    app.add_url_rule("/plain", view_func=Plain.as_view("plain"))
    app.add_url_rule("/async", view_func=Async.as_view("async"))
    client = Client(app, token="t", token_secret="s")
    for path in ("/plain", "/async"):
        assert (await client.send("GET", path)).json == {"user": "7"}
        assert (await fetch(app, "GET", path)).status == 400


@pytest.mark.parametrize("framework", [flask, quart])
async def test_a_view_can_call_acquire_credential(framework: Any) -> None:
    """Views can be plain or async."""
    app = (framework.Flask if framework is flask else framework.Quart)(__name__)
    require_oauth = protector(app)

    @app.get("/plain")
    def plain() -> Any:
        try:
            return {"user": require_oauth.acquire_credential().user_id}
        except OAuth1Error as error:
            return dict(error.get_body()), error.status_code

    @app.get("/async")
    async def in_async() -> Any:
        try:
            return {"user": (await require_oauth.acquire_credential()).user_id}
        except OAuth1Error as error:
            return dict(error.get_body()), error.status_code

    client = Client(app, token="t", token_secret="s")
    for path in ("/plain", "/async"):
        assert (await client.send("GET", path)).json == {"user": "7"}
        assert (await fetch(app, "GET", path)).json["error"] == "missing_required_parameter"


@pytest.mark.parametrize("is_async_hook", [False, True])
async def test_flask_works_under_asgirefs_wrapper(is_async_hook: bool) -> None:
    """Plain and async views work with plain and async hooks on one loop."""
    app = flask.Flask(__name__)
    require_oauth = protector(app, is_async=is_async_hook)

    @app.get("/plain")
    @require_oauth
    def plain() -> Any:
        return {"user": current_credential.user_id}

    @app.get("/async")
    @require_oauth
    async def in_async() -> Any:
        return {"user": current_credential.user_id}

    client = Client(app, token="t", token_secret="s")
    for path in ("/plain", "/async"):
        header = authorization(client.sign("GET", path, client.parameters()))
        status, body = await call_asgi(WsgiToAsgi(app), path, header)
        assert (status, body) == (200, b'{"user":"7"}\n')


async def call_asgi(app: Any, path: str, header: str) -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"authorization", header.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_hooks_of_async_flask_views_run_in_the_wsgi_thread() -> None:
    """A thread-scoped session is the same there."""
    threads: list[int] = []
    ported = make_provider(Variant("flask", True, False))
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    query_client = ported.require_oauth.query_client

    def noting(client_id: str) -> Any:
        threads.append(threading.get_ident())
        return query_client(client_id)

    ported.require_oauth.query_client = noting

    @ported.app.before_request
    def note() -> None:
        threads.append(threading.get_ident())

    assert (await Client(ported.app, token="t", token_secret="s").send("GET", "/photos")).status == 200
    assert len(threads) == 2
    assert len(set(threads)) == 1


async def test_two_hundred_concurrent_requests_do_not_deadlock() -> None:
    """There are more requests than threads, with plain hooks, async overrides and async models."""

    class Server(AuthorizationServer):
        async def get_client_by_id(self, client_id: str) -> Any:
            return await super().get_client_by_id(client_id)

    class Protector(ResourceProtector):
        async def get_client_by_id(self, client_id: str) -> Any:
            return await super().get_client_by_id(client_id)

    ported = make_provider(
        Variant("quart", True, False, async_models=True), server_class=Server, protector_class=Protector, seconds=0.001
    )
    ported.database.tokens["t"] = ported.database.make(Token, "client", "t", "s", "7")
    client = Client(ported.app, token="t", token_secret="s")
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(client.send("GET", "/photos") for _ in range(200)))
    assert {answer.status for answer in answers} == {200}


async def test_a_header_that_authlibs_parser_refuses_gets_400() -> None:
    """The parser's ValueError is treated as a client error."""

    class Server(AuthorizationServer):
        def create_oauth1_request(self, request: Any) -> Any:
            return AuthlibRequest(flask.request.method, flask.request.url, None, flask.request.headers)

    ported = make_provider(Variant("flask", False, False), server_class=Server)
    for header in ("Bearer x", "OAuth foo"):
        answer = await fetch(ported.app, "POST", "/initiate", "", {"Authorization": header})
        assert (answer.status, answer.form["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("configured", [None, 40])
async def test_both_form_limits_apply_if_flasks_limit_is_read_only(configured: int | None) -> None:
    """Before Flask 3.1 the limit of a request is that of the configuration."""

    class Request(flask.Request):
        max_content_length = property(lambda _: configured)  # type: ignore[assignment]  # as Flask 3.0 has it

    ported = make_provider(Variant("flask", False, False), config={"OAUTH1_MAX_FORM_BYTES": 80})
    ported.app.request_class = Request
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    client = Client(ported.app, token="t", token_secret="s")
    for length, accepted in ((30, True), (60, configured is None), (90, False)):
        answer = await client.send("POST", "/photos", form="a=" + "x" * length)
        assert answer.status == (200 if accepted else 413)
