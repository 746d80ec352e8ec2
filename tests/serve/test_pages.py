"""The page that shows the requests: hosts, headers, escaping; the browser's part is in tests/browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from async_oauth1.testing import OAuth1Server
from tests.attacks.signer import Keys

from .running import call

PATHS = ("/", "/-/requests", "/-/requests.json", "/-/page.js", "/authorize")


@pytest.fixture
def server() -> Iterator[OAuth1Server]:
    """A provider that asks."""
    with OAuth1Server(consent="ask") as running:
        yield running


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "x@localhost"])
def test_pages_are_shown_under_the_providers_own_names_alone(server: OAuth1Server, path: str, host: str) -> None:
    """A site whose name was made to resolve to this machine gets nothing (DNS rebinding)."""
    answer = requests.get(server.url + path, headers={"Host": host}, timeout=60)
    assert answer.status_code in (400, 421)
    assert "alice" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]", "192.0.2.7"])
def test_addresses_and_loopback_names_are_the_providers(server: OAuth1Server, host: str) -> None:
    """Nothing can make an address resolve to another one."""
    assert requests.get(f"{server.url}/", headers={"Host": host}, timeout=60).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_the_content_security_policy_allows_no_other_site(server: OAuth1Server, path: str) -> None:
    """Scripts and styles are files of the provider; nothing is inline, framed or cached."""
    answer = requests.get(server.url + path, timeout=60)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert (answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == ("DENY", "no-store")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert not re.search(r"<script(?! src)|<style|\son\w+=|javascript:", answer.text)


def test_everything_that_a_request_brings_is_escaped(server: OAuth1Server) -> None:
    """Markup in the identifier, the query and the header fields is text on the page."""
    attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    keys = Keys(client_id=attack, client_secret="x")
    message = {"headers": ((b"x-attack", attack.encode()),)}
    call(server.url, keys, "GET", "/signed?a=<script>alert(1)</script>", **message)
    assert server.requests
    page = requests.get(f"{server.url}/", timeout=60).text
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_the_fragment_has_what_is_new(server: OAuth1Server) -> None:
    """The page asks for the requests after the last one that it shows."""
    for path in ("/signed/1", "/signed/2"):
        call(server.url, Keys(client_id="x"), "GET", path)
    assert len(server.requests) == 2
    first = requests.get(f"{server.url}/-/requests", timeout=60)
    assert first.headers["X-Last"] == "2"
    assert first.text.index("/signed/2") < first.text.index("/signed/1")
    later = requests.get(f"{server.url}/-/requests?after=1", timeout=60)
    assert ("/signed/2" in later.text, "/signed/1" in later.text) == (True, False)
    nothing = requests.get(f"{server.url}/-/requests?after=2", timeout=60)
    assert (nothing.text.strip(), nothing.headers["X-Last"]) == ("", "2")
    assert [one["number"] for one in requests.get(f"{server.url}/-/requests.json", timeout=60).json()] == [1, 2]


def test_a_form_of_another_site_decides_nothing(server: OAuth1Server) -> None:
    """The decision needs the token of the page's form."""
    client = server.client()
    keys = Keys(client_id=client.client_id, client_secret=client.client_secret)
    _, _, body = call(server.url, keys, "POST", "/initiate", oauth={"callback": "oob"})
    token = body.decode().partition("oauth_token=")[2].partition("&")[0]
    form = {"oauth_token": token, "decision": "approve", "form_token": "0" * 64}
    assert requests.post(f"{server.url}/authorize", data=form, timeout=60).status_code == 400
    assert requests.post(f"{server.url}/authorize", data=form | {"form_token": ""}, timeout=60).status_code == 400
    page = requests.get(f"{server.url}/authorize?oauth_token={token}", timeout=60).text
    form["form_token"] = page.partition('name="form_token" value="')[2].partition('"')[0]
    assert 'id="oauth_verifier"' in requests.post(f"{server.url}/authorize", data=form, timeout=60).text
