"""`OAuth1Server`: users, decisions, faults and records, in plain and in async tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1, OAuth1Session

from async_oauth1.serve.settings import ClientCredentials
from async_oauth1.testing import OAuth1Server

READY = "http://client.example/ready"


@pytest.fixture
def server() -> Iterator[OAuth1Server]:
    """A provider that approves by itself."""
    with OAuth1Server() as running:
        yield running


def session_of(client: ClientCredentials, callback: str = READY) -> OAuth1Session:
    """requests-oauthlib with these credentials."""
    return OAuth1Session(client.client_id, client.client_secret, callback_uri=callback)


def test_login_and_consent(server: OAuth1Server) -> None:
    """The user who is signed in approves, and the client acts for that user."""
    session = session_of(server.client())
    session.fetch_request_token(f"{server.url}/initiate")
    server.login("carol")
    decision = server.consent()
    assert decision is not None
    assert decision.location is not None
    session.parse_authorization_response(decision.location)
    session.fetch_access_token(f"{server.url}/token")
    assert session.get(f"{server.url}/echo").json()["user"] == "carol"


def test_denial(server: OAuth1Server) -> None:
    """The callback is told, and the exchange is refused."""
    session = session_of(server.client())
    session.fetch_request_token(f"{server.url}/initiate")
    decision = server.consent("deny")
    assert decision is not None
    assert parse_qs(urlsplit(decision.location or "").query)["error"] == ["access_denied"]
    with pytest.raises(Exception, match="401"):
        session.fetch_access_token(f"{server.url}/token", verifier="x")


def test_the_authorization_page_asks_from_now_on(server: OAuth1Server) -> None:
    """ "ask" shows the page, "automatic" redirects at once."""
    client = server.client()
    for mode, status in (("ask", 200), ("automatic", 302)):
        session = session_of(client)
        token = session.fetch_request_token(f"{server.url}/initiate")["oauth_token"]
        server.consent(mode)  # type: ignore[arg-type]
        page = requests.get(f"{server.url}/authorize?oauth_token={token}", allow_redirects=False, timeout=60)
        assert page.status_code == status


def test_mistakes_of_the_test(server: OAuth1Server) -> None:
    """Nothing pending, an unknown decision, code or method."""
    with pytest.raises(LookupError, match="pending"):
        server.consent()
    with pytest.raises(ValueError, match="approve"):
        server.consent("maybe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timestamp_refused"):
        server.fail_next("no such code")
    with pytest.raises(ValueError, match="HMAC-SHA1"):
        server.client(methods=["HMAC-MD5"])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("timestamp_refused", 401), ("invalid_signature", 401), ("invalid_nonce", 401), ("invalid_token", 401),
        ("insufficient_scope", 403), ("request_too_large", 413), ("temporarily_unavailable", 503),
    ],
)  # fmt: skip
def test_fail_next(server: OAuth1Server, code: str, status: int) -> None:
    """The next request is refused with any error code, at resources and at endpoints; the one after it is served."""
    client = server.client()
    auth = OAuth1(client.client_id, client.client_secret)
    server.fail_next(code)
    answer = requests.get(f"{server.url}/signed", auth=auth, timeout=60)
    assert (answer.json()["error"], requests.get(f"{server.url}/signed", auth=auth, timeout=60).status_code) == (
        code,
        200,
    )
    assert answer.status_code == status
    server.fail_next(code)
    answer = requests.post(f"{server.url}/initiate", timeout=60)
    assert parse_qs(answer.text)["error"] == [code]
    assert "asked" in server.requests[0].description


def test_records(server: OAuth1Server) -> None:
    """Each request has its method, URL, header fields, verdict and explanation, in the order of arrival."""
    client = server.client()
    auth = OAuth1(client.client_id, client.client_secret)
    requests.get(f"{server.url}/signed?a=1", auth=auth, headers={"X-Mine": "1"}, timeout=60)
    requests.get(f"{server.url}/signed?a=1", auth=OAuth1(client.client_id, client.client_secret + "\n"), timeout=60)
    good, bad = server.requests
    assert (good.method, good.url, good.status, good.accepted, good.causes) == (
        "GET", f"{server.url}/signed?a=1", 200, True, (),
    )  # fmt: skip
    assert good.headers["x-mine"] == "1"
    assert good.explanation is not None
    assert good.explanation.verifies
    assert (bad.accepted, bad.error, bad.causes) == (False, "invalid_signature", ("secret_whitespace",))
    assert "line end" in "\n".join(bad.lines())
    server.clear()
    assert server.requests == []


async def test_in_a_coroutine(server: OAuth1Server) -> None:
    """The provider has a thread and an event loop of its own."""
    client = server.client(methods=["PLAINTEXT"])
    token = server.token(client, "dave")
    auth = OAuth1(client.client_id, client.client_secret, *token, signature_method="PLAINTEXT")
    answers = await asyncio.gather(
        *(asyncio.to_thread(requests.get, f"{server.url}/echo/{one}", auth=auth, timeout=60) for one in range(5))
    )
    assert {answer.json()["user"] for answer in answers} == {"dave"}


def test_it_stops_although_a_connection_is_open() -> None:
    """And stopping is safe to repeat."""
    server = OAuth1Server()
    server.start()
    with requests.Session() as session:
        session.get(f"{server.url}/signed", timeout=60)
        server.stop()
        server.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=60)
