"""The clients of each framework and of httpx sign what they send, octet by octet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import flask
import httpx
import httpx2
import pytest
from litestar.testing import AsyncTestClient
from litestar.testing import TestClient as LitestarClient
from starlette.testclient import TestClient

from async_oauth1 import OAuth1Error
from async_oauth1.testing import Clock, OAuth1Server, SignedAuth, sign_requests
from flask_compat.resource_protector import ResourceProtector, current_credential
from tests.frameworks.applications import bare, on_fastapi, on_litestar, on_quart, on_starlette, shared

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`")

AUTH = SignedAuth("client", "secret", "tok", "toksecret")
IN_FORM = SignedAuth("client", "secret", "tok", "toksecret", place="form")
IN_QUERY = SignedAuth("client", "secret", "tok", "toksecret", place="query")
BASE = "https://provider.example"
ODD = "/photos?b=x%20y&a=%2B&a=~&e=&caf%C3%A9=%C3%BC+"


@contextmanager
def starlette_client(app: Any) -> Iterator[Any]:
    """The test client of Starlette and FastAPI."""
    with TestClient(app, base_url=BASE) as client:
        yield client


@contextmanager
def litestar_client() -> Iterator[Any]:
    """The test client of Litestar."""
    with LitestarClient(on_litestar.app, base_url=BASE) as client:
        yield client


SYNC = {
    "FastAPI": lambda: starlette_client(on_fastapi.app),
    "Starlette": lambda: starlette_client(on_starlette.app),
    "Litestar": litestar_client,
}


@pytest.mark.parametrize("framework", SYNC)
def test_clients_that_derive_from_httpx(framework: str) -> None:
    """Requests and forms are accepted in each place; without `sign_requests` they are refused."""
    with SYNC[framework]() as client:
        assert client.get(ODD).status_code == 401
        assert sign_requests(client, AUTH) is client
        answer = client.get(ODD)
        assert answer.status_code == 200
        assert ["café", "ü "] in answer.json()["query"]
        assert sorted(client.post("/form", data={"a": "1 +&", "ü": "~"}).json()) == [["a", "1 +&"], ["ü", "~"]]
        assert client.get("/photos", auth=IN_QUERY).status_code == 200
        posted = client.post("/form", data={"a": "1 +&"}, auth=IN_FORM)
        assert posted.status_code in (200, 201)
        assert ["a", "1 +&"] in posted.json()


@pytest.mark.parametrize("framework", ["FastAPI", "Starlette", "Litestar"])
def test_single_requests(framework: str) -> None:
    """``auth`` of one request signs that one alone."""
    with SYNC[framework]() as client:
        assert client.get("/photos", auth=AUTH).json()["user"] == "jane"
        assert client.get("/photos").status_code == 401


def test_websockets_of_starlette() -> None:
    """The handshake is signed as well."""
    with starlette_client(on_starlette.app) as client:
        sign_requests(client, AUTH)
        with client.websocket_connect("wss://provider.example/socket") as connection:
            assert connection.receive_json()["user"] == "jane"


async def test_litestar_async_client() -> None:
    """Litestar's async client signs, too."""
    async with AsyncTestClient(on_litestar.app, base_url=BASE) as client:
        assert (await sign_requests(client, AUTH).get(ODD)).status_code == 200


async def test_quart() -> None:
    """Requests, forms, JSON and files are accepted in each place, and websockets are signed."""
    client = sign_requests(on_quart.app.test_client(), AUTH)
    over = {"scheme": "https"}
    answer = await client.get(ODD, **over)
    assert answer.status_code == 200
    assert ["café", "ü "] in (await answer.get_json())["query"]
    posted = await client.post("/form", form={"a": "1 +&", "ü": "~"}, **over)
    assert await posted.get_json() == [["a", "1 +&"], ["ü", "~"]]
    async with client.websocket("/socket", scheme="wss") as connection:
        assert (await connection.receive_json())["user"] == "jane"
    sign_requests(client, IN_FORM)
    assert (await client.post("/form", form={"a": "1 +&"}, **over)).status_code == 200
    sign_requests(client, IN_QUERY)
    assert (await client.get(ODD, **over)).status_code == 200
    assert (await on_quart.app.test_client().get(ODD, **over)).status_code == 401


def flask_application() -> flask.Flask:
    """A Flask application that answers with its user and its form."""
    app = flask.Flask(__name__)
    store = shared.make_store()
    require_oauth = ResourceProtector(app, store.query_client, store.query_token, store.exists_nonce)

    @app.route("/photos", methods=["GET", "POST", "PUT"])
    @require_oauth()
    def photos() -> Any:
        form = list(flask.request.form.items(multi=True))
        return {"user": current_credential.user_id, "form": form, "length": len(flask.request.get_data())}

    @app.get("/moved")
    def moved() -> Any:
        return flask.redirect("/photos?new=1")

    return app


