"""The secrets in the application's tables: checking the keys, and encrypting under the newest key.

A row is written only if it has not changed since it was read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from sqlalchemy import inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.errors import StoreError
from async_oauth1.stores.encryption import DamagedError, KeyRing, UnreadableError

from .models import Model
from .temporary_credentials import changed_rows
from .transactions import Transactions

__all__ = ["check_tables", "reencrypt"]

_log = logging.getLogger(__name__)

_PAGE = 200
_SAMPLE = 20


async def check_tables(transactions: Transactions, models: Iterable[Model[Any]], keys: KeyRing, url: str) -> None:
    """Refuse tables that are missing, whose columns are shorter than the models', or that need other keys.

    Raises:
        StoreError: a column is too short, or the keys do not decrypt a secret.
        StoreUnavailableError: the database does not answer, or has no such table.
    """
    for model in models:
        short = await transactions.run(partial(_shortened, model=model))
        if short:
            raise StoreError(f"{url}: {short}")
        sample = partial(_page, model=model, after="", limit=_SAMPLE)
        for row in await transactions.run(sample) if model.secrets else ():
            _check_sample(model, row, keys, url)


async def reencrypt(transactions: Transactions, models: Iterable[Model[Any]], keys: KeyRing, url: str) -> int:
    """Encrypt under the newest key every secret that is not encrypted under it yet.

    Returns:
        How many rows were written.

    Raises:
        StoreError: there is no key; or some records could not be read, and all others are encrypted now.
    """
    if not keys:
        raise StoreError(f"{url}: there is no key to encrypt with; give the store keys, newest first")
    written, unreadable = 0, 0
    for model in models:
        last = ""
        while page := await transactions.run(partial(_page, model=model, after=last, limit=_PAGE)):
            for row in page:
                try:
                    written += await _reencrypt_row(transactions, model, row, keys)
                except (UnreadableError, TypeError) as error:
                    unreadable += 1
                    _log.error("%s: a secret of the %s %.8r... %s", url, model.cls.__name__, row[0], error)
            last = page[-1][0]
    if unreadable:
        raise StoreError(
            f"{url}: {unreadable} record(s) could not be read, the others are encrypted under the newest key"
        )
    return written


async def _page(session: AsyncSession, model: Model[Any], after: str, limit: int) -> list[Any]:
    """Some rows after an identifier: the identifier, and the secrets."""
    key = model.attribute(model.key)
    columns = [key, *(model.attribute(name) for name in model.secrets)]
    found = await session.execute(select(*columns).where(key > after).order_by(key).limit(limit))
    return list(found.all())


async def _reencrypt_row(transactions: Transactions, model: Model[Any], row: Any, keys: KeyRing) -> bool:
    """Whether the row was written."""
    name, *values = row
    old = dict(zip(model.secrets, values, strict=True))
    new = {column: _sealed(model, name, column, value, keys) for column, value in old.items()}
    changed = {column: value for column, value in new.items() if value != old[column]}
    if not changed:
        return False
    same = [model.attribute(column) == old[column] for column in changed]
    statement = update(model.cls).where(model.equals(model.key, name), *same).values(model.values(**changed))
    return bool(await transactions.run(lambda session: changed_rows(session, statement)))


def _sealed(model: Model[Any], name: str, column: str, value: str | None, keys: KeyRing) -> str | None:
    place = (model.table.name, column, name)
    if value in (None, "[]") or keys.is_current(value or "", place):
        return value
    return keys.seal(keys.open(value or "", place), place)


def _check_sample(model: Model[Any], row: Any, keys: KeyRing, url: str) -> None:
    name, *values = row
    for column, value in zip(model.secrets, values, strict=True):
        try:
            keys.open(value or "", (model.table.name, column, name))
        except (DamagedError, AttributeError, TypeError) as error:
            _log.error("%s: a secret of the %s %.8r... %s", url, model.cls.__name__, name, error)
        except UnreadableError as error:
            raise StoreError(f"{url}: a secret of the {model.cls.__name__} {str(name)[:8]}... {error}") from None


async def _shortened(session: AsyncSession, model: Model[Any]) -> str:
    """What is wrong with a table: a column that is shorter than the model's.

    Only MySQL may cut a value off silently; other databases refuse it, or do not look at the length.
    """
    await session.execute(select(model.attribute(model.key)).limit(1))  # fails if there is no table
    if session.get_bind(model.cls).dialect.name not in ("mysql", "mariadb"):
        return ""
    connection = await session.connection(bind_arguments={"mapper": model.cls})
    table: Any = model.column(model.key).table
    columns = await connection.run_sync(lambda sync: inspect(sync).get_columns(table.name, schema=table.schema))
    lengths = {each["name"]: getattr(each["type"], "length", None) for each in columns}
    mapped: list[Any] = list(table.columns)
    for column in mapped:
        there, wanted = lengths.get(column.name), getattr(column.type, "length", None)
        if there is not None and wanted is not None and there < wanted:
            return f"the column {table.name}.{column.name} holds {there} characters, and its model {wanted}; migrate it"
    return ""
