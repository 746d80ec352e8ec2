"""The memory store's clients: disabled and enabled, and read page by page."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores.administration.paging import (
    PAGE_SIZE,
    Page,
    client_key,
    first_page,
    key_after,
    matches,
    token_key,
)
from async_oauth1.stores.base import BaseStore
from async_oauth1.stores.lifecycle import live_client

from .token_table import TokenTable

__all__ = ["AdministrationInMemory"]


class AdministrationInMemory(BaseStore):
    """The part of the memory store that implements `AdministersClients`."""

    _lock: Lock
    _clients: dict[str, Client]
    _tokens: TokenTable

    async def disable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.disable_client`."""
        return self._set_disabled(client_id, disabled=True)

    async def enable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.enable_client`."""
        return self._set_disabled(client_id, disabled=False)

    async def find_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.find_client`."""
        client = self._clients.get(client_id)
        return None if client is None else live_client(client, self.clock())

    async def list_clients(self) -> list[Client]:
        """As `Store.list_clients`."""
        with self._lock:
            clients = sorted(self._clients.values(), key=client_key)
        return [live_client(client, self.clock()) for client in clients]

    async def page_clients(self, search: str = "", *, limit: int = PAGE_SIZE, after: str = "") -> Page[Client]:
        """As `AdministersClients.page_clients`."""
        found = [client for client in await self.list_clients() if matches(search, client.name, client.client_id)]
        return first_page(found, client_key, key_after(after, str, str), limit)

    async def page_token_credentials(
        self,
        search: str = "",
        *,
        user_id: str | None = None,
        client_id: str | None = None,
        limit: int = PAGE_SIZE,
        after: str = "",
    ) -> Page[TokenCredential]:
        """As `AdministersClients.page_token_credentials`."""
        with self._lock:
            tokens = self._tokens.select(user_id, client_id, self.clock())
        found = [token for token in tokens if matches(search, token.oauth_token, token.user_id, token.client_id)]
        return first_page(found, token_key, key_after(after, float, str), limit)

    def _set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = new = replace(client, disabled=disabled)
        return live_client(new, self.clock())
