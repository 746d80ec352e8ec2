"""Temporary credentials as a Redis hash."""

from __future__ import annotations

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.stores.encryption import KeyRing
from async_oauth1.stores.row_mapping import temporary

__all__ = ["temporary_credential"]


def temporary_credential(oauth_token: str, values: dict[bytes, bytes], keys: KeyRing) -> TemporaryCredential | None:
    """The record in a hash; ``None`` if the hash is empty."""
    if not values:
        return None
    row: list[str | bytes | bool | None] = [oauth_token]
    for name in (b"secret", b"client_id", b"callback", b"user_id", b"verifier"):
        value = values.get(name)
        try:
            row.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            row.append(value)  # not text, so that the row is refused
    return temporary([*row, b"verifier" in values], keys)
