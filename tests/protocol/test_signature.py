"""Signature methods: what they sign, and what they refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_oauth1 import SIGNATURE_METHODS, SigningKeys
from async_oauth1.protocol.signature import _HmacKey
from async_oauth1.signature import HmacSignatureMethod, SignatureMethod

from .wire import any_octets, shared_key_signature

TEXT = "GET&http%3A%2F%2Fexample.com%2F&a%3D1"
SHARED_KEY_METHODS = ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"]


def test_available_methods() -> None:
    """The RFC's three methods and the SHA-2 variants, by name."""
    names = ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"]
    assert list(SIGNATURE_METHODS) == names
    assert all(method.name == name for name, method in SIGNATURE_METHODS.items())
    assert all(isinstance(method, SignatureMethod) for method in SIGNATURE_METHODS.values())


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@given(key=any_octets(max_size=200), text=st.text(max_size=300))
def test_a_cached_key_gives_the_same_macs(digest: str, key: bytes, text: str) -> None:
    """RFC 2104, for keys shorter and longer than a block, and for repeated use."""
    kept = _HmacKey(key, digest)
    for message in (text, "", text + "\0", text):
        assert base64.b64decode(kept.authenticate(message)) == hmac.digest(key, message.encode(), digest)


def test_registry_cannot_be_changed() -> None:
    """The shared table is read-only, so a custom method of one server cannot appear on another."""
    with pytest.raises(TypeError):
        SIGNATURE_METHODS["X"] = SIGNATURE_METHODS["PLAINTEXT"]  # type: ignore[index]


@pytest.mark.rfc5849("3.4.2/ampersand", "3.4.4/ampersand")
@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("secrets", [("a", ""), ("a", "b"), ("a&b", "c"), ("ä", "€"), ("%26", "+ /"), ("~-._", "x")])
def test_secrets_are_encoded_before_they_are_joined(name: str, secrets: tuple[str, str]) -> None:
    """The secrets ("a&b", "c") and ("a", "b&c") give different keys."""
    assert SIGNATURE_METHODS[name].sign(TEXT, SigningKeys(*secrets)) == shared_key_signature(name, TEXT, *secrets)


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
def test_sign_and_verify(name: str) -> None:
    """A signature verifies with the same secrets, and not if one of them differs."""
    method = SIGNATURE_METHODS[name]
    signature = method.sign(TEXT, SigningKeys("a", "b"))
    assert method.verify(TEXT, signature, SigningKeys("a", "b")) is True
    assert method.verify(TEXT, signature, SigningKeys("a", "c")) is False
    assert method.verify(TEXT, signature, SigningKeys("b", "b")) is False
    assert method.verify(TEXT, signature, SigningKeys("a", "")) is False


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("token_secret", ["", "b"])
def test_client_without_a_secret_never_verifies(name: str, token_secret: str) -> None:
    """Even the correct signature with an empty secret is refused."""
    keys = SigningKeys("", token_secret)
    method = SIGNATURE_METHODS[name]
    assert method.verify(TEXT, method.sign(TEXT, keys), keys) is False


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("signature", ["", "a", "é", "\ud800", "\x00", "=" * 28, "A" * 100_000])
def test_malformed_signatures(name: str, signature: str) -> None:
    """The result is False for any text, without an exception; compare_digest refuses non-ASCII text."""
    assert SIGNATURE_METHODS[name].verify(TEXT, signature, SigningKeys("a", "b")) is False


@pytest.mark.parametrize("name", ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512"])
def test_hmac_signature_is_compared_as_text(name: str) -> None:
    """Another spelling of the same Base64 octets is refused."""
    method, keys = SIGNATURE_METHODS[name], SigningKeys("a")
    signature = method.sign(TEXT, keys)
    assert not method.verify(TEXT, signature + "\n", keys)
    assert not method.verify(TEXT, signature.rstrip("="), keys)
    assert not method.verify(TEXT, signature.lower(), keys)


def test_plaintext_ignores_the_base_string() -> None:
    """Section 3.4.4: the signature consists of the secrets only."""
    plaintext, keys = SIGNATURE_METHODS["PLAINTEXT"], SigningKeys("a", "b")
    assert plaintext.sign("x", keys) == plaintext.sign("y", keys) == "a&b"


def test_hmac_with_another_hash() -> None:
    """A provider can create an HMAC method with another hash."""
    method = HmacSignatureMethod("HMAC-SHA384", "sha384")
    assert len(method.sign(TEXT, SigningKeys("a"))) == len(hashlib.sha384().digest()) * 4 // 3
    assert isinstance(method, SignatureMethod)


def test_repr_of_keys_hides_secrets() -> None:
    """The repr of signing keys contains no secret."""
    text = repr(SigningKeys("client-secret", "token-secret", "rsa-key"))
    assert not any(secret in text for secret in ("client-secret", "token-secret", "rsa-key"))
