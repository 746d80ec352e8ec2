"""Clients in a table of the application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.credentials import Client, ClientChanges
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.administration.paging import Page, check_limit, key_after, page_of
from async_oauth1.stores.base import BaseStore, check_text, is_text
from async_oauth1.stores.client_changes import check_changes
from async_oauth1.stores.encryption import KeyRing
from async_oauth1.stores.lifecycle import rotated

from .columns import UnsuitableModelError
from .exact import contains
from .models import Model, Needs, parameter_name
from .secrets import former_secrets_of, secret_of
from .temporary_credentials import changed_rows
from .transactions import RefusedRowError, Transactions

__all__ = ["CLIENT_NEEDS", "Clients"]

T = TypeVar("T")

#: What a model of clients must have.
CLIENT_NEEDS = Needs(
    "OAuth1ClientMixin",
    {"client_id": 1, "client_secret": 43},
    ("get_client_secret", "get_rsa_public_key"),
    "OAuth1EncryptedClientMixin",
)

# A rotation starts again if another process has changed the client meanwhile.
_ROTATION_TRIES = 16
# Columns that hold a list as JSON.
_LISTS = ("callbacks", "signature_methods", "tolerances")


class Clients(Generic[T]):
    """The clients of a store. The methods are described in `Store`."""

    def __init__(self, model: Model[T], transactions: Transactions, store: BaseStore) -> None:
        """Make the statements.

        Args:
            model: of the application.
            transactions: run the statements.
            store: its clock and its keys count.
        """
        self._model = model
        self._transactions = transactions
        self._store = store
        self._find_one = select(model.cls).where(model.matches("client_id"))

    def may_be(self, client_id: str) -> bool:
        """Whether there can be a client of that name."""
        return is_text(client_id) and self._model.fits("client_id", client_id)

    async def find(self, session: AsyncSession, client_id: str) -> T | None:
        """Look a client up."""
        found = await session.scalars(self._find_one, {parameter_name("client_id"): client_id})
        return self.opened(found.unique().first(), client_id)

    def opened(self, row: T | None, client_id: str) -> T | None:
        """A row that was found, with its secrets decrypted; ``None`` if it is another client's."""
        if row is None or getattr(row, "client_id", None) != client_id:
            return None
        return self._model.opened(row, self._store.keys, self._store.clock)

    def enabled(self, row: T | None, client_id: str) -> T | None:
        """As `opened`; ``None`` also if the client is disabled."""
        return None if getattr(row, "disabled", False) else self.opened(row, client_id)

    async def add(self, client: T | Client) -> None:
        """As `Store.add_client`; the client is a row of the model, or the record of this package."""
        values = self._values(client) if isinstance(client, Client) else None
        given: Any = client
        client_id: str = given.client_id
        secrets = {} if values is not None else self._sealed(client)
        if await self._transactions.run(lambda session: self._count(session, client_id)):
            raise ValueError(f"client_id {client_id} is taken")

        async def insert(session: AsyncSession) -> None:
            row: Any = client if values is None else self._model.new(**values)
            for name, sealed in secrets.items():
                setattr(row, name, sealed)
            session.add(row)
            await session.flush()
            self._opened(row)

        try:
            await self._transactions.run(insert)
        except RefusedRowError:
            if await self._transactions.run(lambda session: self._count(session, client_id)):
                raise ValueError(f"client_id {client_id} is taken") from None
            raise

    async def listed(self) -> list[T]:
        """As `Store.list_clients`."""

        async def read(session: AsyncSession) -> list[Any]:
            return list((await session.scalars(select(self._model.cls))).unique())

        found = await self._transactions.run(read)
        readable = rows.readable(((row,) for row in found), lambda row: self._opened(row[0]))
        return sorted(readable, key=lambda row: (getattr(row, "name", "") or "", getattr(row, "client_id", "")))

    async def page(self, search: str, limit: int, after: str) -> Page[T]:
        """As `AdministersClients.page_clients`."""
        check_limit(limit)
        order = {"name": "", "client_id": ""}
        key, model = key_after(after, str, str), self._model
        if not is_text(search):
            return Page([], None)
        names = [model.attribute(name) for name in order if model.has(name)]
        conditions = [contains(search, names)] if search else []
        found = await self._transactions.run(lambda session: model.page(session, conditions, order, key, limit + 1))
        readable = rows.readable(((row,) for row, _ in found[:limit]), lambda row: self._opened(row[0]))
        return page_of(readable, [key for _, key in found], limit)

    async def rotate(self, client_id: str, overlap: float) -> T | None:
        """As `Store.rotate_client_secret`."""
        if overlap:
            self._model.require("overlapping_secrets", "OAuth1RotationMixin", "an overlap of secrets")
        for _ in range(_ROTATION_TRIES):
            row = await self._transactions.run(lambda session: self.find(session, client_id))
            if row is None:
                return None
            if (new := await self._replace_secrets(row, overlap)) is not None:
                return new
        raise StoreUnavailableError()

    async def update(self, client_id: str, changes: ClientChanges) -> T | None:
        """As `Store.update_client`."""
        checked = check_changes(changes)
        for name in checked:
            self._model.require(name, "OAuth1ClientSettingsMixin", f"a change of {name}")
        values = self._model.values(**{name: _stored(name, value) for name, value in checked.items()})

        async def work(session: AsyncSession) -> T | None:
            if values:
                statement = update(self._model.cls).where(self._model.equals("client_id", client_id))
                await changed_rows(session, statement.values(values))
            return await self.find(session, client_id)

        return await self._transactions.run(work) if self.may_be(client_id) else None

    async def set_disabled(self, client_id: str, *, disabled: bool) -> T | None:
        """As `AdministersClients.disable_client` and `AdministersClients.enable_client`."""
        self._model.require("disabled", "OAuth1DisablingMixin", "a disabled client")
        statement = update(self._model.cls).values(self._model.values(disabled=disabled))

        async def work(session: AsyncSession) -> T | None:
            await changed_rows(session, statement.where(self._model.equals("client_id", client_id)))
            return await self.find(session, client_id)

        return await self._transactions.run(work) if self.may_be(client_id) else None

    async def find_any(self, client_id: str) -> T | None:
        """As `AdministersClients.find_client`."""
        return await self._transactions.run(lambda session: self.find(session, client_id))

    def _opened(self, row: T) -> T:
        return self._model.opened(row, self._store.keys, self._store.clock)

    async def remove(self, session: AsyncSession, client_id: str, owned: Sequence[Model[Any]]) -> bool:
        """Remove a client, and the rows of other models that belong to it, within a transaction."""
        for model in owned:
            await changed_rows(session, delete(model.cls).where(model.equals("client_id", client_id)))
        named = self._model.equals("client_id", client_id)
        return bool(await changed_rows(session, delete(self._model.cls).where(named)))

    async def _count(self, session: AsyncSession, client_id: str) -> int:
        named = self._model.equals("client_id", client_id)
        return await session.scalar(select(func.count()).select_from(self._model.cls).where(named)) or 0

    async def _replace_secrets(self, row: Any, overlap: float) -> T | None:
        """Give a client a new secret, if its secrets are still as they were read; else ``None``."""
        model = self._model
        new = rotated(_record(row), overlap, self._store.clock())
        names = [name for name in ("client_secret", "overlapping_secrets") if model.has(name)]
        same = [model.attribute(name) == getattr(row, name) for name in names]
        current, former = rows.client_secrets(new, KeyRing())
        sealed: dict[str, str | None] = {"client_secret": current, "overlapping_secrets": former}
        values = {name: self._seal(name, new.client_id, sealed[name]) for name in names}
        named = model.equals("client_id", new.client_id)
        statement = update(model.cls).where(named, *same).values(model.values(**values))

        async def work(session: AsyncSession) -> T | None:
            # Read before another rotation can follow.
            return await self.find(session, new.client_id) if await changed_rows(session, statement) else None

        return await self._transactions.run(work)

    def _values(self, client: Client) -> dict[str, Any]:
        """The values of a record's row.

        Raises:
            ValueError: text that cannot be stored.
            UnsuitableModelError: the model has no column for a value.
        """
        check_text(client)
        current, former = rows.client_secrets(client, KeyRing())
        values: dict[str, Any] = {
            each.name: _stored(each.name, getattr(client, each.name))
            for each in fields(client)
            if each.name not in ("overlapping_secrets", "overlaps_end_at")
        }
        values["client_secret"] = self._seal("client_secret", client.client_id, current)
        values["overlapping_secrets"] = self._seal("overlapping_secrets", client.client_id, former)
        for name, value in values.items():
            if value not in (None, "", "[]", [], "strict", False) and not self._model.has(name):
                raise UnsuitableModelError(f"{self._model.cls.__name__} has no column for the client's {name}")
        return self._model.values(**values)

    def _sealed(self, row: Any) -> dict[str, Any]:
        """The secrets of a new row, as they are stored."""
        plain = {name: getattr(row, name) for name in self._model.secrets}
        sealed = {name: self._seal(name, row.client_id, value) for name, value in plain.items()}
        return self._model.values(client_id=row.client_id, **sealed)

    def _seal(self, name: str, client_id: str, value: str | None) -> str | None:
        if value is None or value == "[]":
            return value
        return self._store.keys.seal(value, (self._model.table.name, name, client_id))


def _stored(name: str, value: Any) -> Any:
    return list(value) if name in _LISTS else value


def _record(row: Any) -> Client:
    """What a rotation reads of a client."""
    overlaps = former_secrets_of(row) if hasattr(row, "overlapping_secrets") else []
    ends = tuple(end for _, end in overlaps)
    key = row.get_rsa_public_key() if hasattr(row, "rsa_public_key") else None
    return Client(
        client_id=row.client_id,
        client_secret=secret_of(row, "client_secret"),
        overlapping_secrets=tuple(secret for secret, _ in overlaps),
        overlaps_end_at=ends if any(end is not None for end in ends) else (),
        rsa_public_key=None if key is None else StoredKey(key),
    )
