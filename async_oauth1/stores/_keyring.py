"""Secrets at rest: sealed under the newest of some keys, opened with any of them.

A sealed text begins with `MARK`; what does not is plain, written before there was a key, and is read as it stands. So a
key can be given to a store that is in use, and a new one put before the old: what was written before stays readable,
until it is sealed anew and the old key can go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._errors import StoreError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

__all__ = ["ENVIRONMENT_VARIABLE", "KeyRing", "UnreadableError", "keys_from_environment", "new_key"]

#: Holds keys, newest first, with commas between them.
ENVIRONMENT_VARIABLE = "ASYNC_OAUTH1_KEYS"

#: What every sealed text begins with, and no plain one may.
MARK = "$fernet$"

# Python's decoder overlooks what is no base64: two keys with a wrong character in between would be the first of them.
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=", re.ASCII)


class UnreadableError(ValueError):
    """A sealed text that none of the keys opens."""


class KeyRing:
    """Keys, newest first; without any, texts stay as they are."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """Read the keys.

        Args:
            keys: as `new_key` makes them, newest first.

        Raises:
            StoreError: one of them is no key (the message shows none), or the package cryptography is missing.
        """
        if isinstance(keys, str):
            raise TypeError("keys is a sequence of strings, not one string")
        self._keys = tuple(_fernet(key, number) for number, key in enumerate(keys, 1))

    def __bool__(self) -> bool:
        """Whether texts are sealed at all."""
        return bool(self._keys)

    def seal(self, text: str) -> str:
        """What to write.

        Raises:
            ValueError: without a key, a text that would be taken for a sealed one.
        """
        if self._keys:
            return MARK + self._keys[0].encrypt(text.encode()).decode()
        if text.startswith(MARK):
            raise ValueError(f'a secret must not begin with "{MARK}"')
        return text

    def open(self, text: str) -> str:
        """What was sealed.

        Raises:
            UnreadableError: none of the keys opens it.
        """
        if not text.startswith(MARK):
            return text
        for key in self._keys:
            if (opened := _opened(key, text)) is not None:
                return opened
        raise UnreadableError(
            "is encrypted under a key that was not given" if self._keys else "is encrypted, and no key was given"
        )

    def is_current(self, text: str) -> bool:
        """Whether it is sealed under the newest key."""
        return bool(self._keys) and text.startswith(MARK) and _opened(self._keys[0], text) is not None


def new_key() -> str:
    """A key of 256 random bits.

    Raises:
        StoreError: the package cryptography is missing.
    """
    return _load_fernet().generate_key().decode()


def keys_from_environment() -> tuple[str, ...]:
    """The keys in the environment; none where the variable is not set or empty."""
    return tuple(key.strip() for key in os.environ.get(ENVIRONMENT_VARIABLE, "").split(",") if key.strip())


def _fernet(key: str, number: int) -> Fernet:
    if not _KEY.fullmatch(key):
        raise StoreError(f'key {number} is none: a key is 32 bytes in base64, as "async-oauth1 keygen" prints it')
    return _load_fernet()(key)


def _load_fernet() -> type[Fernet]:
    try:
        from cryptography.fernet import Fernet
    except ModuleNotFoundError:
        raise StoreError('encryption at rest needs cryptography; install "async-oauth1[keys]"') from None
    return Fernet


def _opened(key: Fernet, text: str) -> str | None:
    from cryptography.fernet import InvalidToken

    try:
        return key.decrypt(text.removeprefix(MARK)).decode()
    except InvalidToken:
        return None
