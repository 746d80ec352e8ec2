"""Signatures (RFC 5849 section 3.4): the base string, and an object for each signature method.

    method = SIGNATURE_METHODS["HMAC-SHA1"]
    method.sign(base_string, SigningKeys(client_secret="kd94hf93k423kf44", token_secret="pfkkdhi9sl3r4s00"))

HMAC-SHA1, RSA-SHA1 and PLAINTEXT are defined in the RFC. The variants with SHA-2 are used by NetSuite, LTI 1.1 and
Mastercard.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

from .base_string import base_string_parameters
from .encoding import Pair, escape_text, escape_uri, join_pairs
from .rsa_keys import dummy_public_key, public_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = [
    "SIGNATURE_METHODS",
    "HmacSignatureMethod",
    "KeyKind",
    "PlaintextSignatureMethod",
    "RsaSignatureMethod",
    "SignatureMethod",
    "SigningKeys",
    "shared_keys",
    "signature_base_string",
]

#: The number of cached HMAC keys, half a kilobyte each.
HMAC_KEYS_KEPT = 4_096


_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))


class SigningKeys(NamedTuple):
    """The keys to sign or verify with. They are not in the ``repr``.

    Attributes:
        client_secret: the client's shared secret; empty if the client has no secret.
        token_secret: the secret of the temporary or token credentials; empty if the request has no token.
        rsa_key: PEM of a private key to sign, or of a public key or an X.509 certificate to verify.
        token_secret_suffices: verify without a client secret, if there is a token secret. For clients that were
            registered without a secret.
    """

    client_secret: str = ""
    token_secret: str = ""
    rsa_key: str | bytes | None = None
    token_secret_suffices: bool = False

    @property
    def has_secret(self) -> bool:
        """Whether there is a secret that only the client knows; otherwise anyone could have signed."""
        return bool(self.client_secret or (self.token_secret_suffices and self.token_secret))

    def __repr__(self) -> str:
        """Show no secrets, so that they cannot be logged."""
        return "<SigningKeys>"


#: The kind of key that a signature method uses: the secrets that client and server share, or the client's RSA key.
KeyKind = Literal["shared secrets", "RSA key"]


@runtime_checkable
class SignatureMethod(Protocol):
    """A signature method (section 3.4)."""

    @property
    def name(self) -> str:
        """The value of ``oauth_signature_method``."""
        ...

    @property
    def key_kind(self) -> KeyKind:
        """The kind of key that it uses."""
        ...

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Return the value of ``oauth_signature``, not percent-encoded."""
        ...

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Return whether the signature is correct; for malformed signatures and missing keys the result is False."""
        ...


@dataclass(frozen=True, slots=True)
class HmacSignatureMethod:
    """HMAC over the base string (section 3.4.2).

    Attributes:
        name: the value of ``oauth_signature_method``.
        digest: the hash's name in `hashlib`.
        key_kind: the kind of key that it uses.
    """

    name: str
    digest: str
    key_kind: KeyKind = "shared secrets"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Return the HMAC with both secrets in Base64."""
        key = _hmac_key(keys.client_secret, keys.token_secret, self.digest)
        return key.authenticate(base_string).decode()

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Compare in constant time. Without a secret nothing verifies, see `SigningKeys.has_secret`."""
        client_secret, token_secret, _, _ = keys
        expected = _hmac_key(client_secret, token_secret, self.digest).authenticate(base_string)
        holds = signature.isascii() and hmac.compare_digest(expected, signature.encode())
        return holds if client_secret else holds and keys.has_secret


class _HmacKey:
    """A prepared HMAC key (RFC 2104 section 4): the inner and the outer hash after their first block.

    Copying these hashes for each message takes half the time of starting with the key.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, digest: str) -> None:
        """Prepare a key.

        Args:
            key: a key of any length.
            digest: the hash's name in `hashlib`.
        """
        inner, outer = hashlib.new(digest), hashlib.new(digest)
        if len(key) > inner.block_size:
            key = hashlib.new(digest, key).digest()
        block = key.ljust(inner.block_size, b"\0")
        inner.update(block.translate(_INNER_PAD))
        outer.update(block.translate(_OUTER_PAD))
        self._inner, self._outer = inner, outer

    def authenticate(self, base_string: str) -> bytes:
        """Return the HMAC of a base string in Base64."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(base_string.encode())
        outer.update(inner.digest())
        return binascii.b2a_base64(outer.digest(), newline=False)


@dataclass(frozen=True, slots=True)
class PlaintextSignatureMethod:
    """The secrets themselves (section 3.4.4), which need a secure channel."""

    name: str = "PLAINTEXT"
    key_kind: KeyKind = "shared secrets"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Return both secrets, encoded and joined; the base string is not used."""
        return _shared_key(keys.client_secret, keys.token_secret)

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Compare in constant time. Without a secret nothing verifies, see `SigningKeys.has_secret`."""
        expected = self.sign(base_string, keys).encode()
        return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass")) and bool(
            keys.client_secret or keys.has_secret
        )


@dataclass(frozen=True, slots=True)
class RsaSignatureMethod:
    """RSASSA-PKCS1-v1_5 over the base string (section 3.4.3); needs the package ``cryptography``.

    Attributes:
        name: the value of ``oauth_signature_method``.
        digest: the hash's class in ``cryptography.hazmat.primitives.hashes``.
        key_kind: the kind of key that it uses.
    """

    name: str
    digest: str
    key_kind: KeyKind = "RSA key"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Return the signature in Base64.

        Raises:
            ValueError: ``keys.rsa_key`` is not a private RSA key in PEM.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        signature = _private_key(keys.rsa_key).sign(base_string.encode(), PKCS1v15(), self._hash())
        return base64.b64encode(signature).decode()

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Verify with the client's public key, of 1,024 bits or more; the secrets are not used.

        Without a key the result is False, after as much work as with one of 2,048 bits.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        key = public_key(keys.rsa_key) if keys.rsa_key else None
        try:
            octets = base64.b64decode(signature, validate=True)
            (key or dummy_public_key()).verify(octets, base_string.encode(), PKCS1v15(), self._hash())
        except (InvalidSignature, binascii.Error, ValueError):  # ValueError: non-ASCII characters
            return False
        return key is not None

    def _hash(self) -> HashAlgorithm:
        from cryptography.hazmat.primitives import hashes

        algorithm: HashAlgorithm = getattr(hashes, self.digest)()
        return algorithm


def signature_base_string(method: str, base_string_uri: str, parameters: Iterable[Pair]) -> str:
    """Build the signature base string (section 3.4.1.1).

    Args:
        method: HTTP method, in any case.
        base_string_uri: scheme, host and path as in section 3.4.1.2, as Latin-1 text.
        parameters: the canonical pairs of section 3.4.1.3.1; this function removes ``oauth_signature``.
    """
    signed = base_string_parameters(join_pairs(parameters))
    return f"{escape_text(method.upper())}&{escape_uri(base_string_uri)}&{signed}"


def _shared_key(client_secret: str, token_secret: str) -> str:
    """Encode and join both secrets (section 3.4.2)."""
    return f"{escape_text(client_secret)}&{escape_text(token_secret)}"


@lru_cache(maxsize=HMAC_KEYS_KEPT)
def shared_keys(client_secret: str, token_secret: str) -> SigningKeys:
    """The keys of a client and a token that share secrets with the provider: kept, because making a tuple takes longer.

    Args:
        client_secret: of the client.
        token_secret: of the token; empty without one.
    """
    return SigningKeys(client_secret, token_secret)


@lru_cache(maxsize=HMAC_KEYS_KEPT)
def _hmac_key(client_secret: str, token_secret: str, digest: str) -> _HmacKey:
    return _HmacKey(_shared_key(client_secret, token_secret).encode(), digest)


def _private_key(pem: str | bytes | None) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(_octets(pem or b""), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("The private key is not an RSA key.")
    return key


def _octets(pem: str | bytes) -> bytes:
    return pem.encode("utf-8", "surrogatepass") if isinstance(pem, str) else pem


#: The built-in signature methods by name.
SIGNATURE_METHODS: Mapping[str, SignatureMethod] = MappingProxyType(
    {
        method.name: method
        for method in (
            HmacSignatureMethod("HMAC-SHA1", "sha1"),
            HmacSignatureMethod("HMAC-SHA256", "sha256"),
            HmacSignatureMethod("HMAC-SHA512", "sha512"),
            RsaSignatureMethod("RSA-SHA1", "SHA1"),
            RsaSignatureMethod("RSA-SHA256", "SHA256"),
            RsaSignatureMethod("RSA-SHA512", "SHA512"),
            PlaintextSignatureMethod(),
        )
    }
)
