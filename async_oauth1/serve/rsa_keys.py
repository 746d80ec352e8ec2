"""Key pairs of clients."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

__all__ = ["new_private_key", "public_key_of"]

_BITS = 2048


def new_private_key() -> str:
    """Make an RSA key of 2,048 bits; PEM, PKCS #8."""
    key = generate_private_key(public_exponent=65_537, key_size=_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key_of(private_key: str) -> str:
    """The public key of a private one, both PEM.

    Raises:
        ValueError: it is not an RSA private key without a passphrase.
    """
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("is not an RSA private key in PEM without a passphrase")
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
