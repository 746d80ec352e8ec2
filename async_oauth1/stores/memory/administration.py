"""The memory store's clients: registered, changed, disabled and enabled, and read page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from async_oauth1.credentials import Client, ClientChanges, TokenCredential
from async_oauth1.stores.administration.paging import (
    PAGE_SIZE,
    Page,
    client_key,
    first_page,
    key_after,
    matches,
    token_key,
)
from async_oauth1.stores.base import check_text
from async_oauth1.stores.client_changes import check_changes
from async_oauth1.stores.lifecycle import live_client, rotated

from .auditing import AuditInMemory
from .pending_table import PendingTable

__all__ = ["AdministrationInMemory"]


class AdministrationInMemory(AuditInMemory):
    """The part of the memory store that implements `AdministersClients`, and the methods of `Store` for clients."""

    _clients: dict[str, Client]
    _ended: PendingTable

    async def add_client(self, client: Client) -> None:
        """As `Store.add_client`."""
        check_text(client)
        with self._lock:
            if client.client_id in self._clients:
                raise ValueError(f"client_id {client.client_id} is taken")
            self._clients[client.client_id] = client
            self._note("client.created", client.client_id)

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`."""
        with self._lock:
            if self._clients.pop(client_id, None) is None:
                return False
            self._note_expired()
            self._temporary.purge(self.clock(), len(self._temporary))
            for token in self._tokens.remove_client(client_id):
                self._note_token("token.revoked", token)
            for credential in self._temporary.remove_client(client_id):
                self._note_temporary("temporary.ended", credential)
            self._ended.remove_client(client_id)
            self._note("client.removed", client_id)
            return True

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """As `Store.rotate_client_secret`."""
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = new = rotated(client, overlap, self.clock())
            self._note("client.rotated", client_id)
            return new

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """As `Store.update_client`."""
        checked = check_changes(changes)
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = new = replace(client, **checked)
            if checked:
                self._note("client.changed", client_id)
        return live_client(new, self.clock())

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
            tokens = self._selected(user_id, client_id)
        found = [token for token in tokens if matches(search, token.oauth_token, token.user_id, token.client_id)]
        return first_page(found, token_key, key_after(after, float, str), limit)

    def _set_disabled(self, client_id: str, *, disabled: bool) -> Client | None:
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = new = replace(client, disabled=disabled)
            if client.disabled != disabled:
                self._note("client.disabled" if disabled else "client.enabled", client_id)
        return live_client(new, self.clock())
