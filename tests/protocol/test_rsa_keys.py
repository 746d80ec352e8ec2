"""The RSA public keys that are accepted (RFC 5849 section 3.4.3), at registration and at verification."""

from __future__ import annotations

import base64
import builtins
import hashlib
import logging
import subprocess
import sys
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
)

from async_oauth1 import SIGNATURE_METHODS, Client, Policy, SigningKeys
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.stores.encryption import KeyRing
from async_oauth1.stores.row_mapping import client as client_of_row
from tests.keys import RSA_PUBLIC_KEY, RSA_PUBLIC_KEY_768, WEAK_RSA_PUBLIC_KEY
from tests.provider.provider import Provider

from .test_rsa import EC_PEM, PKCS1_PEM, PRIVATE, PRIVATE_PEM, PUBLIC_PEM, TEXT, _certificate
from .wire import Signer

SIGNATURES = {
    WEAK_RSA_PUBLIC_KEY: "A0TWBv/WIsg23/+LhA28OM+FAuc9lvmksao2S4UgHpHrItj1c3oezyntcslqp52mEGOhpWxPT3sB4HbZcsqegQ==",
    RSA_PUBLIC_KEY_768: (
        "qXoIFY4Qx9Y12fIvNY8nRxJQP2ty25wv+0E2bT2RjcM2Dw+Z/GXBGSxZhR8IAMVUTApluGqR6WFimDVLUnnBr0EN89Z6fHCVOsOv"
        "bboQPqcxbe0ePHa//xN6YRLvCHSr"
    ),
}
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
SHORT_PEM = SHORT.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
DER = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SSH = PRIVATE.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
SECRET = BestAvailableEncryption(b"password")
ENCRYPTED = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, SECRET).decode()
TRADITIONAL = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, SECRET).decode()


