"""From a Redis hash to a record."""

from __future__ import annotations

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.stores.encryption import KeyRing
from async_oauth1.stores.row_mapping import temporary


def credential_of(oauth_token: str, found: dict[bytes, bytes], keys: KeyRing) -> TemporaryCredential | None:
    """The record of a hash; its values become those of a row."""
    if not found:
        return None
    row: list[str | bytes | bool | None] = [oauth_token]
    for name in (b"secret", b"client_id", b"callback", b"user_id", b"verifier"):
        value = found.get(name)
        try:
            row.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            row.append(value)  # is no text, and found to be none
    return temporary([*row, b"verifier" in found], keys)
