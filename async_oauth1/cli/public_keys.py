"""Reading a client's RSA public key from a file."""

from __future__ import annotations

from pathlib import Path

from async_oauth1.protocol.rsa_keys import MAX_KEY_BYTES, RECOMMENDED_RSA_BITS, check_key_form, public_key

from .console import CommandError, printable, say

__all__ = ["read_public_key"]


def read_public_key(path: Path) -> str:
    """The key alone, in one form.

    Raises:
        CommandError: the file holds no RSA public key.
    """
    shown = f"--rsa-public-key {printable(str(path))}"
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_KEY_BYTES + 1)  # a larger file holds no key
    except (OSError, ValueError) as error:
        raise CommandError(f"{shown}: {getattr(error, 'strerror', None) or 'cannot be read'}") from error
    return _normalized(octets, shown)


def _normalized(octets: bytes, shown: str) -> str:
    """The key alone, in one form: what else the file says does not get into the store."""
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
        raise CommandError(f"{shown}: is not an RSA public key that can be used")
    if key.key_size < RECOMMENDED_RSA_BITS:
        say(f"{shown}: has {key.key_size} bits; {RECOMMENDED_RSA_BITS} or more are recommended.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