def _bare(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def _pkcs1(modulus: int, exponent: int) -> str:
    """A key in PEM that `cryptography` would refuse to build."""

    def tagged(tag: int, octets: bytes) -> bytes:
        size = len(octets).to_bytes(2, "big")
        return bytes([tag, 0x82]) + size + octets if len(octets) > 255 else bytes([tag, len(octets)]) + octets

    integers = b"".join(
        tagged(2, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (modulus, exponent)
    )
    body = base64.encodebytes(tagged(0x30, integers)).decode()
    return f"-----BEGIN RSA PUBLIC KEY-----\n{body}-----END RSA PUBLIC KEY-----\n"


MODULUS = PRIVATE.public_key().public_numbers().n
REQUEST = (
    x509.CertificateSigningRequestBuilder(x509.Name([])).sign(PRIVATE, hashes.SHA256()).public_bytes(Encoding.PEM)
).decode()

REFUSED = {
    "empty": ("", "is empty; leave it out"),
    "white space": (" \n", "is empty; leave it out"),
    "text": ("no key", "is not a public key in PEM; give"),
    "Base64": (_bare(PUBLIC_PEM), "is Base64 without the lines of PEM"),
    "Base64 of a private key": (_bare(PRIVATE_PEM), r"holds a private key \(in Base64\)"),
    "escaped line breaks": (PUBLIC_PEM.replace("\n", "\\n"), "written as a backslash and an n"),
    "OpenSSH": (SSH, "format of OpenSSH; convert it to PEM with ssh-keygen"),
    "OpenSSH without its first word": (SSH.split()[1], "format of OpenSSH"),
    "private": (PRIVATE_PEM, "holds a private key, which stays with the client"),
    "private in one line": (PRIVATE_PEM.replace("\n", "\\n"), "holds a private key"),
    "public and private": (PUBLIC_PEM + PRIVATE_PEM, "holds a private key"),
    "encrypted": (ENCRYPTED, r"holds a private key \(encrypted\)"),
    "encrypted, PKCS 1": (TRADITIONAL, r"holds a private key \(encrypted\)"),
    "EC": (EC_PEM, r"is a public key \(EC\), but not an RSA one"),
    "EC certificate": (_certificate(ec.generate_private_key(ec.SECP256R1())), "but not an RSA one"),
    "DER as Latin-1": (DER.decode("latin-1"), r"is binary \(DER\)"),
    "DER with replacements": (DER.decode("utf-8", "replace"), r"is binary \(DER\)"),
    "request": (REQUEST, "is a certificate request"),
    "cut off": (PUBLIC_PEM[:200], "damaged, cut off"),
    "512 bits": (WEAK_RSA_PUBLIC_KEY, "has 512 bits; at least 1024 are needed, 2048 are recommended"),
    "768 bits": (RSA_PUBLIC_KEY_768, "has 768 bits; at least 1024"),
    "exponent 1": (_pkcs1(MODULUS, 1), "has an exponent"),
    "even exponent": (_pkcs1(MODULUS, 65536), "has an exponent"),
    "even modulus": (_pkcs1(MODULUS - 1, 65537), "has an even modulus"),
    "20,001 bits": (_pkcs1((1 << 20_000) + 1, 65537), "has 20001 bits; at most 16384"),
    "large": ("A" * 100_000, "is too large for a key"),
}
refused_keys = pytest.mark.parametrize(("key", "reason"), REFUSED.values(), ids=REFUSED)


@refused_keys
def test_registration_names_the_mistake(key: str, reason: str) -> None:
    """Each mistake has a specific message, without any part of the key."""
    with pytest.raises(ValueError, match=f"rsa_public_key .*{reason}") as caught:
        Client(client_id="c", rsa_public_key=key)
    assert not [line for line in key.split() if len(line) > 30 and line in str(caught.value)]
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "key",
    [
        PUBLIC_PEM,
        PKCS1_PEM,
        _certificate(PRIVATE),
        SHORT_PEM,
        RSA_PUBLIC_KEY,
        f"note\n{PUBLIC_PEM}",
        _pkcs1(MODULUS, 3),
    ],
)
def test_usable_keys_are_registered(key: str) -> None:
    """Public keys and certificates of at least 1,024 bits in PEM are stored unchanged."""
    assert Client(client_id="c", rsa_public_key=key).get_rsa_public_key() == key


def test_another_type_is_refused() -> None:
    """A key object is not PEM."""
    key: Any = PRIVATE.public_key()
    with pytest.raises(ValueError, match="rsa_public_key is of the type"):
        Client(client_id="c", rsa_public_key=key)


@pytest.mark.parametrize("key", SIGNATURES)
def test_a_short_key_does_not_verify(key: str) -> None:
    """A key below 1,024 bits is refused even if it is already stored and the signature is correct."""
    assert not SIGNATURE_METHODS["RSA-SHA1"].verify(TEXT, SIGNATURES[key], SigningKeys(rsa_key=key))


def test_exponent_one_does_not_verify() -> None:
    """With the exponent 1 any client could forge signatures, so the key is refused."""
    size = MODULUS.bit_length() // 8
    info = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(TEXT.encode()).digest()
    forged = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    keys = SigningKeys(rsa_key=_pkcs1(MODULUS, 1))
    assert not SIGNATURE_METHODS["RSA-SHA1"].verify(TEXT, base64.b64encode(forged).decode(), keys)


class Model:
    """A client model of a provider."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def get_client_secret(self) -> None:
        """Return None: the client has no secret."""

    def get_rsa_public_key(self) -> Any:
        """Return the registered key."""
        return self.key


@pytest.mark.parametrize("key", [key for key, _ in REFUSED.values() if key] + [object(), bytearray(b"x"), 1])
@pytest.mark.parametrize("make", [Model, lambda key: Client(client_id="rsa", rsa_public_key=StoredKey(key))])
def test_an_unusable_key_is_logged_once(make: Any, key: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The request is refused, and there is one log line for each client and key, however many requests follow."""
    client_id = f"rsa-{id(make)}-{hash(repr(key))}"
    provider = Provider(Policy(signature_methods=("RSA-SHA1",)))
    client = make(key) if make is Model or isinstance(key, str) else Model(key)
    provider.hooks.replaced["query_client"] = lambda _: client
    provider.hooks.replaced["query_credentials"] = lambda *_: (client, None)
    for _ in range(3):
        error = provider.refusal(Signer(client_id, signature_method="RSA-SHA1").wire(signature="AAAA"), two_legged=True)
        assert isinstance(error, OAuth1Error)
        assert error.status_code == 401
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(lines) == 1
    assert f"RSA public key of client {client_id!r} cannot be used: it " in lines[0]
    assert not [line for line in repr(key).split() if len(line) > 30 and line in lines[0]]


def test_a_key_below_2048_bits_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """A key of 1,024 bits is accepted, and the log recommends a longer key once."""
    provider = Provider(Policy(signature_methods=("RSA-SHA1",)))
    provider.add(Client(client_id="short", rsa_public_key=SHORT_PEM))
    for _ in range(3):
        provider.refusal(Signer("short", signature_method="RSA-SHA1").wire(signature="AAAA"), two_legged=True)
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert lines == ["The RSA public key of client 'short' has 1024 bits; 2048 or more are recommended."]


@refused_keys
def test_a_stored_key_that_would_be_refused_can_be_loaded(key: str, reason: str) -> None:
    """A record with such a key in the database can still be found, listed and copied."""
    row = ("c", "secret", "[]", "", "[]", "[]", key, "strict", False, "[]", False)
    record = client_of_row(row, KeyRing(()), 0.0)
    assert record.rsa_public_key == key, reason


def test_credentials_load_no_cryptography() -> None:
    """Records without a key do not import `cryptography`."""
    code = (
        "import sys; from async_oauth1.credentials import Client; Client(client_id='c');"
        "sys.exit(any(name.startswith('cryptography') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_cryptography_only_the_format_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `cryptography` any PEM is accepted, and other formats are refused as usual."""
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    pem = PUBLIC_PEM + "a key that was not parsed before"
    assert Client(client_id="c", rsa_public_key=pem).rsa_public_key == pem
    for name in ("empty", "text", "Base64", "escaped line breaks", "OpenSSH", "private", "encrypted", "request"):
        key, reason = REFUSED[name]
        with pytest.raises(ValueError, match=f"rsa_public_key .*{reason}"):
            Client(client_id="c", rsa_public_key=f"{key} ")
