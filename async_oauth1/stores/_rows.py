"""Rows of the SQL stores' tables <-> records."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import OAuth1Error, StoreUnavailableError

from ._keyring import KeyRing, UnreadableError
from ._life import live_client

__all__ = [
    "CLIENT_WIDTH",
    "SELECT_CLIENT",
    "SELECT_TEMPORARY",
    "SELECT_TOKEN",
    "client",
    "client_secrets",
    "of_client",
    "of_token",
    "temporary",
    "token",
]

_log = logging.getLogger(__name__)

SELECT_CLIENT = (
    "SELECT client_id, client_secret, overlapping_secrets, name, callbacks, signature_methods, rsa_public_key,"
    " nonce_policy, callback_query_may_differ FROM oauth1_client"
)
SELECT_TOKEN = (
    "SELECT oauth_token, oauth_token_secret, client_id, user_id, scope, created_at, expires_at"
    " FROM oauth1_token_credential"
)
SELECT_TEMPORARY = (
    "SELECT oauth_token, oauth_token_secret, client_id, oauth_callback, user_id, oauth_verifier, decided"
    " FROM oauth1_temporary_credential"
)
#: How many columns `SELECT_CLIENT` has.
CLIENT_WIDTH = 9


def client(row: Sequence[Any], keys: KeyRing, now: float) -> Client:
    """The record of a row of `SELECT_CLIENT`, with the secrets that verify now.

    Raises:
        StoreUnavailableError: no key opens it, or somebody else changed it into what is no client.
    """
    try:
        overlaps = [_overlap(item) for item in json.loads(keys.open(row[2]))]
        record = Client(
            client_id=row[0],
            client_secret=None if row[1] is None else keys.open(row[1]),
            overlapping_secrets=tuple(secret for secret, _ in overlaps),
            overlaps_end_at=tuple(end for _, end in overlaps) if any(end is not None for _, end in overlaps) else (),
            name=row[3],
            callbacks=tuple(json.loads(row[4])),
            signature_methods=tuple(json.loads(row[5])),
            rsa_public_key=row[6],
            nonce_policy=row[7],
            callback_query_may_differ=bool(row[8]),
        )
    except (ValueError, TypeError, AttributeError, OAuth1Error) as error:
        _log.error("the stored client %r cannot be used: %s", row[0], error)
        raise StoreUnavailableError() from error
    return live_client(record, now)


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
    )


def client_secrets(record: Client, keys: KeyRing) -> tuple[str | None, str]:
    """The values of the two columns that hold a client's secrets."""
    current = None if record.client_secret is None else keys.seal(record.client_secret)
    if not record.overlapping_secrets:
        return current, "[]"
    ends = record.overlaps_end_at or (None,) * len(record.overlapping_secrets)
    return current, keys.seal(json.dumps(list(zip(record.overlapping_secrets, ends, strict=True))))


def token(row: Sequence[Any], keys: KeyRing) -> TokenCredential:
    """The record of a row of `SELECT_TOKEN`."""
    return TokenCredential(
        oauth_token=row[0],
        oauth_token_secret=_opened(keys, row[1], row[0]),
        client_id=row[2],
        user_id=row[3],
        scope=row[4],
        created_at=row[5],
        expires_at=row[6],
    )


def of_token(record: TokenCredential, keys: KeyRing) -> tuple[object, ...]:
    """The values of token credentials' row, in the order of `SELECT_TOKEN`."""
    return (
        record.oauth_token,
        keys.seal(record.oauth_token_secret),
        record.client_id,
        record.user_id,
        record.scope,
        record.created_at,
        record.expires_at,
    )


def temporary(row: Sequence[Any], keys: KeyRing) -> TemporaryCredential:
    """The record of a row of `SELECT_TEMPORARY`."""
    return TemporaryCredential(
        oauth_token=row[0],
        oauth_token_secret=_opened(keys, row[1], row[0]),
        client_id=row[2],
        oauth_callback=row[3],
        user_id=row[4],
        oauth_verifier=None if row[5] is None else _opened(keys, row[5], row[0]),
        decided=bool(row[6]),
    )


def _overlap(item: Any) -> tuple[str, float | None]:
    """A former secret and its end; one without an end may stand alone."""
    secret, end = (item, None) if isinstance(item, str) else item
    return secret, end


def _opened(keys: KeyRing, text: str, oauth_token: str) -> str:
    try:
        return keys.open(text)
    except UnreadableError as error:
        _log.error("the secret of the token %.8s... %s", oauth_token, error)
        raise StoreUnavailableError() from error
