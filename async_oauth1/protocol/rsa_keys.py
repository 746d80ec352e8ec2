"""RSA public keys of clients (RFC 5849 section 3.4.3): parsing them, and explaining what is wrong with a key.

Registration and verification use the same rules. ``cryptography`` is imported only when a key is parsed.
"""

from __future__ import annotations

import binascii
import logging
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = [
    "MAX_KEY_BYTES",
    "MIN_RSA_BITS",
    "RECOMMENDED_RSA_BITS",
    "StoredKey",
    "check_key_form",
    "dummy_public_key",
    "log_key_problem",
    "public_key",
]

log = logging.getLogger("async_oauth1")

#: Shorter keys are refused; keys of 512 and 768 bits have been factored publicly.
MIN_RSA_BITS = 1_024
#: Shorter keys are accepted, with a warning in the log.
RECOMMENDED_RSA_BITS = 2_048
#: OpenSSL does not verify with longer keys.
MAX_RSA_BITS = 16_384
#: Longer texts are not parsed.
MAX_KEY_BYTES = 64 * 1024
#: The number of cached RSA keys; parsing a key takes as long as several verifications.
RSA_KEYS_KEPT = 1_024

_WANTED = "give the public key in PEM, from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\s-]{40,}={0,2}\s*")
_PEM = re.compile(rb"-----BEGIN (?:(?:RSA )?PUBLIC KEY|CERTIFICATE)-----[A-Za-z0-9+/=\s]+-----END ")
_SSH = (
    b"ssh-",
    b"ecdsa-sha2-",
    b"sk-ssh-",
    b"sk-ecdsa-",
    b"---- BEGIN SSH2",
    b"AAAAB3NzaC1",
    b"AAAAC3NzaC1",
    b"AAAAE2Vj",
)


class StoredKey(str):
    """A key from a store, which is checked only at verification.

    Otherwise one invalid row would prevent listing all clients.
    """

    __slots__ = ()


def check_key_form(key: object) -> None:
    """Check a key at registration; without ``cryptography`` only its format is checked.

    Raises:
        ValueError: the key is not usable. The message says why and what to do, without the key itself.
    """
    try:
        result = _examined(key)
    except ModuleNotFoundError:
        octets = _octets(key)
        result = _foreign_form(octets) or ("" if _PEM.search(octets) else _damage(octets))
    if isinstance(result, str) and result:
        raise ValueError(result)


def public_key(key: object) -> RSAPublicKey | None:
    """Return the parsed key, or ``None`` if it is not usable."""
    result = _examined(key)
    return None if isinstance(result, str) else result


