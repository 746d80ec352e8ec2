"""RSA: the digest is taken out of the signature once, so every cause of the base string can be proven."""

from __future__ import annotations

import base64
from collections import Counter

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from async_oauth1.explain import Explanation, Secrets, explain
from async_oauth1.explain.said import explain_said
from tests.keys import rsa_private_key

from .corpus import SHAPES, corpus
from .pairs import drawn_pairs
from .signer import Request, policy

KEY = rsa_private_key()
OTHER_KEY = rsa_private_key(1)
_OF_KEYS = {
    "secrets_swapped", "secret_encoding", "secret_whitespace", "token_secret_missing", "ampersand_missing",
    "former_secret", "signature_method", "signature_encoding",
}  # fmt: skip


def pem(key: rsa.RSAPrivateKey) -> str:
    """The public key."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def with_rsa(request: Request, name: str = "SHA1", key: rsa.RSAPrivateKey = KEY) -> Request:
    """The same request and the same mistakes, signed with a private key."""
    named = request.but(algorithm=f"RSA-{name}", signs_by="HMAC-SHA1")

    def signature(_: bytes) -> str:
        message = named.base_string().encode("latin-1")
        return base64.b64encode(key.sign(message, padding.PKCS1v15(), getattr(hashes, name)())).decode()

    return named.but(write_signature=signature)


def explained(request: Request, key: rsa.RSAPrivateKey = KEY) -> Explanation:
    """What a provider says that has the public key and no secret."""
    return explain(request.sent(), Secrets(rsa_public_key=pem(key)), policy=policy(request))


@pytest.mark.parametrize("name", ["SHA1", "SHA256", "SHA512"])
def test_a_genuine_signature_verifies(name: str) -> None:
    """Each of the three hashes."""
    assert explained(with_rsa(SHAPES["header"], name)).verifies


@pytest.mark.no_cover
def test_causes_of_the_base_string_are_found() -> None:
    """Every third case of the corpus that is not about the key."""
    wrong = Counter[tuple[str, str]]()
    for name, code, request in corpus()[::5]:
        if code not in _OF_KEYS:
            found = [cause.code for cause in explained(with_rsa(request)).causes]
            if found != [code]:
                wrong[name, str(found)] += 1
    assert not wrong


@pytest.mark.no_cover
def test_pairs_are_found() -> None:
    """Two causes together cost no more with RSA."""
    found = missed = 0
    for _, codes, request in drawn_pairs(seed=3, count=60):
        if codes & _OF_KEYS:
            continue
        named = [cause.code for cause in explained(with_rsa(request)).causes]
        if len(named) != 1:
            found, missed = found + (set(named) == codes), missed + (set(named) != codes)
    assert found / (found + missed) >= 0.85


def test_another_key_is_not_explained() -> None:
    """A signature of another private key proves nothing, at once."""
    explanation = explained(with_rsa(SHAPES["header"]), OTHER_KEY)
    assert (explanation.verifies, explanation.causes) == (False, ())
    assert explanation.tried <= 2


def test_another_hash_than_named() -> None:
    """RSA-SHA256 where RSA-SHA1 is named, and an HMAC where RSA is."""
    request = with_rsa(SHAPES["header"], "SHA256").but(algorithm="RSA-SHA1")
    named = request.but(write_signature=lambda _: _sign(request))
    assert [cause.code for cause in explained(named).causes] == ["signature_method"]
    keys = Secrets(("secret",), rsa_public_key=pem(KEY))
    hmac_signed = Request(algorithm="RSA-SHA1", signs_by="HMAC-SHA1", token=False, client_secret="secret")
    assert [cause.code for cause in explain(hmac_signed.sent(), keys).causes] == ["signature_method"]


def _sign(request: Request) -> str:
    message = request.base_string().encode("latin-1")
    return base64.b64encode(KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def test_rsa_where_an_hmac_is_named() -> None:
    """The public key proves it."""
    request = SHAPES["header"]
    signed = request.but(
        signs_by="HMAC-SHA1",
        write_signature=lambda _: base64.b64encode(
            KEY.sign(request.base_string().encode("latin-1"), padding.PKCS1v15(), hashes.SHA1())
        ).decode(),
    )
    keys = Secrets(("x",), "y", rsa_public_key=pem(KEY))
    assert [cause.code for cause in explain(signed.sent(), keys).causes] == ["signature_method"]


def test_the_key_tells_equal_base_strings_apart() -> None:
    """With a public key, `--provider-said` says whether the key is another one, or the text that was signed."""
    request = with_rsa(SHAPES["header"])
    for key, text in ((KEY, "provider holds another key"), (OTHER_KEY, "not made with the private key")):
        explanation = explain_said(request.sent(), request.base_string(), Secrets(rsa_public_key=pem(key)))
        assert [cause.code for cause in explanation.causes] == ["key"]
        assert text in explanation.causes[0].text
