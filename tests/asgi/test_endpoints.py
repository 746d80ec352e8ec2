"""The authorization server's endpoints as an ASGI application: by itself and mounted, with every answer it gives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from litestar import Litestar, asgi
from starlette.applications import Starlette
from starlette.routing import Mount

from async_oauth1 import AuthorizationServer, Client, Policy
from async_oauth1.asgi import authorization_endpoints
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.stores import MemoryStore
from tests.attacks.signer import FORM, Keys, sign
from tests.attacks.wire import Answer, call, scope_of

CLIENT = Keys(client_id="client", client_secret="secret")


@pytest.fixture
async def store() -> MemoryStore:
    """A store with one client."""
    store = MemoryStore()
    await store.add_client(Client(client_id="client", client_secret="secret", callbacks=("oob",)))
    return store


@pytest.fixture
def server(store: MemoryStore) -> AuthorizationServer:
    """A server with all hooks."""
    server = AuthorizationServer()
    server.register_hooks(store)
    return server


async def initiate(app: Any, target: str, *, method: str = "POST", **changes: Any) -> Answer:
    """Request temporary credentials."""
    return await call(app, sign(CLIENT, method, target, oauth={"callback": "oob"}), **changes)


@pytest.mark.parametrize(
    ("target", "root_path"), [("/initiate", ""), ("/oauth/initiate", "/oauth"), ("/initiate", "/x")]
)
async def test_the_dance(server: AuthorizationServer, store: MemoryStore, target: str, root_path: str) -> None:
    """Both steps give form-encoded credentials, with the path that the client used."""
    app = authorization_endpoints(server)
    temporary = (await initiate(app, target, root_path=root_path)).form
    assert temporary["oauth_callback_confirmed"] == "true"
    verifier = (await server.authorize(authorizing(temporary["oauth_token"]), "jane")).verifier or ""
    keys = Keys(
        client_id="client",
        client_secret="secret",
        token=temporary["oauth_token"],
        token_secret=temporary["oauth_token_secret"],
    )
    message = sign(keys, "POST", target.replace("initiate", "token"), oauth={"verifier": verifier})
    answer = await call(app, message, root_path=root_path)
    assert (answer.status, answer.header("content-type")) == (200, FORM.decode())
    assert await store.query_token("client", answer.form["oauth_token"]) is not None


def authorizing(token: str) -> Any:
    """The browser's request for the authorization page."""
    return OAuth1Request(
        "GET",
        scheme="https",
        host="provider.example",
        raw_path=b"/authorize",
        raw_query=b"oauth_token=" + token.encode(),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda app: Starlette(routes=[Mount("/oauth", app)]),
        lambda app: Litestar([asgi("/oauth", is_mount=True, copy_scope=True)(in_litestar(app))]),
    ],
    ids=["Starlette", "Litestar"],
)
async def test_mounted_in_a_framework(server: AuthorizationServer, make: Any) -> None:
    """A mount leaves the path as the framework likes; the signature is over the path that the client used."""
    app = make(authorization_endpoints(server))
    assert (await initiate(app, "/oauth/initiate")).status == 200
    assert (await initiate(app, "/oauth/other")).status == 404
    assert (await initiate(app, "/oauth/initiate", method="GET")).status == 405


def in_litestar(app: Any) -> Any:
    """The application as a function with Litestar's annotations."""
    from litestar.types import Receive, Scope, Send

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    mounted.__annotations__.update({"scope": Scope, "receive": Receive, "send": Send, "return": None})
    return mounted


async def test_other_paths_and_methods(server: AuthorizationServer) -> None:
    """Other paths are a 404, and other methods a 405 with Allow, without reading a signature or a body."""
    app = authorization_endpoints(server)
    for target in ("/", "/initiate/", "/initiatex", "/token/x", "/authorize"):
        assert (await initiate(app, target)).status == 404
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        answer = await initiate(app, "/token", method=method)
        assert (answer.status, answer.header("allow"), bool(answer.body)) == (405, "POST", method != "HEAD")


async def test_get_is_allowed_if_the_policy_allows_it(store: MemoryStore) -> None:
    """Then Allow names it, too."""
    server = AuthorizationServer(Policy(get_at_token_endpoints=True))
    server.register_hooks(store)
    app = authorization_endpoints(server)
    assert (await initiate(app, "/initiate", method="GET")).status == 200
    assert (await initiate(app, "/initiate", method="PUT")).header("allow") == "POST, GET"


async def test_a_signed_form(server: AuthorizationServer) -> None:
    """Parameters in the form are read; a wrong signature is a 401 with a challenge, and a long form a 413."""
    app = authorization_endpoints(server)
    message = sign(CLIENT, "POST", "/initiate", place="body", oauth={"callback": "oob"})
    assert (await call(app, message)).status == 200
    wrong = sign(CLIENT, "POST", "/initiate", place="body", oauth={"callback": "oob"}, signature=b"x")
    answer = await call(app, wrong)
    assert (answer.status, answer.header("www-authenticate")) == (401, 'OAuth realm=""')
    assert (await call(app, sign(CLIENT, "POST", "/initiate", body=b"a" * (Policy().max_form_bytes + 1)))).status == 413


async def test_a_form_that_was_read_before_is_not_an_empty_form(server: AuthorizationServer) -> None:
    """If other middleware has kept the body, the answer is 400."""
    message = sign(CLIENT, "POST", "/initiate", body=b"", headers=[(b"content-type", FORM), (b"content-length", b"3")],
                   oauth={"callback": "oob"})  # fmt: skip
    answer = await call(authorization_endpoints(server), message)
    assert answer.status == 400
    assert "Content-Length" in answer.form["error_description"]


async def test_a_websocket_is_closed(server: AuthorizationServer) -> None:
    """The application has no WebSocket."""
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    await authorization_endpoints(server)({"type": "websocket", "path": "/initiate"}, None, send)
    assert [event["type"] for event in sent] == ["websocket.close"]


async def test_a_client_that_leaves_is_not_answered(server: AuthorizationServer) -> None:
    """A form that does not end gets no answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    message = sign(CLIENT, "POST", "/initiate", body=b"a=1", oauth={"callback": "oob"})
    await authorization_endpoints(server)(scope_of(message), receive, send)
    assert sent == []
