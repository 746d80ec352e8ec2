"""Signature methods as objects: what they sign, and what never verifies."""

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


def test_methods_that_are_shipped() -> None:
    """The RFC's three and their SHA-2 variants, each under its own name."""
    names = ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"]
    assert list(SIGNATURE_METHODS) == names
    assert all(method.name == name for name, method in SIGNATURE_METHODS.items())
    assert all(isinstance(method, SignatureMethod) for method in SIGNATURE_METHODS.values())


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
@given(key=any_octets(max_size=200), text=st.text(max_size=300))
def test_a_kept_key_makes_the_macs_that_the_key_makes(digest: str, key: bytes, text: str) -> None:
    """RFC 2104, for keys shorter and longer than a block, and for every message after the first, too."""
    kept = _HmacKey(key, digest)
    for message in (text, "", text + "\0", text):
        assert base64.b64decode(kept.authenticate(message)) == hmac.digest(key, message.encode(), digest)


def test_registry_cannot_be_changed() -> None:
    """One server's custom method must not appear on every other, so the shared table is read-only."""
    with pytest.raises(TypeError):
        SIGNATURE_METHODS["X"] = SIGNATURE_METHODS["PLAINTEXT"]  # type: ignore[index]


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("secrets", [("a", ""), ("a", "b"), ("a&b", "c"), ("ä", "€"), ("%26", "+ /"), ("~-._", "x")])
def test_signs_as_the_rfc_says(name: str, secrets: tuple[str, str]) -> None:
    """Secrets are encoded before they are joined, so that ("a&b", "c") and ("a", "b&c") differ."""
    assert SIGNATURE_METHODS[name].sign(TEXT, SigningKeys(*secrets)) == shared_key_signature(name, TEXT, *secrets)


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
def test_verifies_its_own(name: str) -> None:
    """What was signed verifies, and with either secret changed it does not."""
    method = SIGNATURE_METHODS[name]
    signature = method.sign(TEXT, SigningKeys("a", "b"))
    assert method.verify(TEXT, signature, SigningKeys("a", "b")) is True
    assert method.verify(TEXT, signature, SigningKeys("a", "c")) is False
    assert method.verify(TEXT, signature, SigningKeys("b", "b")) is False
    assert method.verify(TEXT, signature, SigningKeys("a", "")) is False


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("token_secret", ["", "b"])
def test_client_without_secret_never_verifies(name: str, token_secret: str) -> None:
    """An empty key is no secret, so even the right signature under it is refused."""
    keys = SigningKeys("", token_secret)
    method = SIGNATURE_METHODS[name]
    assert method.verify(TEXT, method.sign(TEXT, keys), keys) is False


@pytest.mark.parametrize("name", SHARED_KEY_METHODS)
@pytest.mark.parametrize("signature", ["", "a", "é", "\ud800", "\x00", "=" * 28, "A" * 100_000])
def test_signatures_that_are_none(name: str, signature: str) -> None:
    """Whatever stands in oauth_signature is False, not an exception: compare_digest refuses text beyond ASCII."""
    assert SIGNATURE_METHODS[name].verify(TEXT, signature, SigningKeys("a", "b")) is False


@pytest.mark.parametrize("name", ["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512"])
def test_hmac_signature_is_compared_as_text(name: str) -> None:
    """Another spelling of the same Base64 octets is another signature."""
    method, keys = SIGNATURE_METHODS[name], SigningKeys("a")
    signature = method.sign(TEXT, keys)
    assert not method.verify(TEXT, signature + "\n", keys)
    assert not method.verify(TEXT, signature.rstrip("="), keys)
    assert not method.verify(TEXT, signature.lower(), keys)


def test_plaintext_ignores_the_base_string() -> None:
    """Section 3.4.4: the secrets are all there is."""
    plaintext, keys = SIGNATURE_METHODS["PLAINTEXT"], SigningKeys("a", "b")
    assert plaintext.sign("x", keys) == plaintext.sign("y", keys) == "a&b"


def test_another_hash_is_another_object() -> None:
    """A provider that needs one more HMAC makes it from the class."""
    method = HmacSignatureMethod("HMAC-SHA384", "sha384")
    assert len(method.sign(TEXT, SigningKeys("a"))) == len(hashlib.sha384().digest()) * 4 // 3
    assert isinstance(method, SignatureMethod)


def test_keys_show_nothing() -> None:
    """The repr of signing keys holds no secret."""
    text = repr(SigningKeys("client-secret", "token-secret", "rsa-key"))
    assert not any(secret in text for secret in ("client-secret", "token-secret", "rsa-key"))
