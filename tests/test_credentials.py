"""The credential records: Authlib's methods, validation, and reprs without secrets."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.provider.authorization_server import AuthorizationDecision

from .keys import RSA_PUBLIC_KEY

TEMPORARY = TemporaryCredential(
    oauth_token="t", oauth_token_secret="hidden-1", client_id="c", oauth_callback="oob", oauth_verifier="hidden-2"
)
TOKEN = TokenCredential(oauth_token="t", oauth_token_secret="hidden-1", client_id="c", user_id="jane")
CLIENT = Client(
    client_id="c",
    client_secret="hidden-1",
    overlapping_secrets=("hidden-2", "hidden-3"),
    rsa_public_key=StoredKey("hidden-4"),
    callbacks=("oob", "http://a.example/", "http://b.example/"),
)


@pytest.mark.parametrize(
    "record", [TEMPORARY, TOKEN, CLIENT, AuthorizationDecision("t", "hidden-1", "http://a/?hidden-1")]
)
def test_repr_hides_secrets(record: object) -> None:
    """Secrets, former secrets, keys and verifiers are not in the repr, so they cannot be logged with a record."""
    for text in (repr(record), str(record), f"{record!r}", repr([record])):
        assert "hidden" not in text


@pytest.mark.parametrize("record", [TEMPORARY, TOKEN, CLIENT])
def test_records_are_frozen(record: Any) -> None:
    """Records may be shared by a cache, so they cannot be changed and have no further attributes."""
    with pytest.raises((AttributeError, TypeError)):
        record.client_id = "x"
    with pytest.raises((AttributeError, TypeError)):
        record.anything = "x"


def test_records_have_authlibs_methods() -> None:
    """The records have the methods of Authlib's mixins."""
    assert CLIENT.get_default_redirect_uri() == "http://a.example/"
    assert CLIENT.get_client_secret() == "hidden-1"
    assert CLIENT.get_rsa_public_key() == "hidden-4"
    assert TEMPORARY.get_client_id() == TOKEN.get_client_id() == "c"
    assert TEMPORARY.get_redirect_uri() == "oob"
    assert TEMPORARY.get_oauth_token() == TOKEN.get_oauth_token() == "t"
    assert TEMPORARY.get_oauth_token_secret() == TOKEN.get_oauth_token_secret() == "hidden-1"
    assert TEMPORARY.get_user_id() is None
    assert TOKEN.get_user_id() == "jane"
    assert TOKEN.get_scope() == ""
    assert TEMPORARY.is_decided() is False


def test_client_secrets_current_first() -> None:
    """The current secret comes first, then the overlapping ones; without a current secret there are only those."""
    assert CLIENT.get_client_secrets() == ("hidden-1", "hidden-2", "hidden-3")
    assert Client(client_id="c").get_client_secrets() == ()
    assert Client(client_id="c", overlapping_secrets=("a",)).get_client_secrets() == ("a",)


def test_signature_methods_of_a_client() -> None:
    """An empty list means all of the server's methods; otherwise only the listed ones."""
    assert Client(client_id="c").get_signature_methods() is None
    assert Client(client_id="c", signature_methods=("RSA-SHA1",)).get_signature_methods() == ("RSA-SHA1",)


@pytest.mark.parametrize("verifier", [None, ""])
@pytest.mark.parametrize("guess", ["", "None", "x"])
def test_no_verifier_matches_before_approval(verifier: str | None, guess: str) -> None:
    """Before approval the record's verifier is None, which no verifier equals."""
    credential = TemporaryCredential(
        oauth_token="t", oauth_token_secret="s", client_id="c", oauth_callback="oob", oauth_verifier=verifier
    )
    assert credential.check_verifier(guess) is False


@pytest.mark.parametrize(("guess", "expected"), [("hidden-2", True), ("hidden-", False), ("é", False), ("", False)])
def test_verifier_is_compared_in_constant_time(guess: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """hmac.compare_digest compares octets, because it raises an error for non-ASCII text."""
    compared = []
    original = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return original(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert TEMPORARY.check_verifier(guess) is expected
    assert compared == [(b"hidden-2", guess.encode())]


@pytest.mark.parametrize("client_id", ["", "x" * 256, "é" * 128, "a\x00", "a\nb", "\x7f", "\ud800"])
def test_invalid_client_ids(client_id: str) -> None:
    """Requests with such a client identifier are always refused, so the record cannot be created."""
    with pytest.raises(ValueError, match=r"."):
        Client(client_id=client_id)


@pytest.mark.parametrize("client_id", ["x", "x" * 255, "é" * 127, "ck_1.2-3~", "a b"])
def test_client_ids(client_id: str) -> None:
    """A client identifier has 1 to 255 bytes of printable text."""
    assert Client(client_id=client_id).client_id == client_id


def test_unknown_nonce_policy_is_refused() -> None:
    """A misspelled policy must not be treated as strict silently."""
    assert Client(client_id="c", nonce_policy="log-only").get_nonce_policy() == "log-only"
    with pytest.raises(ValueError, match="log_only"):
        Client(client_id="c", nonce_policy="log_only")  # type: ignore[arg-type]


@pytest.mark.parametrize("callback", ["javascript:alert(1)", "https://a@b/", "/relative", "https://a/#x"])
def test_invalid_callbacks_are_refused(callback: str) -> None:
    """A callback that the first step would refuse cannot be registered; the error names it among several."""
    with pytest.raises(InvalidRequestError, match=re.escape(f"callbacks: {callback!a} ")):
        Client(client_id="c", callbacks=("https://a.example/", callback))


@pytest.mark.parametrize("name", ["overlapping_secrets", "callbacks", "signature_methods"])
def test_a_string_is_not_accepted_as_a_tuple(name: str) -> None:
    """overlapping_secrets="old" would otherwise mean the three secrets "o", "l" and "d"."""
    values: dict[str, Any] = {name: "oob"}
    with pytest.raises(TypeError, match=name):
        Client(client_id="c", **values)


def test_with_a_public_key_only_rsa_is_enabled() -> None:
    """A client with an RSA key cannot sign with its secret, unless HMAC is enabled for it explicitly."""
    client = Client(client_id="c", client_secret="s", rsa_public_key=RSA_PUBLIC_KEY)
    assert client.get_signature_methods() == ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
    assert replace(client, signature_methods=("HMAC-SHA1",)).get_signature_methods() == ("HMAC-SHA1",)
    assert Client(client_id="c", client_secret="s").get_signature_methods() is None
