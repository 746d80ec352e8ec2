"""No secret, key or expected signature is in the page, the JSON, the records, the lines, or an answer to a refusal."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from requests_oauthlib import OAuth1Session

from async_oauth1.cli.serve_log import json_line, request_lines
from async_oauth1.serve.presets import PRESETS
from async_oauth1.testing import OAuth1Server
from tests.attacks.signer import Keys

from .running import call, served


def spellings(*secrets: str) -> Iterator[str]:
    """Each secret raw, and percent-encoded once and twice."""
    for secret in secrets:
        once = quote(secret, safe="")
        yield from (secret, once, quote(once, safe=""))


def shown(server: OAuth1Server) -> str:
    """Everything that the provider shows of its requests."""
    pages = [requests.get(f"{server.url}/{path}", timeout=60).text for path in ("", "-/requests", "-/requests.json")]
    lines = [line for record in server.requests for line in request_lines(record, colour=True)]
    texts = [json_line("request", record.as_json()) for record in server.requests]
    return "\n".join([*pages, *lines, *texts, *map(repr, server.requests)])


def signatures(server: OAuth1Server, key: str) -> Iterator[str]:
    """The signature that would have been right for each request, by the base strings that are shown."""
    for record in server.requests:
        if record.explanation is not None:
            for digest in (hashlib.sha1, hashlib.sha256, hashlib.sha512):
                for text in filter(None, (record.explanation.base_string, record.explanation.signed)):
                    yield base64.b64encode(hmac.new(key.encode(), text.encode(), digest).digest()).decode()


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
@pytest.mark.parametrize("place", ["header", "query", "form"])
def test_nothing_that_is_shown_has_a_secret(method: str, place: str) -> None:
    """Whatever a client sends: good and bad signatures, its secrets as parameters, in the path and in header fields."""
    with OAuth1Server() as server:
        client = server.client()
        token = server.token(client)
        keys = Keys(
            client_id=client.client_id,
            client_secret=client.client_secret,
            token=token.oauth_token,
            token_secret=token.oauth_token_secret,
            method=method,
        )
        secrets = (client.client_secret, token.oauth_token_secret)
        key = "&".join(quote(secret, safe="") for secret in secrets)
        sent: dict[str, Any] = {"place": place, "body": b"a=1"}
        answers = [
            call(server.url, keys, "POST", "/echo?x=1", **sent),
            call(server.url, keys, "POST", "/echo?x=1", signed_target="/echo", **sent),
            call(server.url, keys, "POST", "/echo?x=1", oauth={"timestamp": "1000000000"}, **sent),
            call(server.url, keys, "POST", "/echo?x=1", signature=key.encode(), **sent),
            call(server.url, keys, "POST", "/echo?x=1", signature=quote(key).encode(), **sent),
            call(server.url, keys, "POST", "/echo", oauth={"verifier": key}, **sent),
            *[call(server.url, keys, "POST", f"/echo/{one}?secret={one}", **sent) for one in spellings(*secrets)],
            *[
                call(server.url, keys, "POST", "/echo", headers=((b"x-secret", one.encode()),), **sent)
                for one in spellings(*secrets, key)
            ],
        ]
        everything = shown(server) + "".join(body.decode() for status, _, body in answers if status >= 400)
        expected = {*spellings(*secrets, key), *spellings(*signatures(server, key))}
        assert {answer[0] for answer in answers} >= {200, 401}
    assert not [one for one in expected if one in everything]


def test_nothing_of_the_three_legs_is_shown() -> None:
    """Neither the secrets that are issued, nor the verifier."""
    with OAuth1Server() as server:
        client = server.client()
        session = OAuth1Session(client.client_id, client.client_secret, callback_uri="oob")
        temporary = session.fetch_request_token(f"{server.url}/initiate")
        decision = server.consent()
        assert decision is not None
        assert decision.verifier is not None
        token = session.fetch_access_token(f"{server.url}/token", verifier=decision.verifier)
        assert session.get(f"{server.url}/echo").status_code == 200
        secrets = (client.client_secret, temporary["oauth_token_secret"], token["oauth_token_secret"])
        everything = shown(server)
    assert not [one for one in spellings(*secrets, decision.verifier) if one in everything]


@pytest.mark.parametrize("name", PRESETS)
def test_the_refusals_of_presets_have_none(name: str) -> None:
    """Some of them quote the base string, in which a client may have put its secret."""
    with OAuth1Server(like=name) as server:
        client = server.client()
        secret = client.client_secret or "unused"
        keys = Keys(client_id=client.client_id, client_secret=secret)
        method = PRESETS[name].signature_methods[0]
        oauth = {"signature_method": method}
        _, _, body = call(
            server.url, keys, "GET", f"/echo?secret={secret}", oauth=oauth, realm=b"1", signature=b"xyz123"
        )
        everything = shown(server) + body.decode()
    known = spellings(client.client_secret) if client.client_secret else ()
    assert not [one for one in (*known, "xyz123") if one in everything]


def test_the_command_prints_its_credentials_once(tmp_path: Path) -> None:
    """At the start, and nowhere else; the page shows the client's identifier alone."""
    with served(tmp_path, "--consent") as running:
        started = running.started
        keys = Keys(client_id=started["client_id"], client_secret=started["client_secret"])
        call(running.url, keys, "GET", f"/signed?secret={keys.client_secret}", signed_target="/signed")
        running.events(1)
        page = requests.get(started["endpoints"]["requests"], timeout=60).text
        first, *rest = running.output().splitlines()
    assert keys.client_id in page
    secrets = [keys.client_secret, started["password"]]
    assert all(one in json.loads(first).values() for one in secrets)
    assert not [one for one in spellings(*secrets) if one in page + "".join(rest) + running.errors()]
