"""Clients that are not ours go through the three legs, and call the resources."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests_oauthlib import OAuth1, OAuth1Session

from async_oauth1 import SIGNATURE_METHODS
from async_oauth1.testing import OAuth1Server
from tests.attacks.signer import Keys, body_hash, sign
from tests.examples.clients.programs import install_npm_packages, read_line, require, started

from .running import call, send

READY = "http://client.example/ready"


@pytest.fixture
def server() -> Iterator[OAuth1Server]:
    """A provider that approves by itself."""
    with OAuth1Server() as running:
        yield running


def keys_of(server: OAuth1Server, method: str, **options: Any) -> Keys:
    """A new client with one signature method, as the tests' own signer knows it."""
    client = server.client(methods=[method])
    key = load_pem_private_key(client.rsa_private_key.encode(), None) if client.rsa_private_key else None
    return Keys(
        client_id=client.client_id, client_secret=client.client_secret, method=method, private_key=key, **options
    )


@pytest.mark.parametrize("place", ["AUTH_HEADER", "QUERY", "BODY"])
def test_requests_oauthlib(server: OAuth1Server, place: str) -> None:
    """All three legs, with the parameters in the header, the query and the form; the page approves by itself."""
    client = server.client()
    session = OAuth1Session(
        client.client_id, client.client_secret, callback_uri=READY, signature_type=place, signature_method="HMAC-SHA256"
    )
    token = session.fetch_request_token(f"{server.url}/initiate")["oauth_token"]
    page = requests.get(f"{server.url}/authorize", params={"oauth_token": token}, allow_redirects=False, timeout=60)
    assert page.status_code == 302, page.text
    session.parse_authorization_response(page.headers["Location"])
    session.fetch_access_token(f"{server.url}/token")
    echo = session.post(f"{server.url}/echo/a%2Fb?x=1", data={"b": "x y+z", "d": "!*'()"})
    assert echo.status_code == 200, echo.text
    assert (echo.json()["raw_path"], echo.json()["user"]) == ("/echo/a%2Fb", "alice")
    assert {one.accepted for one in server.requests} == {True}


def test_the_npm_package(server: OAuth1Server, pytestconfig: pytest.Config) -> None:
    """`oauth-1.0a` under Node; its photo is missing here, and the provider says so."""
    folder = install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))
    client = server.client()
    command = ["node", "dance.js", "oauth-1.0a", server.url, client.client_id, client.client_secret, READY]
    with started(command, folder) as process:
        token = read_line(process)["oauth_token"]
        decision = server.consent(oauth_token=token)
        assert decision is not None
        assert process.stdin is not None
        process.stdin.write(f"{decision.verifier}\n")
        process.stdin.flush()
        process.wait(60)
    assert [(one.method, urlsplit(one.url).path, one.status) for one in server.requests] == [
        ("POST", "/initiate", 200),
        ("POST", "/token", 200),
        ("GET", "/photos", 404),
    ]


def test_curl(server: OAuth1Server) -> None:
    """curl sends a header that was signed by hand, and gets what arrived, or why it was refused."""
    require("curl is not installed", present=shutil.which("curl") is not None)
    keys = keys_of(server, "HMAC-SHA1")
    message = sign(keys, "POST", "/signed?a=1", body=b"b=2", origin=server.url)
    header = next(value for name, value in message.headers if name == b"authorization").decode()
    command = ["curl", "--silent", "--show-error", "--header", f"Authorization: {header}", "--data", "b=2"]
    for target, expected in (("/signed?a=1", '"client_id"'), ("/signed/?a=1", "invalid_signature")):
        done = subprocess.run([*command, server.url + target], capture_output=True, text=True, timeout=60, check=True)
        assert expected in done.stdout
    assert [one.causes for one in server.requests] == [(), ("path_trailing_slash",)]


@pytest.mark.parametrize("place", ["header", "query", "form"])
@pytest.mark.parametrize("method", SIGNATURE_METHODS)
def test_every_method_in_every_place(server: OAuth1Server, method: str, place: str) -> None:
    """Two-legged, with RSA's keys made for the client; PLAINTEXT on plain http, too."""
    keys = keys_of(server, method)
    status, _, body = call(server.url, keys, "POST", "/signed?a=1", body=b"b=2", place=place)
    assert status == 200, body