def test_flask() -> None:
    """Requests, forms and JSON are accepted in each place; a redirect is signed anew."""
    app = flask_application()
    client = sign_requests(app.test_client(), AUTH)
    assert client.get(ODD, base_url=BASE).get_json()["user"] == "jane"
    assert client.post("/photos", base_url=BASE, data={"a": "1 +&"}).get_json()["form"] == [["a", "1 +&"]]
    assert client.put("/photos", base_url=BASE, json={"a": 1}).get_json()["length"] > 0
    assert client.get("/moved", base_url=BASE, follow_redirects=True).get_json()["user"] == "jane"
    sign_requests(client, IN_FORM)
    answer = client.post("/photos", base_url=BASE, data={"a": "1 +&"}).get_json()
    assert ["a", "1 +&"] in answer["form"]
    assert client.post("/photos", base_url=BASE).status_code == 200
    sign_requests(client, IN_QUERY)
    assert client.get(ODD, base_url=BASE).status_code == 200
    assert app.test_client().get(ODD, base_url=BASE).status_code == 400  # as with Authlib
    hashed = SignedAuth("client", "secret", "tok", "toksecret", body_hash=True)
    assert sign_requests(client, hashed).put("/photos", base_url=BASE, json={"a": 1}).status_code == 200


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_async_clients_of_httpx(library: Any) -> None:
    """An application that is called without a server."""
    transport = library.ASGITransport(app=bare.app)
    async with library.AsyncClient(transport=transport, base_url=BASE, auth=AUTH) as client:
        assert (await client.get(ODD)).status_code == 200
        assert (await client.post("/form", data={"ü": "1 +&"})).json() == [["ü", "1 +&"]]
        in_form = await client.post("/form", data={"ü": "1 +&"}, auth=IN_FORM)
        assert ["ü", "1 +&"] in in_form.json()
        assert (await client.get(ODD, auth=IN_QUERY)).status_code == 200


async def _pieces() -> AsyncIterator[bytes]:
    yield b"a=1"


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_streams(library: Any) -> None:
    """A stream is left alone if the signature does not depend on it; otherwise the error says what to do."""
    transport = library.ASGITransport(app=bare.app)
    hashed = SignedAuth("client", "secret", "tok", "toksecret", body_hash=True)
    async with library.AsyncClient(transport=transport, base_url=BASE, auth=AUTH) as client:
        assert (await client.put("/stream", content=_pieces())).json()["length"] == 3
        with pytest.raises(ValueError, match="pass the whole body"):
            await client.put("/stream", content=_pieces(), auth=hashed)
        assert (await client.put("/stream", content=b"a=1", auth=hashed)).json()["length"] == 3


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_real_server(oauth1_server: OAuth1Server, library: Any) -> None:
    """Over HTTP, with each kind of key and all three places, and the first step with its callback."""
    keys = oauth1_server.client()
    token = oauth1_server.token(keys)
    rsa = oauth1_server.client(methods=["RSA-SHA256"])
    pairs = (keys.client_id, keys.client_secret, *token)
    for place in ("header", "query", "form"):
        auth = SignedAuth(*pairs, place=place)
        answer = library.post(f"{oauth1_server.url}/echo?q=%7E", data={"ä": "b c"}, auth=auth)
        assert answer.status_code == 200, oauth1_server.requests[-1]
    with_key = SignedAuth(rsa.client_id, rsa_private_key=rsa.rsa_private_key, signature_method="RSA-SHA256")
    assert library.get(f"{oauth1_server.url}/signed", auth=with_key).status_code == 200
    first = SignedAuth(*pairs[:2], parameters={"oauth_callback": "oob"}, realm="Photos")
    assert "oauth_callback_confirmed=true" in library.post(f"{oauth1_server.url}/initiate", auth=first).text


def test_the_clock_is_what_is_signed() -> None:
    """A clock that is moved gives the timestamps; a fixed nonce can be sent twice."""
    clock = Clock(1_000.0)
    auth = SignedAuth("client", "secret", clock=clock, parameters={"oauth_nonce": "same"})
    clock.advance(5)
    sent = auth(httpx.Request("GET", "https://provider.example/"))
    assert 'oauth_timestamp="1005"' in sent.headers["authorization"]
    assert 'oauth_nonce="same"' in sent.headers["authorization"]


def test_mistakes_are_named() -> None:
    """Each argument that cannot be used gives an error that says what to pass; no secret is shown."""
    with pytest.raises(ValueError, match="known are HMAC-SHA1"):
        SignedAuth("client", "secret", signature_method="MD5")
    with pytest.raises(ValueError, match="needs rsa_private_key"):
        SignedAuth("client", signature_method="RSA-SHA1")
    with pytest.raises(ValueError, match="not 'body'"):
        SignedAuth("client", "secret", place="body")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a form"):
        IN_FORM(httpx.Request("GET", BASE))
    with pytest.raises(ValueError, match="needs a form"):
        IN_FORM(httpx.Request("POST", BASE, json={}))
    with pytest.raises(TypeError, match="int is no test client"):
        sign_requests(3, AUTH)
    with pytest.raises(OAuth1Error):
        AUTH(AUTH(httpx.Request("GET", BASE)))
    assert "secret" not in repr(AUTH)
