"""Converts between the rows of the SQL stores' tables and records."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from async_oauth1.credentials import Client, ClientChanges, TemporaryCredential, TokenCredential
from async_oauth1.errors import OAuth1Error, StoreUnavailableError
from async_oauth1.protocol.rsa_keys import StoredKey

from .encryption import KeyRing, Place, UnreadableError
from .lifecycle import live_client

__all__ = [
    "CLIENT_COLUMNS",
    "CLIENT_WIDTH",
    "SELECT_CLIENT",
    "SELECT_TEMPORARY",
    "SELECT_TOKEN",
    "beginning",
    "client",
    "client_changes",
    "client_place",
    "client_secrets",
    "of_client",
    "of_token",
    "readable",
    "stored_client",
    "temporary",
    "temporary_place",
    "token",
    "token_place",
]

_log = logging.getLogger(__name__)
T = TypeVar("T")

# Raised by the records, and while their columns are read, if another program has written something invalid.
_SPOILED = (ValueError, TypeError, AttributeError, OAuth1Error)

CLIENT_COLUMNS = (
    "client_id, client_secret, overlapping_secrets, name, callbacks, signature_methods, rsa_public_key,"
    " nonce_policy, callback_query_may_differ, tolerances, disabled"
)
SELECT_CLIENT = f"SELECT {CLIENT_COLUMNS} FROM oauth1_client"  # noqa: S608 - of constants alone
SELECT_TOKEN = (
    "SELECT oauth_token, oauth_token_secret, client_id, user_id, scope, created_at, expires_at"
    " FROM oauth1_token_credential"
)
SELECT_TEMPORARY = (
    "SELECT oauth_token, oauth_token_secret, client_id, oauth_callback, user_id, oauth_verifier, decided,"
    " requested_scope, scope"
    " FROM oauth1_temporary_credential"
)
#: How many columns `SELECT_CLIENT` has.
CLIENT_WIDTH = 11


def client(row: Sequence[Any], keys: KeyRing, now: float) -> Client:
    """The record of a row of `SELECT_CLIENT`, with the secrets that verify now.

    Raises:
        StoreUnavailableError: as for `stored_client`.
    """
    return live_client(stored_client(row, keys), now)


def stored_client(row: Sequence[Any], keys: KeyRing) -> Client:
    """The record of a row of `SELECT_CLIENT`, with former secrets that may have ended.

    Raises:
        StoreUnavailableError: none of the keys decrypts it, or another program has made the row invalid.
    """
    try:
        client_id = _text(row[0])
        overlaps = [_overlap(item) for item in json.loads(keys.open(row[2], client_place(client_id)[1]))]
        return Client(
            client_id=client_id,
            client_secret=None if row[1] is None else keys.open(_text(row[1]), client_place(client_id)[0]),
            overlapping_secrets=tuple(secret for secret, _ in overlaps),
            overlaps_end_at=tuple(end for _, end in overlaps) if any(end is not None for _, end in overlaps) else (),
            name=_text(row[3]),
            callbacks=tuple(json.loads(row[4])),
            signature_methods=tuple(json.loads(row[5])),
            rsa_public_key=_key(row[6]),
            nonce_policy=cast("Any", _text(row[7])),  # the record checks which
            callback_query_may_differ=bool(row[8]),
            tolerances=tuple(json.loads(row[9])),
            disabled=bool(row[10]),
        )
    except _SPOILED as error:
        _log.error("the stored client %r cannot be used: %s", row[0], _reason(error))
        raise StoreUnavailableError() from error


def of_client(record: Client, keys: KeyRing) -> tuple[object, ...]:
    """The values of a client's row, in the order of `SELECT_CLIENT`."""
    return (
        record.client_id,
        *client_secrets(record, keys),
        record.name,
        json.dumps(record.callbacks),
        json.dumps(record.signature_methods),
        record.rsa_public_key,
        record.nonce_policy,
        record.callback_query_may_differ,
        json.dumps(record.tolerances),
        record.disabled,
    )


def client_changes(changes: ClientChanges) -> tuple[object, ...]:
    """The values of the columns that `ClientChanges` can change; ``None`` for those that keep their values.

    An empty key removes the present one.
    """
    return (
        _list_or_none(changes.get("callbacks")),
        changes.get("nonce_policy"),
        changes.get("callback_query_may_differ"),
        _list_or_none(changes.get("tolerances")),
        changes.get("name"),
        _list_or_none(changes.get("signature_methods")),
        changes["rsa_public_key"] or "" if "rsa_public_key" in changes else None,
    )


def _list_or_none(values: tuple[str, ...] | None) -> str | None:
    return None if values is None else json.dumps(values)


