"""Token credentials that were exchanged for a bearer token, so that each is exchanged once."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol, runtime_checkable

from async_oauth1.provider.records.audit import Actor
from async_oauth1.stores.auditing.in_sql import AuditInSQL
from async_oauth1.stores.base import required_text

__all__ = ["ExchangesInSQL", "MarksExchanges"]

_MARK = (
    "INSERT INTO oauth1_exchanged_token (client_id, oauth_token, exchanged_at) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING RETURNING client_id, oauth_token, NULL AS user_id"
)
_UNMARK = (
    "DELETE FROM oauth1_exchanged_token WHERE client_id = $1 AND oauth_token = $2"
    " RETURNING client_id, oauth_token, NULL AS user_id"
)


@runtime_checkable
class MarksExchanges(Protocol):
    """A store that marks exchanged tokens, for `token_exchange`: memory, SQLite, PostgreSQL, with a cache too, Redis.

    The token itself may be in another store. A mark never expires.
    """

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """Mark token credentials as exchanged, in one atomic step.

        Args:
            client_id: their client.
            oauth_token: their token.

        Returns:
            ``False`` if they are marked already.

        Raises:
            ValueError: text that cannot be stored.
        """
        ...

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """Remove the mark of an exchange that has failed; ``False`` if there is none."""
        ...


class ExchangesInSQL(AuditInSQL):
    """The part of an SQL store that implements `MarksExchanges`."""

    @abstractmethod
    def _check_lengths(self, **identifiers: str) -> None:
        """Refuse identifiers that are too long for the database's indexes."""

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.mark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        self._check_lengths(client_id=client_id, oauth_token=oauth_token)
        return bool(
            await self._change(
                "token.exchanged", Actor("client", client_id), _MARK, client_id, oauth_token, self.clock()
            )
        )

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.unmark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        return bool(
            await self._change("token.exchange_failed", Actor("client", client_id), _UNMARK, client_id, oauth_token)
        )
