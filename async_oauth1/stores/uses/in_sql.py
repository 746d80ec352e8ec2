"""The last uses of token credentials in the SQL stores: in a table of their own.

An update of the token's own row would tell every cache that the token has changed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.base import BaseStore, is_text

from .last_use import LastUse, UseWriter

__all__ = ["UsesInSQL"]

# Uses in one statement.
_AT_ONCE = 500
# Seconds between two removals of what revoked tokens have left, which looks at the whole table.
_SECONDS_BETWEEN_REMOVALS = 3600.0

# A token may be revoked while its use is waiting, and rows of tokens may be deleted by hand.
_REMOVE_ORPHANS = (
    "DELETE FROM oauth1_last_use WHERE oauth_token <> '' AND NOT EXISTS (SELECT 1 FROM oauth1_token_credential AS t"
    " WHERE t.oauth_token = oauth1_last_use.oauth_token AND t.client_id = oauth1_last_use.client_id)"
)
_OF_TOKENS = (
    "SELECT u.client_id, u.oauth_token, u.used_at, u.user_agent"
    " FROM oauth1_token_credential AS t JOIN oauth1_last_use AS u"
    " ON u.client_id = t.client_id AND u.oauth_token = t.oauth_token"
)
_OF_CLIENTS = "SELECT client_id, oauth_token, used_at, user_agent FROM oauth1_last_use WHERE oauth_token = ''"


class UsesInSQL(BaseStore):
    """The part of an SQL store that implements `RecordsUses`."""

    _uses: UseWriter

    def _start_uses(self, spawn: Callable[[Coroutine[object, object, Any]], object]) -> None:
        self._uses = UseWriter(self._write_uses, spawn, self.clock)
        self._removed_at = float("-inf")

    @abstractmethod
    async def _read(self, statement: str, *arguments: object) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT."""

    @abstractmethod
    async def _write(self, statement: str, *arguments: object) -> Sequence[Sequence[Any]]:
        """Run one statement as its own transaction, and return its rows."""

    @abstractmethod
    async def _record(self, uses: Sequence[LastUse]) -> None:
        """Write uses in one statement, except those that another process has written in the same minute."""

    def note_use(self, client_id: str, oauth_token: str | None, user_agent: str = "") -> None:
        """As `RecordsUses.note_use`."""
        self._uses.note(client_id, oauth_token, user_agent)

    async def last_uses(self, *, user_id: str | None = None, client_id: str | None = None) -> list[LastUse]:
        """As `RecordsUses.last_uses`."""
        if not is_text(user_id or "", client_id or ""):
            return []
        await self._uses.flush()
        found = await self._read(*_select(user_id, client_id))
        return [LastUse(row[0], row[1] or None, float(row[2]), row[3]) for row in found]

    async def _write_uses(self, uses: Sequence[LastUse]) -> None:
        known = [use for use in uses if is_text(use.client_id, use.oauth_token or "")]
        for start in range(0, len(known), _AT_ONCE):
            await self._record(known[start : start + _AT_ONCE])
        if not 0 <= self.clock() - self._removed_at < _SECONDS_BETWEEN_REMOVALS:
            self._removed_at = self.clock()
            with suppress(StoreUnavailableError):  # logged; the next removal includes these rows
                await self._write(_REMOVE_ORPHANS)


def _select(user_id: str | None, client_id: str | None) -> list[str]:
    """A statement for each case, so that the database uses the index of the column; and its arguments."""
    given = [(name, value) for name, value in (("user_id", user_id), ("client_id", client_id)) if value is not None]
    conditions = " AND ".join(f"t.{name} = ${number}" for number, (name, _) in enumerate(given, 1))
    statement = f"{_OF_TOKENS} WHERE {conditions}" if conditions else _OF_TOKENS
    if user_id is None:
        statement += f" UNION ALL {_OF_CLIENTS}" + (" AND client_id = $1" if client_id is not None else "")
    return [statement, *(value for _, value in given)]
