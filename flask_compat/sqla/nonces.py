"""Nonces in a table: each accepted once, also in a table of Authlib 0.15 as it is.

There the unique constraint lets requests without a token through: their token was NULL, and NULLs differ from each
other. Here such requests are stored with an empty token. In a table that may hold NULL, or without the constraint, a
lock of the database keeps those with one nonce apart. If the model says that ``oauth_token`` is never NULL, the
constraint suffices, and a nonce is one INSERT.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Table, UniqueConstraint, delete, func, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper, Session, class_mapper

from async_oauth1.errors import OAuth1Error, StoreUnavailableError
from async_oauth1.provider.hooks.problems import violates_unique
from async_oauth1.sqlalchemy.columns import ModelColumns, UnstorableValueError
from flask_compat.caching.nonce_lifetime import needed_lifetime

from .transactions import Transactions

__all__ = ["Nonces"]

log = logging.getLogger("flask_compat")

_KEY = frozenset({"client_id", "timestamp", "nonce", "oauth_token"})
_PURGED_AT_ONCE = 1000
#: Seconds between two purges of a process, and after one that left some.
_PURGE_PAUSE, _NEXT_PURGE = 60.0, 1.0
_LOCK_SECONDS = 10


class _KnownError(Exception):
    """The nonce was stored before."""


class Nonces:
    """The nonces of one model."""

    def __init__(self, transactions: Transactions, columns: ModelColumns, expires: int) -> None:
        """Take a model that was checked.

        Args:
            transactions: over the model.
            columns: of the model.
            expires: seconds that a nonce is kept; more if the timestamp window requires it.
        """
        self.transactions = transactions
        self._columns = columns
        self._expires = expires
        self._longest = 0.0
        self._next_purge = 0.0
        mapper: Mapper[Any] = class_mapper(columns.model, configure=False)
        self._primary_key: ColumnElement[Any] = mapper.primary_key[0]
        names = {mapper.columns[key].name for key in _KEY if key in mapper.columns}
        keys = [key for key in _unique_keys(cast("Table", mapper.local_table)) if key <= names]
        token = mapper.columns.get("oauth_token")
        # A model that took the mixin of another table: one token could be stored once.
        self._keeps_token = token is not None and {token.name} not in keys
        self._no_token = None if not self._keeps_token or token is None or token.foreign_keys else ""
        nonce = mapper.columns.get("nonce")
        is_unique = nonce is not None and any(nonce.name in key for key in keys)
        self._is_exact = is_unique and token is not None and not token.nullable

    def exists(self, nonce: str, timestamp: object, client_id: str, oauth_token: str | None) -> bool:
        """Store a nonce, and say whether it was known.

        Raises:
            UnstorableValueError: a value is too long for its column.
            StoreUnavailableError: the database does not answer; nothing is known of the nonce.
        """
        token = (oauth_token or self._no_token) if self._keeps_token else None
        row = self._columns.cast_all(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=token)
        name = hashlib.sha256(repr((self._columns.model.__name__, *row.values())).encode()).digest()

        def store(own: Session) -> None:
            if not self._is_exact and own.get_bind().dialect.name == "postgresql":
                own.execute(select(func.pg_advisory_xact_lock(int.from_bytes(name[:8], "big", signed=True))))
            own.add(self._columns.model(**row))
            own.flush()  # first: it takes SQLite's lock
            if not self._is_exact:
                self._check_alone(own, row)

        try:
            self.transactions.run(store, None if self._is_exact else lambda connection: _locked(connection, name.hex()))
        except _KnownError:
            return True
        except IntegrityError as error:
            if violates_unique(error):
                return True
            raise
        self._purge_sometimes()
        return False

    def _check_alone(self, own: Session, row: dict[str, Any]) -> None:
        attribute = self._columns.attribute
        criteria = [attribute(name) == row[name] for name in ("nonce", "timestamp", "client_id")]
        if self._keeps_token:
            same = attribute("oauth_token") == row["oauth_token"]
            criteria.append(same if row["oauth_token"] else or_(same, attribute("oauth_token").is_(None)))
        found = own.scalar(select(func.count()).select_from(self._columns.model).where(*criteria))
        if not found:  # MySQL without its strict mode has stored another one
            raise UnstorableValueError('"oauth_nonce" has characters that cannot be stored.')
        if found > 1:
            raise _KnownError

    def _purge_sometimes(self) -> None:
        self._longest = max(self._longest, needed_lifetime(300))
        now = time.monotonic()
        if now < self._next_purge or self._longest == math.inf:
            return
        self._next_purge = now + _PURGE_PAUSE
        try:
            if self.transactions.run(self._purge) >= _PURGED_AT_ONCE:
                self._next_purge = now + _NEXT_PURGE
        except (OAuth1Error, IntegrityError) as error:
            log.warning("Old nonces of %s were not deleted: %s", self._columns.model.__name__, type(error).__name__)

    def _purge(self, own: Session) -> int:
        """Delete some of the nonces whose timestamps are no longer accepted."""
        before = self._columns.cast("timestamp", int(time.time() - max(self._expires, self._longest)))
        is_old = self._columns.attribute("timestamp") < before
        keys = list(own.scalars(select(self._primary_key).where(is_old).limit(_PURGED_AT_ONCE)))
        if keys:
            statement = delete(self._columns.model).where(self._primary_key.in_(keys), is_old)
            own.execute(statement, execution_options={"synchronize_session": False})
        return len(keys)


def _unique_keys(table: Table) -> Iterator[set[str]]:
    yield {column.name for column in table.primary_key}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield {column.name for column in constraint.columns}
    for index in table.indexes:
        if index.unique:
            yield {column.name for column in index.columns}


@contextmanager
def _locked(connection: Connection, name: str) -> Generator[None]:
    """Hold a lock of MySQL's, which has none that ends with a transaction, and read what others have committed."""
    kind = connection.dialect.name
    if connection.in_transaction():
        yield
        return
    if kind == "postgresql":
        connection.execution_options(isolation_level="READ COMMITTED")
    if kind not in ("mysql", "mariadb"):
        yield
        return
    name = f"oauth1-{name[:50]}"
    if connection.scalar(text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": _LOCK_SECONDS}) != 1:
        raise StoreUnavailableError()
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
        connection.commit()
