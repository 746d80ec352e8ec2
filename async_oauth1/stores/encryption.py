"""Secrets at rest: encrypted under the newest key, decrypted with any of the keys.

An encrypted text begins with `MARK`. Any other text was written before there was a key, and is read as plain text.
So a store that is in use can be given its first key, or a new key before the old ones. Older texts stay readable until
they are encrypted again; then the old key can be removed.

Texts are encrypted with AES-256-GCM, and the place where they are stored (table, column, primary key) is authenticated
with them: a text that is copied to another row cannot be decrypted. Each key is a Fernet key, from which HKDF derives
the AES key. Earlier releases wrote Fernet tokens, which are not bound to a place and can still be read. The new form
begins with the same mark, so a worker of an earlier release reports it as unreadable and does not take it for a plain
secret.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from async_oauth1.errors import StoreError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "DamagedError",
    "KeyRing",
    "Place",
    "UnreadableError",
    "keys_from_environment",
    "new_key",
]

#: The environment variable with the keys, newest first, separated by commas.
ENVIRONMENT_VARIABLE = "ASYNC_OAUTH1_KEYS"

#: The beginning of every encrypted text. A plain text must not begin with it.
MARK = "$fernet$"

#: Where a text is stored: table, column, primary key. None of them holds a NUL.
Place = tuple[str, str, str]

# No Fernet token begins with this: "$" is not in its alphabet.
_BOUND = MARK + "aesgcm$"

# At least a nonce and a tag; Fernet tokens are longer.
_ENCRYPTED = re.compile(r"\$fernet\$(?:aesgcm\$)?[A-Za-z0-9_-]{38,}={0,2}", re.ASCII)

# Chosen at random for each text. After 2**32 texts under one key, two are the same with a probability of 2**-33.
_NONCE_BYTES = 12

_HKDF_INFO = b"async-oauth1: secrets at rest, AES-256-GCM"

# Checked because Python's decoder skips characters that are not base64: it would read two keys with a wrong separator
# as the first key.
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=", re.ASCII)


class UnreadableError(ValueError):
    """None of the keys decrypts an encrypted text in its place."""


class DamagedError(UnreadableError):
    """A text has the mark of an encrypted one, but is not the output of any encryption."""


class KeyRing:
    """Keys, newest first. Without any key, texts are stored as plain text."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """Read the keys.

        Args:
            keys: as `new_key` makes them, newest first.

        Raises:
            StoreError: one of them is not a valid key (the message shows no key), or the package cryptography is
                missing.
            TypeError: one string instead of a sequence.
        """
        if isinstance(keys, str):
            raise TypeError("keys is a sequence of strings, not one string")
        self._keys = tuple(_Key(key, number) for number, key in enumerate(keys, 1))

    def __bool__(self) -> bool:
        """Whether texts are encrypted at all."""
        return bool(self._keys)

    def seal(self, text: str, place: Place) -> str:
        """The text to store in a place: encrypted if there is a key.

        Raises:
            ValueError: there is no key, and the text looks like an encrypted one.
        """
        if self._keys:
            return self._keys[0].encrypt(text, place)
        if text.startswith(MARK):
            raise ValueError(f'a secret must not begin with "{MARK}"')
        return text

    def open(self, text: str, place: Place) -> str:
        """The text that was sealed for a place.

        Raises:
            UnreadableError: none of the keys decrypts it there.
        """
        if not text.startswith(MARK):
            return text
        for key in self._keys:
            if (opened := key.decrypt(text, place)) is not None:
                return opened
        if not self._keys:
            raise UnreadableError("is encrypted, and no key was given")
        if not _ENCRYPTED.fullmatch(text):
            raise DamagedError("is damaged")
        moved = ", or was moved here from another row" if text.startswith(_BOUND) else ""
        raise UnreadableError(f"is encrypted under a key that was not given{moved}")

    def is_current(self, text: str, place: Place) -> bool:
        """Whether a text is encrypted under the newest key and bound to its place."""
        return bool(self._keys) and text.startswith(_BOUND) and self._keys[0].decrypt(text, place) is not None


class _Key:
    """One key of the ring, for both forms of encrypted texts."""

    __slots__ = ("_aes", "_failures", "_fernet")

    def __init__(self, key: str, number: int) -> None:
        self._fernet = _fernet(key, number)
        from cryptography.exceptions import InvalidTag
        from cryptography.fernet import InvalidToken

        self._aes = _derived(key)
        self._failures = (InvalidTag, InvalidToken, ValueError)  # the last one if the text is not base64

    def encrypt(self, text: str, place: Place) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return _BOUND + urlsafe_b64encode(nonce + self._aes.encrypt(nonce, text.encode(), _octets(place))).decode()

    def decrypt(self, text: str, place: Place) -> str | None:
        try:
            if not text.startswith(_BOUND):
                return self._fernet.decrypt(text.removeprefix(MARK)).decode()
            octets = urlsafe_b64decode(text.removeprefix(_BOUND))
            return self._aes.decrypt(octets[:_NONCE_BYTES], octets[_NONCE_BYTES:], _octets(place)).decode()
        except self._failures:
            return None


def new_key() -> str:
    """A new key of 256 random bits.

    Raises:
        StoreError: the package cryptography is missing.
    """
    return _load_fernet().generate_key().decode()


def keys_from_environment() -> tuple[str, ...]:
    """The keys in the environment; none if the variable is not set or empty."""
    return tuple(key.strip() for key in os.environ.get(ENVIRONMENT_VARIABLE, "").split(",") if key.strip())


def _fernet(key: str, number: int) -> Fernet:
    if not _KEY.fullmatch(key):
        raise StoreError(
            f'Encryption key {number} is not valid: a key is 32 bytes in base64, as "async-oauth1 keygen" prints it'
        )
    return _load_fernet()(key)


def _load_fernet() -> type[Fernet]:
    try:
        from cryptography.fernet import Fernet
    except ModuleNotFoundError:
        raise StoreError('encryption at rest needs cryptography; install "async-oauth1[keys]"') from None
    return Fernet


def _derived(key: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_HKDF_INFO).derive(urlsafe_b64decode(key)))


def _octets(place: Place) -> bytes:
    return "\0".join(place).encode()
