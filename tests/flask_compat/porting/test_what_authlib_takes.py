"""The facade takes what Authlib takes, if no attack follows from it, and asks models for tolerances."""

from __future__ import annotations

import time
from typing import Any

import cachelib
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flask_compat import create_exists_nonce_func
from tests.attacks.compat_apps import Model, make_compat_app, send_to
from tests.attacks.signer import Keys, Message, sign
from tests.attacks.wire import Answer
from tests.keys import rsa_private_key

CLIENT = Keys(client_id="client", client_secret="secret")
JANE = Keys(client_id="client", client_secret="secret", token="tok", token_secret="toksecret")
FRAMEWORKS = ("flask", "quart")
each_framework = pytest.mark.parametrize("framework", FRAMEWORKS)

PRIVATE_KEY = rsa_private_key()
PUBLIC_PEM = PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def tolerating(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the model of the client tolerate something."""
    monkeypatch.setattr(Model, "get_tolerances", lambda _: names, raising=False)


async def answer_to(framework: str, message: Message, **config: Any) -> Answer:
    """The answer of an application."""
    return await send_to(make_compat_app(framework, **config), message)


def respelled(message: Message, old: bytes, new: bytes) -> Message:
    """The message with something else in its header."""
    (header,) = [value for name, value in message.headers if name == b"authorization"]
    return message.without(b"authorization").adding((b"authorization", header.replace(old, new)))


@each_framework
@pytest.mark.parametrize("version", ["1.0", "1.0a", "1.0A", ""])
async def test_versions(framework: str, version: str) -> None:
    """node-oauth's README says ``1.0A``."""
    for target, keys in (("/form", JANE), ("/token", JANE), ("/initiate", CLIENT)):
        oauth = {"version": version, "verifier": "v", "callback": "https://client.example/ready"}
        assert (await answer_to(framework, sign(keys, "POST", target, oauth=oauth))).status == 200


@each_framework
async def test_another_version(framework: str) -> None:
    """Not what RFC 5849 describes."""
    assert (await answer_to(framework, sign(JANE, "GET", "/form", oauth={"version": "2.0"}))).status == 400


@each_framework
@pytest.mark.parametrize("line_break", [b"%0A", b"%0D%0A"])
async def test_rsa_signatures_with_line_breaks(
    framework: str, line_break: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encoders break lines after 64 or 76 characters."""
    monkeypatch.setattr(Model, "get_rsa_public_key", lambda _: PUBLIC_PEM, raising=False)
    keys = Keys(client_id="client", token="tok", method="RSA-SHA1", private_key=PRIVATE_KEY)
    message = sign(keys, "GET", "/form")
    (header,) = [value for name, value in message.headers if name == b"authorization"]
    begin = header.index(b'oauth_signature="') + len(b'oauth_signature="')
    signature = header[begin : header.index(b'"', begin)]
    cut = signature.index(b"%") + 3
    broken = respelled(message, signature, signature[:cut] + line_break + signature[cut:] + line_break)
    config = {"OAUTH1_SUPPORTED_SIGNATURE_METHODS": ["RSA-SHA1"]}
    assert (await answer_to(framework, broken, **config)).status == 200
    changed = Message(method="POST", target=broken.target, headers=broken.headers)
    assert (await answer_to(framework, changed, **config)).status == 401


@each_framework
async def test_parameters_in_two_places(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused as in Authlib, unless the model tolerates it; the signature still counts."""
    message = sign(JANE, "POST", "/token", oauth={"verifier": "v"})
    (header,) = [value for name, value in message.headers if name == b"authorization"]
    pieces = [piece for piece in header[6:].split(b", ") if not piece.startswith(b"oauth_verifier")]
    form = (b"content-type", b"application/x-www-form-urlencoded"), (b"content-length", b"16")
    kept = message.without(b"authorization").adding((b"authorization", b"OAuth " + b", ".join(pieces)), *form)
    moved = Message(method="POST", target=b"/token", headers=kept.headers, body=b"oauth_verifier=v")
    other = Message(method="POST", target=b"/token", headers=kept.headers, body=b"oauth_verifier=w")
    refused = await answer_to(framework, moved)
    assert (refused.status, refused.error) == (400, "duplicated_oauth_protocol_parameter")
    tolerating(monkeypatch, "parameters_in_two_places")
    assert (await answer_to(framework, moved)).status == 200
    assert (await answer_to(framework, other)).error == "invalid_signature"


@each_framework
async def test_a_window_of_its_own(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as nonces are kept for it."""
    message = sign(JANE, "GET", "/form", oauth={"timestamp": str(int(time.time()) - 1_000)})
    tolerating(monkeypatch, "timestamp_window=1800")
    assert (await answer_to(framework, message)).status == 400
    assert (await answer_to(framework, message, OAUTH1_LONGEST_TIMESTAMP_WINDOW=1_800)).status == 200
    tolerating(monkeypatch)
    assert (await answer_to(framework, message, OAUTH1_LONGEST_TIMESTAMP_WINDOW=1_800)).status == 400


def test_exists_nonce_takes_a_number() -> None:
    """Code of one's own calls it with the timestamp as a number; it is the same nonce as with text."""
    exists_nonce = create_exists_nonce_func(cachelib.SimpleCache())
    assert exists_nonce("n", 1_700_000_000, "client", None) is False
    assert exists_nonce("n", "1700000000", "client", None) is True
    assert exists_nonce("n", 1_700_000_001, "client", "token") is False
