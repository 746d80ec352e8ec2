"""Reading a client's RSA public key from a file."""

from __future__ import annotations

from pathlib import Path

from async_oauth1.protocol.rsa_keys import MAX_KEY_BYTES, RECOMMENDED_RSA_BITS, check_key_form, public_key

from .console import CommandError, printable, say

__all__ = ["read_public_key"]


def read_public_key(path: Path) -> str:
    """Read a public key, and format it as PEM without the rest of the file.

    Raises:
        CommandError: the file cannot be read, or holds no usable RSA public key.
    """
    shown = f"--rsa-public-key {printable(str(path))}"
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_KEY_BYTES + 1)  # check_key_form refuses a larger file
    except (OSError, ValueError) as error:
        raise CommandError(f"{shown}: {getattr(error, 'strerror', None) or 'cannot be read'}") from error
    return _normalized(octets, shown)


def _normalized(octets: bytes, shown: str) -> str:
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ModuleNotFoundError as error:
        raise CommandError(f"{shown}: reading RSA keys needs the package cryptography") from error
    try:
        check_key_form(octets)
    except ValueError as error:
        raise CommandError(f"{shown}: {error}") from None
    key = public_key(octets)
    if key is None:
        raise CommandError(f"{shown}: is not a usable RSA public key")
    if key.key_size < RECOMMENDED_RSA_BITS:
        say(f"{shown}: has {key.key_size} bits; {RECOMMENDED_RSA_BITS} or more are recommended.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