def test_a_launch(server: OAuth1Server) -> None:
    """A two-legged form for a URL with a query, as learning platforms send it; anything but a POST is refused."""
    keys = keys_of(server, "HMAC-SHA1")
    form = b"lti_message_type=basic-lti-launch-request&resource_link_id=7&roles=urn%3Alti%3Arole%3Aims%2Flis%2FLearner"
    options = {"body": form, "place": "form", "oauth": {"callback": "about:blank", "version": "1.0"}}
    assert call(server.url, keys, "POST", "/launch?course=1", **options)[0] == 200
    assert call(server.url, keys, "POST", "/launch?course=1", signed_target="/launch", **options)[0] == 401
    assert server.requests[-1].causes == ("query_missing",)
    assert call(server.url, keys, "GET", "/launch?course=1")[0] == 405


def test_a_body_hash(server: OAuth1Server) -> None:
    """A JSON body with the hash of another one is refused, and explained."""
    keys = keys_of(server, "HMAC-SHA1")
    options: dict[str, Any] = {"body": b'{"a":1}', "content_type": b"application/json"}
    assert call(server.url, keys, "PUT", "/signed", oauth={"body_hash": body_hash(b'{"a":1}')}, **options)[0] == 200
    assert call(server.url, keys, "PUT", "/signed", oauth={"body_hash": body_hash(b"")}, **options)[0] != 200
    assert server.requests[-1].causes == ("body_hash",)


def test_what_is_wrong_with_the_credentials(server: OAuth1Server) -> None:
    """Unknown clients and tokens, another client's token, and a temporary one are told apart."""
    client, other = server.client(), server.client()
    token = server.token(other)
    keys = {"client_id": client.client_id, "client_secret": client.client_secret}
    found: list[str] = []
    for one in (
        Keys(client_id="nobody", client_secret="x"),
        Keys(**keys, token="unknown", token_secret="x"),
        Keys(**keys, token=token.oauth_token, token_secret=token.oauth_token_secret),
    ):
        assert call(server.url, one, "GET", "/echo")[0] in (400, 401)
        assert server.requests[-1].causes[0] == "credentials", server.requests[-1]
        assert server.requests[-1].explanation is not None
        found.append(server.requests[-1].explanation.causes[0].text)
    status, _, body = call(server.url, Keys(**keys), "POST", "/initiate", oauth={"callback": "oob"})
    assert status == 200
    pending = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    temporary = Keys(**keys, token=pending["oauth_token"], token_secret=pending["oauth_token_secret"])
    assert call(server.url, temporary, "GET", "/echo")[0] == 401
    assert server.requests[-1].causes == ("credentials",)
    assert [text.split("'")[0].strip() for text in found] == [
        "There is no client", "There is no token", "The token belongs to another client.",
    ]  # fmt: skip


def test_the_secret_of_the_temporary_credentials(server: OAuth1Server) -> None:
    """A client that goes on signing with the temporary credentials' secret is told so."""
    client = server.client()
    session = OAuth1Session(client.client_id, client.client_secret, callback_uri="oob")
    temporary = session.fetch_request_token(f"{server.url}/initiate")
    decision = server.consent()
    assert decision is not None
    token = session.fetch_access_token(f"{server.url}/token", verifier=decision.verifier)
    wrong = OAuth1(client.client_id, client.client_secret, token["oauth_token"], temporary["oauth_token_secret"])
    assert requests.get(f"{server.url}/echo", auth=wrong, timeout=60).status_code == 401
    assert server.requests[-1].causes == ("token_secret_missing",)


def test_large_and_slow_bodies_arrive_whole(server: OAuth1Server) -> None:
    """A body that is larger than what is kept for the explanation reaches the resource."""
    keys = keys_of(server, "HMAC-SHA1")
    body = b"x" * 3_000_000
    options: dict[str, Any] = {"body": body, "content_type": b"application/octet-stream"}
    message = sign(keys, "POST", "/signed", origin=server.url, oauth={"body_hash": body_hash(body)}, **options)
    status, _, answer = send(server.url, message)
    assert status == 200, answer


def test_programs(tmp_path: Path) -> None:
    """The documentation's example of a program without pytest works."""
    with OAuth1Server(like="schoology", user="bob") as server:
        client = server.client(methods=["PLAINTEXT"])
        auth = OAuth1(client.client_id, client.client_secret, signature_method="PLAINTEXT")
        assert requests.get(f"{server.url}/v1/users/me", auth=auth, timeout=60).status_code == 200
