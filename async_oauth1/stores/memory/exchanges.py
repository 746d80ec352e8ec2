"""The memory store's marks of exchanged tokens."""

from __future__ import annotations

from async_oauth1.provider.records.audit import Actor
from async_oauth1.stores.base import required_text

from .auditing import AuditInMemory

__all__ = ["ExchangesInMemory"]


class ExchangesInMemory(AuditInMemory):
    """The part of the memory store that implements `MarksExchanges`."""

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.mark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        key = (client_id, oauth_token)
        with self._lock:
            is_new = key not in self._tokens.exchanged
            self._tokens.exchanged.add(key)
            if is_new:
                self._note("token.exchanged", *key, usual=Actor("client", client_id))
        return is_new

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.unmark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        key = (client_id, oauth_token)
        with self._lock:
            was_marked = key in self._tokens.exchanged
            self._tokens.exchanged.discard(key)
            if was_marked:
                self._note("token.exchange_failed", *key, usual=Actor("client", client_id))
        return was_marked
