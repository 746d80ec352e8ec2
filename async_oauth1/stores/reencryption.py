"""The secrets in the SQL stores' tables: checking the keys, and encrypting under the newest key.

A row is written only if it has not changed since it was read. If another process changes it meanwhile, that process
encrypts it under the newest key. Nothing is locked.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from async_oauth1.errors import StoreError, StoreUnavailableError

from . import row_mapping as rows
from .encryption import DamagedError, KeyRing, Place, UnreadableError

__all__ = ["StoredSecrets"]

_log = logging.getLogger(__name__)

_Row = Sequence[Any]
_Places = Callable[[str], Sequence[Place]]


class _Table(NamedTuple):
    """The statements for a table with secrets.

    Attributes:
        places: the places of a row's secrets, by the row's primary key.
        page: selects some rows after a primary key: the primary key, and the columns with secrets.
        update: writes the secrets of one row, if they are still as they were read.
    """

    places: _Places
    page: str
    update: str


_TABLES = (
    _Table(
        rows.client_place,
        "SELECT client_id, client_secret, overlapping_secrets FROM oauth1_client"
        " WHERE client_id > CAST($1 AS text) ORDER BY client_id LIMIT 200",
        "UPDATE oauth1_client SET client_secret = $2, overlapping_secrets = $3 WHERE client_id = $1"
        " AND COALESCE(client_secret, '') = COALESCE(CAST($4 AS text), '') AND overlapping_secrets = $5 RETURNING 1",
    ),
    _Table(
        rows.token_place,
        "SELECT oauth_token, oauth_token_secret FROM oauth1_token_credential"
        " WHERE oauth_token > CAST($1 AS text) ORDER BY oauth_token LIMIT 200",
        "UPDATE oauth1_token_credential SET oauth_token_secret = $2 WHERE oauth_token = $1"
        " AND oauth_token_secret = $3 RETURNING 1",
    ),
    _Table(
        rows.temporary_place,
        "SELECT oauth_token, oauth_token_secret, oauth_verifier FROM oauth1_temporary_credential"
        " WHERE oauth_token > CAST($1 AS text) ORDER BY oauth_token LIMIT 200",
        "UPDATE oauth1_temporary_credential SET oauth_token_secret = $2, oauth_verifier = $3 WHERE oauth_token = $1"
        " AND oauth_token_secret = $4 AND COALESCE(oauth_verifier, '') = COALESCE(CAST($5 AS text), '') RETURNING 1",
    ),
)

# Keys that decrypt these rows are the right ones.
_SAMPLES: tuple[tuple[_Places, str], ...] = (
    (
        rows.client_place,
        (
            "SELECT client_id, client_secret, overlapping_secrets FROM oauth1_client"
            " WHERE client_secret LIKE '$fernet$%' OR overlapping_secrets LIKE '$fernet$%' LIMIT 100"
        ),
    ),
    (
        rows.token_place,
        "SELECT oauth_token, oauth_token_secret FROM oauth1_token_credential ORDER BY oauth_token LIMIT 1",
    ),
)

# What the columns hold for a client without a secret, and without former ones.
_NO_SECRET = (None, "[]")


class StoredSecrets:
    """The secrets of one store."""

    def __init__(self, run: Callable[..., Awaitable[Sequence[_Row]]], keys: KeyRing, url: str) -> None:
        """Remember the arguments; no I/O.

        Args:
            run: runs one statement with its arguments as a transaction, and returns the rows.
            keys: encrypt and decrypt.
            url: of the store, printable.
        """
        self._run = run
        self._keys = keys
        self._url = url

    async def check_keys(self) -> None:
        """Refuse a store whose secrets the keys do not decrypt.

        Raises:
            StoreError: they do not, or the store does not answer.
        """
        try:
            for places, statement in _SAMPLES:
                for name, *values in await self._run(statement):
                    self._check_sample(name, values, places)
        except StoreUnavailableError as error:
            raise StoreError(f"{self._url}: does not answer") from error

    async def reencrypt(self) -> int:
        """Encrypt under the newest key every secret that is not encrypted under it yet.

        Returns:
            How many rows were written.

        Raises:
            StoreError: there is no key; or some records could not be read, and all others are encrypted now.
        """
        if not self._keys:
            raise StoreError(f"{self._url}: there is no key to encrypt with; set ASYNC_OAUTH1_KEYS, newest key first")
        unreadable: dict[object, str] = {}
        written = sum([await self._reencrypt_table(table, unreadable) for table in _TABLES])
        if unreadable:
            first = next(iter(unreadable.values()))
            raise StoreError(
                f"{self._url}: {first}; {len(unreadable)} record(s) could not be read, the others are encrypted"
                " under the newest key"
            )
        return written

    def _check_sample(self, name: Any, values: Sequence[Any], places: _Places) -> None:
        try:
            _require_text(name)
            self._opened(values, places(name))
        except (DamagedError, TypeError) as error:  # other keys would not help; a request that meets it gets a 503
            _log.error("%s: the record %s... %s", self._url, rows.beginning(name), error)
        except UnreadableError as error:
            raise StoreError(f"{self._url}: the record {rows.beginning(name)}... {error}") from None

    async def _reencrypt_table(self, table: _Table, unreadable: dict[object, str]) -> int:
        written, last = 0, ""
        not_text: set[bytes] = set()
        while found := await self._run(table.page, last):
            for row in found:
                try:
                    written += await self._reencrypt_row(table, row)
                except (UnreadableError, TypeError) as error:
                    unreadable[table.page, row[0]] = f"the record {rows.beginning(row[0])}... {error}"
            last = found[-1][0]
            if isinstance(last, bytes):  # SQLite sorts bytes after every text: the same page would come again and again
                if last in not_text:
                    break
                not_text.add(last)
        return written

    async def _reencrypt_row(self, table: _Table, row: _Row) -> bool:
        """Whether the row was written."""
        name, *values = row
        _require_text(name)
        places = table.places(name)
        opened = self._opened(values, places)
        if all(
            value in _NO_SECRET or self._keys.is_current(value, place)
            for value, place in zip(values, places, strict=True)
        ):
            return False
        sealed = [
            value if value in _NO_SECRET else self._keys.seal(value, place)
            for value, place in zip(opened, places, strict=True)
        ]
        return bool(await self._run(table.update, name, *sealed, *values))

    def _opened(self, values: Iterable[Any], places: Iterable[Place]) -> list[Any]:
        return [self._opened_value(value, place) for value, place in zip(values, places, strict=True)]

    def _opened_value(self, value: Any, place: Place) -> str | None:
        if value is None:
            return None
        _require_text(value)
        return self._keys.open(value, place)


def _require_text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"holds {type(value).__name__} instead of text")
