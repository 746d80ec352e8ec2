"""The memory store's marks of exchanged tokens."""

from __future__ import annotations

from threading import Lock

from async_oauth1.stores.base import BaseStore, required_text

from .token_table import TokenTable

__all__ = ["ExchangesInMemory"]


class ExchangesInMemory(BaseStore):
    """The part of the memory store that implements `MarksExchanges`."""

    _lock: Lock
    _tokens: TokenTable

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.mark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        key = (client_id, oauth_token)
        with self._lock:
            is_new = key not in self._tokens.exchanged
            self._tokens.exchanged.add(key)
        return is_new

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.unmark_exchanged`."""
        required_text(client_id=client_id, oauth_token=oauth_token)
        key = (client_id, oauth_token)
        with self._lock:
            was_marked = key in self._tokens.exchanged
            self._tokens.exchanged.discard(key)
        return was_marked