@cache
def dummy_public_key() -> RSAPublicKey:
    """A key of 2,048 bits with which nothing is verified: for the work that a client without a key must cost, too."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    return RSAPublicNumbers(e=65_537, n=3**1292).public_key()


def log_key_problem(client_id: str | None, key: object) -> None:
    """Log, once for each client and key, that the key is not usable or shorter than recommended."""
    if not key:
        return
    result = _examined(key)
    if isinstance(result, str):
        _log_unusable(client_id, result, hash(key) if isinstance(key, (str, bytes)) else 0)
    elif result.key_size < RECOMMENDED_RSA_BITS:
        _log_short(client_id, result.key_size)


@lru_cache(maxsize=RSA_KEYS_KEPT)
def _log_unusable(client_id: str | None, problem: str, _fingerprint: int) -> None:
    log.error("The RSA public key of client %r cannot be used: it %s.", client_id, problem)


@lru_cache(maxsize=RSA_KEYS_KEPT)
def _log_short(client_id: str | None, bits: int) -> None:
    recommended = f"{RECOMMENDED_RSA_BITS} or more are recommended"
    log.warning("The RSA public key of client %r has %d bits; %s.", client_id, bits, recommended)


def _examined(key: object) -> RSAPublicKey | str:
    """Return the parsed key, or a text that says what is wrong with it."""
    if not isinstance(key, (str, bytes)):
        return _wrong_type(type(key))
    return "is too large for a key" if len(key) > MAX_KEY_BYTES else _parsed(key)


@lru_cache(maxsize=RSA_KEYS_KEPT)
def _parsed(key: str | bytes) -> RSAPublicKey | str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    octets = _octets(key)
    if problem := _foreign_form(octets):
        return problem
    certified = b"BEGIN CERTIFICATE-----" in octets
    try:
        loaded: object = load_pem_x509_certificate(octets).public_key() if certified else load_pem_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        return _damage(octets, str(error))
    if not isinstance(loaded, RSAPublicKey):
        kind = type(loaded).__name__.removesuffix("PublicKey")
        return f"is a public key ({kind}), but not an RSA one; the client needs an RSA key pair for RSA signatures"
    return _weakness(loaded) or loaded


def _weakness(key: RSAPublicKey) -> str:
    numbers = key.public_numbers()
    if key.key_size < MIN_RSA_BITS:
        return f"has {key.key_size} bits; at least {MIN_RSA_BITS} are needed, {RECOMMENDED_RSA_BITS} are recommended"
    if key.key_size > MAX_RSA_BITS:
        return f"has {key.key_size} bits; at most {MAX_RSA_BITS} can be used"
    if numbers.n % 2 == 0 or numbers.e < 3 or numbers.e % 2 == 0:
        return "has an even modulus or an exponent that is even or below 3; make a new key pair"
    return ""


def _foreign_form(octets: bytes) -> str:
    """Describe input that is empty, a private key, or not PEM; the result is empty if it may be a public key."""
    start = octets.strip()
    if not start:
        return "is empty; leave it out (None) for a client without an RSA key"
    if b"BEGIN ENCRYPTED PRIVATE KEY" in octets or (b"PRIVATE KEY" in octets and b"ENCRYPTED" in octets):
        return "holds a private key (encrypted), which stays with the client; give the public one"
    if b"PRIVATE KEY" in octets:
        return "holds a private key, which stays with the client; give the public one (openssl rsa -in FILE -pubout)"
    if start.startswith(_SSH):
        return "is in the format of OpenSSH; convert it to PEM with ssh-keygen -e -m PKCS8 -f FILE.pub"
    if start.startswith(b"0") and any(octet < 32 or octet > 126 for octet in start[1:8] if octet not in b"\r\n\t"):
        return "is binary (DER); convert it to PEM with openssl rsa -pubin -inform DER -in FILE"
    return ""


def _damage(octets: bytes, error: str = "") -> str:
    """Describe why text cannot be read as PEM."""
    if b"-----BEGIN" in octets and b"\\n" in octets:
        return "has its line breaks written as a backslash and an n; replace them with line breaks"
    if b"BEGIN CERTIFICATE REQUEST" in octets or b"BEGIN NEW CERTIFICATE REQUEST" in octets:
        return f"is a certificate request; {_WANTED}, or the certificate"
    if error.startswith("e must be"):
        return "has an exponent that is even, below 3 or too large; make a new key pair"
    if b"-----BEGIN" in octets:
        return f"is not a public key in PEM: it is damaged, cut off or of an unknown kind; {_WANTED}"
    if _BASE64.fullmatch(octets):
        return _bare_base64(octets)
    return f"is not a public key in PEM; {_WANTED}"


def _bare_base64(octets: bytes) -> str:
    if _is_private_der(octets):
        return "holds a private key (in Base64), which stays with the client; give the public one"
    return (
        "is Base64 without the lines of PEM; put -----BEGIN PUBLIC KEY----- above it and -----END PUBLIC KEY----- below"
    )


def _is_private_der(octets: bytes) -> bool:
    """Return whether Base64 is a private key, which starts with a version number (PKCS #1 and PKCS #8)."""
    try:
        der = binascii.a2b_base64(octets)
    except binascii.Error:
        return False
    header = 2 + (der[1] & 0x7F if len(der) > 1 and der[1] & 0x80 else 0)
    return der[:1] == b"0" and der[header : header + 2] == b"\x02\x01"


def _wrong_type(kind: type) -> str:
    return f"is of the type {kind.__name__}; {_WANTED}, as text"


def _octets(key: object) -> bytes:
    if isinstance(key, bytes):
        return key
    return key.encode("utf-8", "surrogatepass") if isinstance(key, str) else b""
