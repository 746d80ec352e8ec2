"""Signatures (RFC 5849 section 3.4): the base string, and one small object for each signature method.

    method = SIGNATURE_METHODS["HMAC-SHA1"]
    method.sign(base_string, SigningKeys(client_secret="kd94hf93k423kf44", token_secret="pfkkdhi9sl3r4s00"))

HMAC-SHA1, RSA-SHA1 and PLAINTEXT are the RFC's. The SHA-2 variants are the same with another hash, as NetSuite, LTI 1.1
and Mastercard use them.
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
from .rsa_keys import public_key

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
    "signature_base_string",
]

#: Prepared HMAC keys that are kept, half a kilobyte each.
HMAC_KEYS_KEPT = 4_096


_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))


class SigningKeys(NamedTuple):
    """What a signature is made or checked with. ``repr`` shows none of it.

    Attributes:
        client_secret: the client's shared secret; empty if it has none.
        token_secret: the secret of the temporary or token credentials; empty if the request has no token.
        rsa_key: PEM: the private key to sign, the public key or an X.509 certificate to verify.
    """

    client_secret: str = ""
    token_secret: str = ""
    rsa_key: str | bytes | None = None

    def __repr__(self) -> str:
        """No secret belongs in a log."""
        return "<SigningKeys>"


#: What a signature is made with: the secrets that client and server share, or the client's RSA key.
KeyKind = Literal["shared secrets", "RSA key"]


@runtime_checkable
class SignatureMethod(Protocol):
    """A signature method (section 3.4)."""

    @property
    def name(self) -> str:
        """What ``oauth_signature_method`` says."""
        ...

    @property
    def key_kind(self) -> KeyKind:
        """The key that it needs."""
        ...

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Make the value of ``oauth_signature``, not yet percent-encoded."""
        ...

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Whether the signature holds; False, never an exception, for any signature and for keys that are missing."""
        ...


@dataclass(frozen=True, slots=True)
class HmacSignatureMethod:
    """HMAC over the base string (section 3.4.2).

    Attributes:
        name: what ``oauth_signature_method`` says.
        digest: the hash's name in `hashlib`.
        key_kind: the key that it needs.
    """

    name: str
    digest: str
    key_kind: KeyKind = "shared secrets"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Base64 of the HMAC under both secrets."""
        key = _hmac_key(keys.client_secret, keys.token_secret, self.digest)
        return key.authenticate(base_string).decode()

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Compare in constant time. Without a client secret nothing verifies: anyone could have signed."""
        expected = _hmac_key(keys.client_secret, keys.token_secret, self.digest).authenticate(base_string)
        return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass")) and bool(keys.client_secret)


class _HmacKey:
    """A key as HMAC uses it (RFC 2104 section 4): two hashes that have each seen one block.

    What follows them is different for every message. Kept, they make it half the work.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, digest: str) -> None:
        """Prepare a key.

        Args:
            key: of any length.
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
        """The HMAC of a base string, in Base64."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(base_string.encode())
        outer.update(inner.digest())
        return binascii.b2a_base64(outer.digest(), newline=False)


@dataclass(frozen=True, slots=True)
class PlaintextSignatureMethod:
    """The secrets themselves (section 3.4.4); for a secure channel alone."""

    name: str = "PLAINTEXT"
    key_kind: KeyKind = "shared secrets"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Both secrets, encoded and joined; the base string takes no part."""
        return _shared_key(keys.client_secret, keys.token_secret)

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Compare in constant time. Without a client secret nothing verifies."""
        return hmac.compare_digest(
            self.sign(base_string, keys).encode(), signature.encode("utf-8", "surrogatepass")
        ) and bool(keys.client_secret)


@dataclass(frozen=True, slots=True)
class RsaSignatureMethod:
    """RSASSA-PKCS1-v1_5 over the base string (section 3.4.3); needs the package ``cryptography``.

    Attributes:
        name: what ``oauth_signature_method`` says.
        digest: the hash's class in ``cryptography.hazmat.primitives.hashes``.
        key_kind: the key that it needs.
    """

    name: str
    digest: str
    key_kind: KeyKind = "RSA key"

    def sign(self, base_string: str, keys: SigningKeys) -> str:
        """Base64 of the signature.

        Raises:
            ValueError: ``keys.rsa_key`` is no RSA private key in PEM.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        signature = _private_key(keys.rsa_key).sign(base_string.encode(), PKCS1v15(), self._hash())
        return base64.b64encode(signature).decode()

    def verify(self, base_string: str, signature: str, keys: SigningKeys) -> bool:
        """Check against the client's public key, of 1,024 bits or more; secrets take no part."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

        key = public_key(keys.rsa_key) if keys.rsa_key else None
        if key is None:
            return False
        try:
            octets = base64.b64decode(signature, validate=True)
            key.verify(octets, base_string.encode(), PKCS1v15(), self._hash())
        except (InvalidSignature, binascii.Error, ValueError):  # ValueError: characters beyond ASCII
            return False
        return True

    def _hash(self) -> HashAlgorithm:
        from cryptography.hazmat.primitives import hashes

        algorithm: HashAlgorithm = getattr(hashes, self.digest)()
        return algorithm


def signature_base_string(method: str, base_string_uri: str, parameters: Iterable[Pair]) -> str:
    """Build the signature base string (section 3.4.1.1).

    Args:
        method: HTTP method, in any case.
        base_string_uri: scheme, host and path as section 3.4.1.2 has them, octets as Latin-1 text.
        parameters: canonical pairs, all that section 3.4.1.3.1 counts; ``oauth_signature`` is left out here.
    """
    signed = base_string_parameters(join_pairs(parameters))
    return f"{escape_text(method.upper())}&{escape_uri(base_string_uri)}&{signed}"


def _shared_key(client_secret: str, token_secret: str) -> str:
    """Section 3.4.2: both secrets, encoded and joined."""
    return f"{escape_text(client_secret)}&{escape_text(token_secret)}"


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


#: The methods that are shipped, by name.
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
