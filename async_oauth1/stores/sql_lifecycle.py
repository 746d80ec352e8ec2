"""The life of credentials in the SQL stores: the same statements, whatever the database.

Secrets are encrypted by the store and not by the database, so a rotation reads, computes and writes. It writes only
if the row is still as it was read; if another process was faster, it begins anew. Nothing is locked meanwhile.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreError, StoreUnavailableError

from . import row_mapping as rows
from .base import BaseStore, check_text, is_text, user_id_of
from .encryption import DamagedError, KeyRing, Place, UnreadableError
from .lifecycle import issued, rotated

__all__ = ["SQLLife"]

_log = logging.getLogger(__name__)

# As often as others may be faster.
_TRIES = 16


class _Sealed(NamedTuple):
    """The statements about a table with secrets.

    Attributes:
        places: where the secrets of one row are stored.
        page: some rows after one of a name: the name, and the columns with secrets.
        update: writes those columns of one row, where they are still as they were read.
    """

    places: Callable[[str], Sequence[Place]]
    page: str
    update: str


_SEALED = (
    _Sealed(
        rows.client_place,
        "SELECT client_id, client_secret, overlapping_secrets FROM oauth1_client"
        " WHERE client_id > CAST($1 AS text) ORDER BY client_id LIMIT 200",
        "UPDATE oauth1_client SET client_secret = $2, overlapping_secrets = $3 WHERE client_id = $1"
        " AND COALESCE(client_secret, '') = COALESCE(CAST($4 AS text), '') AND overlapping_secrets = $5 RETURNING 1",
    ),
    _Sealed(
        rows.token_place,
        "SELECT oauth_token, oauth_token_secret FROM oauth1_token_credential"
        " WHERE oauth_token > CAST($1 AS text) ORDER BY oauth_token LIMIT 200",
        "UPDATE oauth1_token_credential SET oauth_token_secret = $2 WHERE oauth_token = $1"
        " AND oauth_token_secret = $3 RETURNING 1",
    ),
    _Sealed(
        rows.temporary_place,
        "SELECT oauth_token, oauth_token_secret, oauth_verifier FROM oauth1_temporary_credential"
        " WHERE oauth_token > CAST($1 AS text) ORDER BY oauth_token LIMIT 200",
        "UPDATE oauth1_temporary_credential SET oauth_token_secret = $2, oauth_verifier = $3 WHERE oauth_token = $1"
        " AND oauth_token_secret = $4 AND COALESCE(oauth_verifier, '') = COALESCE(CAST($5 AS text), '') RETURNING 1",
    ),
)

# Keys that open these are the right ones.
_SAMPLES = (
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
_ROTATE = (
    "UPDATE oauth1_client SET client_secret = $1, overlapping_secrets = $2"
    " WHERE client_id = $3 AND client_secret = $4 AND overlapping_secrets = $5 RETURNING 1"
)
_REVOKE_MANY = (
    "DELETE FROM oauth1_token_credential WHERE (expires_at IS NULL OR expires_at > $1)"
    " AND (CAST($2 AS text) IS NULL OR user_id = $2) AND (CAST($3 AS text) IS NULL OR client_id = $3) RETURNING 1"
)


class SQLLife(BaseStore):
    """Issuing, rotating, revoking and encrypting anew."""

    @abstractmethod
    async def _run(self, statement: str, *arguments: object) -> Sequence[Sequence[Any]]:
        """Run one statement, with arguments named ``$1``, ``$2``, as its own transaction; the rows that it returns."""

    @abstractmethod
    async def _insert_token(self, credential: TokenCredential) -> None:
        """Keep new token credentials; `ValueError` where the token is taken."""

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """Issue token credentials without asking the resource owner: for a client and a user that are one person's.

        Args:
            client_id: a registered client.
            user_id: the resource owner, as ``grant_user`` elsewhere.
            scope: separated by spaces.
            lifetime: seconds; ``None`` for credentials that never expire.

        Raises:
            ValueError: there is no such client; text that cannot be stored; no lifetime.
        """
        if not is_text(client_id) or not await self._run("SELECT 1 FROM oauth1_client WHERE client_id = $1", client_id):
            raise ValueError(f"there is no client {client_id}")
        credential = issued(client_id, await user_id_of(user_id), scope, lifetime, self.clock())
        check_text(credential)
        await self._insert_token(credential)
        return credential

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """Give a client a new secret.

        Args:
            client_id: of a client with a secret.
            overlap: seconds for which the current secret verifies, too; 0 ends every former one at once.

        Returns:
            The client with its new secret; ``None`` where there is none of that name.

        Raises:
            ValueError: a negative overlap; no secret to rotate; too many former ones that still verify.
        """
        if not is_text(client_id):
            return None
        for _ in range(_TRIES):
            found = await self._run(rows.SELECT_CLIENT + " WHERE client_id = $1", client_id)
            if not found:
                return None
            now = self.clock()
            new = rotated(rows.client(found[0], self.keys, now), overlap, now)
            if await self._run(_ROTATE, *rows.client_secrets(new, self.keys), client_id, found[0][1], found[0][2]):
                return new
        raise StoreUnavailableError()

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """Revoke all token credentials of a resource owner, of a client, or of both together.

        Returns:
            How many there were.

        Raises:
            ValueError: neither is given.
        """
        if user_id is None and client_id is None:
            raise ValueError("revoke_token_credentials needs a user_id, a client_id or both")
        if not is_text(user_id or "", client_id or ""):
            return 0
        return len(await self._run(_REVOKE_MANY, self.clock(), user_id, client_id))

    async def reencrypt(self) -> int:
        """Encrypt every secret under the newest key that is not yet; safe to repeat, and while the store is in use.

        Returns:
            How many rows were written.

        Raises:
            StoreError: there is no key; or some records could not be read, and all others are encrypted now.
        """
        if not self.keys:
            raise StoreError(f"{self.url}: there is no key to encrypt with; ASYNC_OAUTH1_KEYS holds keys, newest first")
        unreadable: dict[object, str] = {}
        written = sum([await self._reencrypt(table, unreadable) for table in _SEALED])
        if unreadable:
            first = next(iter(unreadable.values()))
            raise StoreError(
                f"{self.url}: {first}; {len(unreadable)} record(s) could not be read, the others are encrypted"
                " under the newest key"
            )
        return written

    async def _check_keys(self) -> None:
        """Refuse to open a store with secrets that the keys do not open.

        Raises:
            StoreError: says so.
        """
        try:
            for places, statement in _SAMPLES:
                for name, *values in await self._run(statement):
                    self._check_sample(name, values, places)
        except StoreUnavailableError as error:
            raise StoreError(f"{self.url}: does not answer") from error

    def _check_sample(self, name: Any, values: Sequence[Any], places: Callable[[str], Sequence[Place]]) -> None:
        try:
            _require_text(name)
            _opened(values, places(name), self.keys)
        except (DamagedError, TypeError) as error:  # is answered with 503 when it is met; other keys would not help
            _log.error("%s: the record %.8s... %s", self.url, name, error)
        except UnreadableError as error:
            raise StoreError(f"{self.url}: the record {str(name)[:8]}... {error}") from None

    async def _reencrypt(self, table: _Sealed, unreadable: dict[object, str]) -> int:
        written, last = 0, ""
        no_names: set[bytes] = set()
        while found := await self._run(table.page, last):
            for row in found:
                try:
                    written += await self._reencrypt_row(table, row)
                except (UnreadableError, TypeError) as error:
                    unreadable[table.page, row[0]] = f"the record {str(row[0])[:8]}... {error}"
            last = found[-1][0]
            if isinstance(last, bytes):  # SQLite sorts octets behind every text: they would come again and again
                if last in no_names:
                    break
                no_names.add(last)
        return written

    async def _reencrypt_row(self, table: _Sealed, row: Sequence[Any]) -> bool:
        """Whether it was necessary. If another process changes the row meanwhile, that process encrypts it."""
        name, *values = row
        _require_text(name)
        places = table.places(name)
        opened = _opened(values, places, self.keys)
        if all(
            value in _NOTHING_SECRET or self.keys.is_current(value, place)
            for value, place in zip(values, places, strict=True)
        ):
            return False
        sealed = [
            value if value in _NOTHING_SECRET else self.keys.seal(value, place)
            for value, place in zip(opened, places, strict=True)
        ]
        return bool(await self._run(table.update, name, *sealed, *values))


# What the columns hold of a client without a secret, and without former ones.
_NOTHING_SECRET = (None, "[]")


def _opened(values: Iterable[Any], places: Iterable[Place], keys: KeyRing) -> list[Any]:
    return [_opened_value(value, place, keys) for value, place in zip(values, places, strict=True)]


def _opened_value(value: Any, place: Place, keys: KeyRing) -> str | None:
    if value is None:
        return None
    _require_text(value)
    return keys.open(value, place)


def _require_text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"holds {type(value).__name__} instead of text")
