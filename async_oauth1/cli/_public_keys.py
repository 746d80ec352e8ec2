"""Reading a client's RSA public key from a file."""

from __future__ import annotations

from pathlib import Path

from ._console import CommandError, printable

__all__ = ["read_public_key"]

# Larger files hold no key; reading one by mistake should not take long.
_MAX_KEY_BYTES = 64 * 1024
# cryptography reads shorter ones; they have been broken in public.
_MIN_RSA_BITS = 1024


def read_public_key(path: Path) -> str:
    """The key alone, in one form.

    Raises:
        CommandError: the file holds no RSA public key.
    """
    shown = f"--rsa-public-key {printable(str(path))}"
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_KEY_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CommandError(f"{shown}: {getattr(error, 'strerror', None) or 'cannot be read'}") from error
    if b"PRIVATE KEY" in octets:
        raise CommandError(f"{shown}: holds a private key, which stays with the client; give the public one")
    if len(octets) > _MAX_KEY_BYTES:
        raise CommandError(f"{shown}: too large for a key")
    return _normalized(octets, shown)


def _normalized(octets: bytes, shown: str) -> str:
    """The key alone, in one form: what else the file says does not get into the store."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
        from cryptography.x509 import load_pem_x509_certificate
    except ModuleNotFoundError as error:
        raise CommandError(f"{shown}: reading RSA keys needs the package cryptography") from error
    try:
        if b"BEGIN CERTIFICATE" in octets:
            key: object = load_pem_x509_certificate(octets).public_key()
        else:
            key = load_pem_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CommandError(f"{shown}: is not a public key in PEM") from error
    if not isinstance(key, RSAPublicKey):
        raise CommandError(f"{shown}: is a public key, but not an RSA one")
    if key.key_size < _MIN_RSA_BITS:
        raise CommandError(f"{shown}: has {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
