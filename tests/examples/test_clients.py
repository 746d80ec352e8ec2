"""The whole flow over HTTP with OAuth 1.0 client libraries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from authlib.integrations.httpx_client import AsyncOAuth1Client
from authlib.integrations.httpx_client import OAuth1Client as HttpxClient
from authlib.integrations.requests_client import OAuth1Session as RequestsClient
from requests_oauthlib import OAuth1Session

from .jane import PRINTER, READY, Jane, verifier_in
from .running import Photos, add_client

#: The places for the signature, as the libraries name them.
PLACES = {"header": "HEADER", "query": "QUERY", "body": "BODY"}
FORM = [("a", "1"), ("a", "2"), ("b", "x y+z"), ("c", "ä&=")]


def check_photo(answer: Any) -> None:
    """Check the answer with the photo."""
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "owner": "jane",
        "client_id": PRINTER[0],
        "file": "vacation.jpg",
        "size": "original",
    }


def check_echo(answer: Any, place: str) -> None:
    """Check that the form arrived as it was sent."""
    assert answer.status_code == 200, answer.text
    received = answer.json()
    assert (received["method"], received["raw_path"], received["user"]) == ("POST", "/echo/a%2Fb", "jane")
    sent = answer.request.content if hasattr(answer.request, "content") else answer.request.body
    octets = sent.encode() if isinstance(sent, str) else sent
    assert received["body_sha256"] == hashlib.sha256(octets).hexdigest()
    assert [tuple(pair) for pair in received["form"]] == parse_qsl(octets.decode(), keep_blank_values=True)
    assert [tuple(pair) for pair in received["form"] if not pair[0].startswith("oauth_")] == FORM
    assert any(name == "oauth_signature" for name, _ in received["form"]) == (place == "body")
    assert any(name == "oauth_signature" for name, _ in received["query"]) == (place == "query")


@pytest.mark.parametrize("place", PLACES)
def test_requests_oauthlib(provider: Photos, jane: Jane, place: str) -> None:
    """requests-oauthlib works with its parameters in the header, the query and the form."""
    kind = "AUTH_HEADER" if place == "header" else PLACES[place]
    with OAuth1Session(*PRINTER, callback_uri=READY, signature_type=kind) as client:
        temporary = client.fetch_request_token(f"{provider.url}/initiate")
        assert temporary["oauth_callback_confirmed"] == "true"
        client.parse_authorization_response(jane.decide(temporary["oauth_token"]).headers["Location"])
        client.fetch_access_token(f"{provider.url}/token")
        if place != "body":  # this library signs no body on GET
            check_photo(client.get(f"{provider.url}/photos?file=vacation.jpg&size=original"))
        check_echo(client.post(f"{provider.url}/echo/a%2Fb", data=FORM), place)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("library", [RequestsClient, HttpxClient], ids=["requests", "httpx"])
def test_authlib(provider: Photos, jane: Jane, library: Callable[..., Any], place: str) -> None:
    """Authlib's clients for requests and httpx work with their parameters in the header, the query and the form."""
    with library(*PRINTER, redirect_uri=READY, signature_type=PLACES[place]) as client:
        temporary = client.fetch_request_token(f"{provider.url}/initiate")
        answer = jane.decide(temporary["oauth_token"])
        client.fetch_access_token(f"{provider.url}/token", verifier=verifier_in(answer))
        if place != "body":
            check_photo(client.get(f"{provider.url}/photos?file=vacation.jpg&size=original"))
        body = "a=1&a=2&b=x%20y%2Bz&c=%C3%A4%26%3D"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = {"content": body} if library is HttpxClient else {"data": body}
        check_echo(client.post(f"{provider.url}/echo/a%2Fb", headers=headers, **sent), place)


@pytest.mark.parametrize("place", ["header", "query"])
async def test_authlib_async(provider: Photos, jane: Jane, place: str) -> None:
    """Authlib's asynchronous client for httpx works."""
    client: Any = AsyncOAuth1Client(*PRINTER, redirect_uri=READY, signature_type=PLACES[place])
    async with client:
        temporary = await client.fetch_request_token(f"{provider.url}/initiate")
        answer = await asyncio.to_thread(jane.decide, temporary["oauth_token"])
        await client.fetch_access_token(f"{provider.url}/token", verifier=verifier_in(answer))
        check_photo(await client.get(f"{provider.url}/photos?file=vacation.jpg&size=original"))


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"])
def test_a_client_can_use_the_method_it_is_registered_for(provider: Photos, jane: Jane, method: str) -> None:
    """A client that is added while the provider runs works at once; another method is refused."""
    added = add_client(provider.store, "--callback", "http://127.0.0.1:1/ready", "--method", method)
    keys = added["client_id"], added["client_secret"]
    callback = "http://127.0.0.1:4567/ready"
    with OAuth1Session(*keys, callback_uri=callback, signature_method=method) as client:
        temporary = client.fetch_request_token(f"{provider.url}/initiate")
        client.parse_authorization_response(jane.decide(temporary["oauth_token"]).headers["Location"])
        client.fetch_access_token(f"{provider.url}/token")
        assert client.get(f"{provider.url}/photos").json()["client_id"] == keys[0]
    with OAuth1Session(*keys, callback_uri=callback) as other:
        assert other.get(f"{provider.url}/signed").status_code == 401


def test_two_legged_requests(provider: Photos) -> None:
    """`/signed` accepts a request without a token, and `/echo` refuses it."""
    with OAuth1Session(*PRINTER) as client:
        received = client.get(f"{provider.url}/signed//a/;x?q=%7E&q=&r")
        assert received.status_code == 200
        assert received.json() == {
            "method": "GET",
            "raw_path": "/signed//a/;x",
            "query": [["q", "~"], ["q", ""], ["r", ""]],
            "form": [],
            "body_sha256": hashlib.sha256(b"").hexdigest(),
            "client_id": PRINTER[0],
            "user": None,
        }
        refused = client.get(f"{provider.url}/echo")
        assert (refused.status_code, "oauth_token" in refused.json()["error_description"]) == (400, True)
