"""The shipped records: Authlib's methods, validation, and no secret in any repr."""

from __future__ import annotations

import hmac
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
    """Secrets, former secrets, keys and verifiers never reach a log by way of a record."""
    for text in (repr(record), str(record), f"{record!r}", repr([record])):
        assert "hidden" not in text


@pytest.mark.parametrize("record", [TEMPORARY, TOKEN, CLIENT])
def test_records_are_frozen(record: Any) -> None:
    """A record that a cache shares cannot be changed, and holds nothing else."""
    with pytest.raises((AttributeError, TypeError)):
        record.client_id = "x"
    with pytest.raises((AttributeError, TypeError)):
        record.anything = "x"


def test_methods_of_authlib() -> None:
    """What Authlib's mixins offer, the records offer."""
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
    """The current secret, then those that still verify; without a current one only those."""
    assert CLIENT.get_client_secrets() == ("hidden-1", "hidden-2", "hidden-3")
    assert Client(client_id="c").get_client_secrets() == ()
    assert Client(client_id="c", overlapping_secrets=("a",)).get_client_secrets() == ("a",)


def test_signature_methods_of_a_client() -> None:
    """None enabled for it means all of the server's; some mean those alone."""
    assert Client(client_id="c").get_signature_methods() is None
    assert Client(client_id="c", signature_methods=("RSA-SHA1",)).get_signature_methods() == ("RSA-SHA1",)


@pytest.mark.parametrize("verifier", [None, ""])
@pytest.mark.parametrize("guess", ["", "None", "x"])
def test_no_verifier_matches_none(verifier: str | None, guess: str) -> None:
    """Before approval nothing is the right verifier, not even nothing."""
    credential = TemporaryCredential(
        oauth_token="t", oauth_token_secret="s", client_id="c", oauth_callback="oob", oauth_verifier=verifier
    )
    assert credential.check_verifier(guess) is False


@pytest.mark.parametrize(("guess", "expected"), [("hidden-2", True), ("hidden-", False), ("é", False), ("", False)])
def test_verifier_is_compared_in_constant_time(guess: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hmac.compare_digest on octets, since text beyond ASCII makes it raise."""
    compared = []
    original = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return original(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert TEMPORARY.check_verifier(guess) is expected
    assert compared == [(b"hidden-2", guess.encode())]


@pytest.mark.parametrize("client_id", ["", "x" * 256, "é" * 128, "a\x00", "a\nb", "\x7f", "\ud800"])
def test_client_id_that_no_request_can_carry(client_id: str) -> None:
    """Such a client could never sign a request that is accepted, so it is refused when it is made."""
    with pytest.raises(ValueError, match=r"."):
        Client(client_id=client_id)


@pytest.mark.parametrize("client_id", ["x", "x" * 255, "é" * 127, "ck_1.2-3~", "a b"])
def test_client_ids(client_id: str) -> None:
    """1 to 255 bytes of whatever can be printed."""
    assert Client(client_id=client_id).client_id == client_id


def test_nonce_policy_is_one_of_two() -> None:
    """A misspelled policy would be strict without saying so."""
    assert Client(client_id="c", nonce_policy="log-only").get_nonce_policy() == "log-only"
    with pytest.raises(ValueError, match="log_only"):
        Client(client_id="c", nonce_policy="log_only")  # type: ignore[arg-type]


@pytest.mark.parametrize("callback", ["javascript:alert(1)", "https://a@b/", "/relative", "https://a/#x"])
def test_callback_that_would_be_refused(callback: str) -> None:
    """A callback that the first step would refuse is not registered in the first place."""
    with pytest.raises(InvalidRequestError):
        Client(client_id="c", callbacks=(callback,))


@pytest.mark.parametrize("name", ["overlapping_secrets", "callbacks", "signature_methods"])
def test_one_string_is_no_tuple(name: str) -> None:
    """overlapping_secrets="old" would make "o", "l" and "d" three secrets that verify."""
    values: dict[str, Any] = {name: "oob"}
    with pytest.raises(TypeError, match=name):
        Client(client_id="c", **values)


def test_a_public_key_leaves_the_secret_without_a_method() -> None:
    """A client that signs with RSA has a secret, too, but no second way in unless HMAC is enabled for it by name."""
    client = Client(client_id="c", client_secret="s", rsa_public_key=RSA_PUBLIC_KEY)
    assert client.get_signature_methods() == ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
    assert replace(client, signature_methods=("HMAC-SHA1",)).get_signature_methods() == ("HMAC-SHA1",)
    assert Client(client_id="c", client_secret="s").get_signature_methods() is None
