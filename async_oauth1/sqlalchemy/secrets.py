"""The secrets of a model's row, decrypted, beside the columns and not in them.

The columns keep what the database has. So an application that writes a row back, or merges it into a session, never
writes a decrypted secret.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from async_oauth1.stores.encryption import KeyRing

__all__ = ["SECRETS", "former_secrets_of", "open_secrets", "sealed_length", "secret_of"]

_ATTRIBUTE = "_oauth1_secrets"

#: The columns that hold secrets.
SECRETS = ("client_secret", "overlapping_secrets", "oauth_token_secret", "oauth_verifier")


class _Secrets(dict[str, str]):
    """The decrypted secrets of one row, by column, and the store's clock."""

    clock: Callable[[], float] = staticmethod(time.time)

    def __repr__(self) -> str:
        return f"<{len(self)} secrets>"


_NONE = _Secrets()


def sealed_length(length: int) -> int:
    """The characters of an encrypted text of so many ASCII characters: the mark, and a nonce and a tag in base64."""
    return len("$fernet$aesgcm$") + 4 * -(-(12 + length + 16) // 3)


def open_secrets(row: Any, names: tuple[str, ...], place: tuple[str, str], keys: KeyRing, clock: Any) -> None:
    """Decrypt the secrets of a row, for the methods of its model.

    Args:
        row: the model's instance.
        names: the columns that hold secrets.
        place: the table, and the identifier of the row.
        keys: decrypt.
        clock: Unix time, in seconds.

    Raises:
        UnreadableError: none of the keys decrypts one of them.
    """
    secrets = _Secrets()
    secrets.clock = clock
    for name in names:
        value = getattr(row, name)
        if value is not None:
            secrets[name] = keys.open(value, (place[0], name, place[1]))
    setattr(row, _ATTRIBUTE, secrets)


def secret_of(row: Any, name: str) -> str | None:
    """A secret, decrypted if the row is one of a store; else what the column holds."""
    value: str | None = getattr(row, name)
    secrets = _secrets_of(row)
    return value if value is None else secrets.get(name, value)


def former_secrets_of(row: Any) -> list[tuple[str, float | None]]:
    """The former secrets that verify now, newest first, each with its end."""
    now = _secrets_of(row).clock()
    overlaps = json.loads(secret_of(row, "overlapping_secrets") or "[]")
    return [(secret, end) for secret, end in overlaps if end is None or end > now]


def _secrets_of(row: Any) -> _Secrets:
    return getattr(row, _ATTRIBUTE, None) or _NONE
