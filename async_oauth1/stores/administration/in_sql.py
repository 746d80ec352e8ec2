"""The clients of the SQL stores: registered, changed, disabled, and read page by page."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Unpack

from async_oauth1.credentials import Client, ClientChanges, TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores import sql
from async_oauth1.stores.auditing.in_sql import APPLICATION, AuditInSQL
from async_oauth1.stores.base import check_text, is_text
from async_oauth1.stores.client_changes import check_changes
from async_oauth1.stores.encryption import KeyRing
from async_oauth1.stores.lifecycle import live_client, rotated

from .paging import PAGE_SIZE, Page, check_limit, key_after, page_of

__all__ = ["ClientsInSQL"]

# A rotation starts again if another process has changed the client meanwhile.
_ROTATION_TRIES = 16

# Rows of clients whose records are kept. Each look-up of a token reads its client's row, which rarely changes.
_KEPT_RECORDS = 256


class ClientsInSQL(AuditInSQL):
    """The part of an SQL store that implements `AdministersClients`, and the methods of `Store` for clients."""

    #: Sorts text by its code points, as Python does.
    COLLATION: ClassVar[str] = ""

    @abstractmethod
    async def _write(self, statement: str, *arguments: object) -> Sequence[Sequence[Any]]:
        """Run one statement as its own transaction, and return its rows."""

    @abstractmethod
    def _check_lengths(self, **identifiers: str) -> None:
        """Refuse identifiers that are too long for the database's indexes."""

    async def add_client(self, client: Client) -> None:
        """As `Store.add_client`."""
        check_text(client)
        self._check_lengths(client_id=client.client_id)
        if not await self._change("client.created", APPLICATION, sql.INSERT_CLIENT, *rows.of_client(client, self.keys)):
            raise ValueError(f"client_id {client.client_id} is taken")

    async def list_clients(self) -> list[Client]:
        """As `Store.list_clients`; clients that cannot be read are logged and left out."""
        return rows.readable(await self._read(rows.SELECT_CLIENT + self._by_name), self._client_of)

    async def find_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.find_client`."""
        found = await self._read(sql.GET_CLIENT, client_id) if is_text(client_id) else ()
        return self._client_of(found[0]) if found else None

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """As `Store.rotate_client_secret`."""
        # The store encrypts secrets, not the database, so a rotation reads, computes and writes. It writes only if the
        # row has not changed since it was read, and starts again otherwise. No lock is held.
        if not is_text(client_id):
            return None
        for _ in range(_ROTATION_TRIES):
            found = await self._write(sql.GET_CLIENT, client_id)
            if not found:
                return None
            now = self.clock()
            new = rotated(rows.client(found[0], self.keys, now), overlap, now)
            values = (*rows.client_secrets(new, self.keys), client_id, found[0][1], found[0][2])
            if await self._change("client.rotated", APPLICATION, sql.ROTATE, *values):
                return new
        raise StoreUnavailableError()

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """As `Store.update_client`."""
        values = rows.client_changes(check_changes(changes))
        if not is_text(client_id) or not changes:
            return await self.find_client(client_id)
        updated = await self._change("client.changed", APPLICATION, sql.UPDATE_CLIENT, client_id, *values)
        return self._client_of(updated[0]) if updated else None

    async def disable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.disable_client`."""
        return await self._set_disabled(client_id, disabled=True)

    async def enable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.enable_client`."""
        return await self._set_disabled(client_id, disabled=False)

    async def page_clients(self, search: str = "", *, limit: int = PAGE_SIZE, after: str = "") -> Page[Client]:
        """As `AdministersClients.page_clients`; clients that cannot be read are logged and left out."""
        check_limit(limit)
        key = key_after(after, str, str)
        if not is_text(search):
            return Page([], None)
        where = _Conditions()
        where.contains(search, "name", "client_id")
        if key is not None:
            where.comes_after(key, f"name{self.COLLATION}", f"client_id{self.COLLATION}")
        found = await self._read(f"{rows.SELECT_CLIENT}{where}{self._by_name} LIMIT {limit + 1:d}", *where.arguments)
        records = rows.readable(found[:limit], self._client_of)
        return page_of(records, [(row[3], row[0]) for row in found], limit)

    async def page_token_credentials(
        self,
        search: str = "",
        *,
        user_id: str | None = None,
        client_id: str | None = None,
        limit: int = PAGE_SIZE,
        after: str = "",
    ) -> Page[TokenCredential]:
        """As `AdministersClients.page_token_credentials`; those that cannot be read are logged and left out."""
        check_limit(limit)
        key = key_after(after, float, str)
        if not is_text(search, user_id or "", client_id or ""):
            return Page([], None)
        where = _Conditions()
        where.add("(expires_at IS NULL OR expires_at > {})", self.clock())
        for name, value in (("user_id", user_id), ("client_id", client_id)):
            if value is not None:
                where.add(name + " = {}", value)
        where.contains(search, "oauth_token", "user_id", "client_id")
        order = "created_at", f"oauth_token{self.COLLATION}"
        if key is not None:
            where.comes_after(key, *order)
        found = await self._read(
            f"{rows.SELECT_TOKEN}{where} ORDER BY {', '.join(order)} LIMIT {limit + 1:d}", *where.arguments
        )
        records = rows.readable(found[:limit], lambda row: rows.token(row, self.keys))
        return page_of(records, [(float(row[5]), row[0]) for row in found], limit)

    async def _set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        if not is_text(client_id):
            return None
        event = "client.disabled" if disabled else "client.enabled"
        changed = await self._change(event, APPLICATION, sql.SET_DISABLED, client_id, disabled)
        return self._client_of(changed[0]) if changed else await self.find_client(client_id)

    @property
    def _by_name(self) -> str:
        return f" ORDER BY name{self.COLLATION}, client_id{self.COLLATION}"

    def _client_of(self, row: Sequence[Any]) -> Client:
        return live_client(self._stored_client(tuple(row), self.keys), self.clock())

    @cached_property
    def _stored_client(self) -> Callable[[tuple[Any, ...], KeyRing], Client]:
        """`rows.stored_client`, which makes the same record of the same row; errors are not kept."""
        return lru_cache(maxsize=_KEPT_RECORDS)(rows.stored_client)


class _Conditions:
    """The conditions of a statement, and its arguments."""

    def __init__(self) -> None:
        self.arguments: list[object] = []
        self._conditions: list[str] = []

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""

    def add(self, condition: str, *values: object) -> None:
        """Add a condition with a pair of braces for each value."""
        places: list[str] = []
        for value in values:
            self.arguments.append(value)
            places.append(f"${len(self.arguments)}")
        self._conditions.append(condition.format(*places))

    def contains(self, search: str, *columns: str) -> None:
        """One of the columns contains a text. SQLite's ``lower`` knows only ASCII, so the text may also match as is."""
        if search:
            patterns = [_pattern(search), _pattern(search.lower())]
            either = [f"{name} LIKE {{0}} ESCAPE '!' OR lower({name}) LIKE {{1}} ESCAPE '!'" for name in columns]
            self.add(f"({' OR '.join(either)})", *patterns)

    def comes_after(self, key: tuple[object, ...], *columns: str) -> None:
        """A row comes after the one with this sort key."""
        self.add(f"({', '.join(columns)}) > ({', '.join(['{}'] * len(key))})", *key)


def _pattern(search: str) -> str:
    for special in "!%_":
        search = search.replace(special, "!" + special)
    return f"%{search}%"
