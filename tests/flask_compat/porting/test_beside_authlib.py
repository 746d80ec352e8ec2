"""Authlib and `flask_compat` give the same answers to the same requests, except for intended differences."""

from __future__ import annotations

import time
from typing import Any

import pytest
from authlib.integrations import flask_oauth1

import flask_compat
from tests.flask_compat.client import FORM, Client, fetch
from tests.flask_compat.ported import Client as ClientModel
from tests.flask_compat.ported import Temporary, Token, Variant, make_provider

PLAIN = Variant("flask", False, False)
FULL = {
    "oauth_consumer_key": "client",
    "oauth_token": "t",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "NOW",
    "oauth_nonce": "n",
    "oauth_callback": "https://client.test/ready",
    "oauth_verifier": "verifier",
}


def pair(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One provider on each."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    made = []
    for module in (flask_oauth1, flask_compat):
        ported = make_provider(PLAIN, server_class=module.AuthorizationServer, protector_class=module.ResourceProtector)
        ported.database.tokens["t"] = Token("client", "t", "s", "7")
        pending = Temporary("client", "t", "s", "https://client.test/ready")
        pending.oauth_verifier = "verifier"
        ported.database.clients["rsa"] = ClientModel("rsa", None)
        ported.server.register_hook("delete_temporary_credential", lambda *_: None)
        ported.database.temporary["t"] = pending
        made.append(ported.app)
    return made


CHANGES: list[dict[str, str | None]] = [
    {},
    *({name: None} for name in FULL),
    *({name: ""} for name in FULL),
    {"oauth_consumer_key": "x"},
    {"oauth_token": "x"},
    {"oauth_verifier": "x"},
    {"oauth_callback": "nonsense"},
    {"oauth_callback": "oob"},
    {"oauth_callback": "https://client.test/a?b=c"},
    {"oauth_callback": "app://ready"},
    {"oauth_timestamp": "12"},
    {"oauth_timestamp": "-1"},
    {"oauth_timestamp": "abc"},
    {"oauth_signature_method": "X"},
    {"oauth_signature_method": "PLAINTEXT"},
    {"oauth_signature_method": "PLAINTEXT", "oauth_timestamp": None, "oauth_nonce": None},
    {"oauth_signature_method": "PLAINTEXT", "oauth_timestamp": "NOW", "oauth_nonce": None},
    {"oauth_signature_method": "PLAINTEXT", "oauth_timestamp": None},
    {"oauth_version": "1.0"},
    {"oauth_signature": "wrong"},
    {"oauth_signature": ""},
    {"oauth_signature": None},
    {"oauth_consumer_key": "rsa"},
]


@pytest.mark.parametrize("path", ["/initiate", "/token", "/photos"])
@pytest.mark.parametrize("place", ["header", "query", "form"])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
async def test_a_signed_request_gets_the_same_answer_from_both(
    changes: dict[str, str | None], place: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, code and description are equal, except for intended differences."""
    found = {**FULL, **changes}
    parameters = {name: value for name, value in found.items() if value is not None}
    if parameters.get("oauth_timestamp") == "NOW":
        parameters["oauth_timestamp"] = str(int(time.time()))
    method = parameters.get("oauth_signature_method")
    signer = Client(None, token_secret="" if path == "/initiate" else "s")
    signer.method = method if method in ("HMAC-SHA1", "PLAINTEXT") else "HMAC-SHA1"
    if "oauth_signature" not in changes:
        parameters = signer.sign("POST", path, parameters)
    answers = []
    for app in pair(monkeypatch):
        sender = Client(app)
        answer = await sender.send("POST", path, place=place, signed=parameters)
        body = answer.json if path == "/photos" else answer.form
        answers.append((answer.status, body.get("error"), body.get("error_description")))
    if path == "/token" and changes == {"oauth_consumer_key": "rsa"}:
        # Another client's temporary credential. Authlib looks at the signature, and an RSA signature covers no secret.
        assert [error for _, error, _ in answers] == ["invalid_signature", "invalid_token"]
    else:
        assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/initiate", ""),
        ("GET", "/authorize", ""),
        ("GET", "/authorize?oauth_token=x", ""),
        ("GET", "/authorize?oauth_token=t", ""),
        ("POST", "/authorize", ""),
        ("POST", "/authorize", "oauth_token=x&granted=1"),
        ("POST", "/token?oauth_consumer_key=a", "oauth_token=x"),
    ],
)
async def test_an_unsigned_request_gets_the_same_answer_from_both(
    method: str, path: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This includes requests of browsers and parameters in two places."""
    answers = []
    for app in pair(monkeypatch):
        answer = await fetch(app, method, path, body, {"Content-Type": FORM} if body else {})
        answers.append((answer.status, answer.body.partition("&error_description")[0]))
    assert answers[0] == answers[1]