def client_secrets(record: Client, keys: KeyRing) -> tuple[str | None, str]:
    """The values of the two columns that hold a client's secrets."""
    places = client_place(record.client_id)
    current = None if record.client_secret is None else keys.seal(record.client_secret, places[0])
    if not record.overlapping_secrets:
        return current, "[]"
    ends = record.overlaps_end_at or (None,) * len(record.overlapping_secrets)
    return current, keys.seal(json.dumps(list(zip(record.overlapping_secrets, ends, strict=True))), places[1])


def token(row: Sequence[Any], keys: KeyRing) -> TokenCredential:
    """The record of a row of `SELECT_TOKEN`.

    Raises:
        StoreUnavailableError: none of the keys decrypts it, or another program has made the row invalid.
    """
    try:
        name, sealed, client_id, user_id, scope = map(_text, row[:5])
        return TokenCredential(
            oauth_token=name,
            oauth_token_secret=keys.open(sealed, token_place(name)[0]),
            client_id=client_id,
            user_id=user_id,
            scope=scope,
            created_at=float(row[5]),
            expires_at=None if row[6] is None else float(row[6]),
        )
    except _SPOILED as error:
        raise _unusable(row[0], error) from error


def of_token(record: TokenCredential, keys: KeyRing) -> tuple[object, ...]:
    """The values of a token credential's row, in the order of `SELECT_TOKEN`."""
    return (
        record.oauth_token,
        keys.seal(record.oauth_token_secret, token_place(record.oauth_token)[0]),
        record.client_id,
        record.user_id,
        record.scope,
        record.created_at,
        record.expires_at,
    )


def temporary(row: Sequence[Any], keys: KeyRing) -> TemporaryCredential:
    """The record of a row of `SELECT_TEMPORARY`.

    Raises:
        StoreUnavailableError: none of the keys decrypts it, or another program has made the row invalid.
    """
    try:
        name, sealed, client_id, callback, requested_scope, scope = (_text(value) for value in (*row[:4], *row[7:9]))
        secret_place, verifier_place = temporary_place(name)
        return TemporaryCredential(
            oauth_token=name,
            oauth_token_secret=keys.open(sealed, secret_place),
            client_id=client_id,
            oauth_callback=callback,
            user_id=None if row[4] is None else _text(row[4]),
            oauth_verifier=None if row[5] is None else keys.open(_text(row[5]), verifier_place),
            decided=bool(row[6]),
            requested_scope=requested_scope,
            scope=scope,
        )
    except _SPOILED as error:
        raise _unusable(row[0], error) from error


def client_place(client_id: str) -> tuple[Place, Place]:
    """Where a client's secrets are stored: the current one and the former ones."""
    return ("oauth1_client", "client_secret", client_id), ("oauth1_client", "overlapping_secrets", client_id)


def token_place(oauth_token: str) -> tuple[Place]:
    """Where the secret of token credentials is stored."""
    return (("oauth1_token_credential", "oauth_token_secret", oauth_token),)


def temporary_place(oauth_token: str) -> tuple[Place, Place]:
    """Where the secret and the verifier of temporary credentials are stored, in Redis as well."""
    table = "oauth1_temporary_credential"
    return (table, "oauth_token_secret", oauth_token), (table, "oauth_verifier", oauth_token)


def readable(found: Iterable[Sequence[Any]], read: Callable[[Sequence[Any]], T]) -> list[T]:
    """The records of the rows that can be read. The others are logged."""
    records: list[T] = []
    left_out = 0
    for row in found:
        try:
            records.append(read(row))
        except StoreUnavailableError:
            left_out += 1
    if left_out:
        _log.warning("%d of %d records cannot be read and are left out of the list", left_out, left_out + len(records))
    return records


def beginning(name: object) -> str:
    """The first eight characters of a row's name, which may be bytes."""
    return (name if isinstance(name, str) else repr(name))[:8]


def _overlap(item: Any) -> tuple[str, float | None]:
    """A former secret and its end; a secret without an end may be a plain string."""
    secret, end = (item, None) if isinstance(item, str) else item
    return secret, end


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a column holds {type(value).__name__} instead of text")
    return value


def _key(value: Any) -> StoredKey | None:
    """A client's RSA key; SQLite may return bytes, since it does not enforce the types of columns."""
    if value is None:
        return None
    return StoredKey(value.decode("utf-8", "replace") if isinstance(value, bytes) else _text(value))


def _unusable(oauth_token: Any, error: Exception) -> StoreUnavailableError:
    _log.error("the secret of the token %s... %s", beginning(oauth_token), _reason(error))
    return StoreUnavailableError()


def _reason(error: Exception) -> str:
    """What is wrong with a row. The text shows none of its values."""
    return str(error) if isinstance(error, (UnreadableError, TypeError)) else "is damaged"
