"""Nonces in a table of the application: each is inserted once, and removed when it is too old to be accepted.

Nonces that arrive while a transaction is under way share the next one, and so its round trips and its commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Insert, Select, delete, exists, func, insert, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.stores.base import BaseStore, nonce_seconds, required_text
from async_oauth1.stores.batching import NonceBatcher, QuestionError

from .columns import UnsuitableModelError
from .models import Model, Needs, parameter_name
from .transactions import RefusedRowError, Transactions, database_time, is_duplicate

__all__ = ["NONCE_NEEDS", "Nonces"]

#: What a model of nonces must have.
NONCE_NEEDS = Needs("OAuth1TimestampNonceMixin", {"client_id": 32, "timestamp": 10, "nonce": 32, "oauth_token": 32})

_KEY = ("client_id", "timestamp", "nonce", "oauth_token")
# A row of no client: nonces with timestamps up to its own may have been removed, so they are refused.
_REMOVED = {"client_id": "", "nonce": "removed", "oauth_token": ""}

# These insert nothing if the row is there. Others raise an error.
_INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# After an error in one statement, these continue with the transaction.
_KEEP_TRANSACTION = frozenset({*_INSERTS, "mysql", "mariadb"})

# If one of them is known, each is a statement of its own, and the transaction must end in time.
_BATCH_SIZE = 128

_Values = tuple[Any, ...]


class Nonces:
    """The nonces of a store."""

    def __init__(self, model: Model[Any], transactions: Transactions, store: BaseStore) -> None:
        """Make the statements.

        Args:
            model: of the application.
            transactions: run them.
            store: its clock and its lifetime count.

        Raises:
            UnsuitableModelError: nothing makes a nonce unique, or nonces refer to clients.
        """
        if not model.is_unique(*_KEY):
            raise UnsuitableModelError(
                f"{model.cls.__name__}: nothing makes {', '.join(_KEY)} unique together, so one request could be"
                f" accepted twice; add {NONCE_NEEDS.mixin}, or a UniqueConstraint of these columns"
            )
        if model.column("client_id").foreign_keys:
            raise UnsuitableModelError(
                f"{model.cls.__name__}: the column client_id must not refer to clients, because one row belongs to"
                " none, and long names are stored as a hash; remove the ForeignKey"
            )
        self._model = model
        self._transactions = transactions
        self._store = store
        self._statements: dict[tuple[str, int], Insert] = {}
        self._look_up = select(func.count()).where(*(model.matches(name) for name in _KEY))
        self._batcher: NonceBatcher[_Values] = NonceBatcher(self._remember, batch_size=_BATCH_SIZE, fail_together=True)

    async def exists(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Insert a nonce, and return whether it was there, in one atomic step."""
        required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
        seconds = nonce_seconds(timestamp)
        if not seconds:
            return True
        known = await self._batcher.ask(self._values(nonce, timestamp, client_id, oauth_token or ""))
        return known or self._store.is_stale(seconds)

    async def drain(self) -> None:
        """Wait until every nonce is answered."""
        await self._batcher.drain()

    async def purge(self, session: AsyncSession, now: float, limit: int) -> None:
        """Remove some nonces that no request can use any more, and remember up to which timestamp.

        Only those count as old that are so by this worker's clock, by the database's, and compared with the newest.
        """
        timestamp = self._model.attribute("timestamp")
        newest = await session.scalar(select(func.max(timestamp)).where(*self._of_clients()))
        if newest is None:
            return
        end = min(now, await database_time(session, self._model.cls), float(newest)) - self._store.nonce_lifetime
        oldest = select(timestamp).where(
            *self._of_clients(), timestamp <= self._model.values(timestamp=int(end))["timestamp"]
        )
        page = (await session.scalars(oldest.order_by(timestamp).limit(limit))).all()
        if not page:
            return
        await self._remember_removal(session, page[-1])
        await session.execute(delete(self._model.cls).where(*self._of_clients(), timestamp <= page[-1]))

    def _values(self, nonce: str, timestamp: str, client_id: str, oauth_token: str) -> _Values:
        """The values of a row, in the order of `_KEY`."""
        model = self._model
        texts = {"client_id": client_id, "nonce": nonce, "oauth_token": oauth_token}
        kept = {name: value if _is_kept(model, name, value) else _digest(value) for name, value in texts.items()}
        values = model.values(timestamp=timestamp, **kept)
        return tuple(values[name] for name in _KEY)

    async def _remember(self, keys: Sequence[_Values]) -> Collection[_Values]:
        # Sorted: two workers that insert the same nonces in different orders would deadlock.
        keys = sorted(keys)
        try:
            if len(keys) > 1 and await self._transactions.run_here(lambda session: self._insert_all(session, keys)):
                return keys
            return await self._transactions.run_here(lambda session: self._insert_each(session, keys))
        except RefusedRowError as error:
            raise QuestionError() from error

    async def _insert_all(self, session: AsyncSession, keys: Sequence[_Values]) -> bool:
        """Insert nonces with one statement; if one of them is not new, none is inserted."""
        given = [*keys]
        if self._dialect(session) in _INSERTS:  # which ignore one that is there twice
            # Few different numbers of rows, so that the driver can keep the prepared statements.
            given += given[-1:] * ((1 << (len(keys) - 1).bit_length()) - len(keys))
        parameters = {name: value for number, key in enumerate(given) for name, value in _parameters(key, number)}
        inserted = await self._insert(session, self._statement(session, len(given)), parameters)
        if inserted < len(keys):
            await session.rollback()
        return inserted == len(keys)

    async def _insert_each(self, session: AsyncSession, keys: Sequence[_Values]) -> Collection[_Values]:
        """Insert what is new, and return it."""
        statement = self._statement(session, 1)
        dialect = self._dialect(session)
        insert_one = self._insert if dialect in _KEEP_TRANSACTION else self._insert_in_savepoint
        return [key for key in keys if await insert_one(session, statement, dict(_parameters(key)))]

    async def _insert(self, session: AsyncSession, statement: Insert, parameters: dict[str, Any]) -> int:
        """Insert nonces, and return how many were new; none if the statement failed because one was not."""
        try:
            result: Any = await session.execute(statement, parameters, bind_arguments={"mapper": self._model.cls})
        except IntegrityError as error:
            if is_duplicate(error):
                return 0
            raise
        return int(result.rowcount)

    async def _insert_in_savepoint(self, session: AsyncSession, statement: Insert, parameters: dict[str, Any]) -> int:
        try:
            async with session.begin_nested():
                return await self._insert(session, statement, parameters)
        except IntegrityError:
            if await session.scalar(self._look_up, parameters):
                return 0
            raise

    def _dialect(self, session: AsyncSession) -> str:
        return session.get_bind(self._model.cls).dialect.name

    def _statement(self, session: AsyncSession, count: int) -> Insert:
        dialect = self._dialect(session)
        statement = self._statements.get((dialect, count))
        if statement is None:
            statement = self._statements[dialect, count] = self._insertion(dialect, count)
        return statement

    def _insertion(self, dialect: str, count: int) -> Insert:
        """Inserts a number of nonces, unless they are there or may have been removed."""
        model = self._model
        statement: Any = _INSERTS.get(dialect, insert)(model.column("nonce").table)
        rows: list[Select[Any]] = [self._row(number) for number in range(count)]
        selected = union_all(*rows) if count > 1 else rows[0]
        statement = statement.from_select([model.column(name) for name in _KEY], selected)
        insertion: Insert = statement.on_conflict_do_nothing() if dialect in _INSERTS else statement
        return insertion.execution_options(preserve_rowcount=True)

    def _row(self, number: int) -> Any:
        model = self._model
        removed = [model.equals(name, value) for name, value in _REMOVED.items()]
        removed.append(model.attribute("timestamp") >= model.parameter("timestamp", number))
        return select(*(model.parameter(name, number) for name in _KEY)).where(~exists().where(*removed))

    def _of_clients(self) -> list[Any]:
        return [self._model.attribute("client_id") != _REMOVED["client_id"]]

    async def _remember_removal(self, session: AsyncSession, timestamp: Any) -> None:
        model = self._model
        conditions = [model.equals(name, value) for name, value in _REMOVED.items()]
        mark: Any = (await session.scalars(select(model.cls).where(*conditions))).first()
        if mark is None:
            session.add(model.new(timestamp=timestamp, **_REMOVED))
        elif timestamp > mark.timestamp:
            mark.timestamp = timestamp
        await session.flush()


def _parameters(key: _Values, number: int = 0) -> Iterator[tuple[str, Any]]:
    return ((parameter_name(name, number), value) for name, value in zip(_KEY, key, strict=True))


def _is_kept(model: Model[Any], name: str, value: str) -> bool:
    """Whether a value is kept as it is: it fits, and no database takes it for another one."""
    return model.fits(name, value) and value.isascii() and value.isprintable() and not value.endswith(" ")


def _digest(value: str) -> str:
    return f"~{blake2b(value.encode(), digest_size=15).hexdigest()}"
