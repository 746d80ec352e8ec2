"""What the admin page does with a store."""

from __future__ import annotations

from typing import cast

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores import AdministersClients, Page, RecordsUses, Store

__all__ = ["Operations"]

#: Clients and tokens on a page.
_CLIENTS, _TOKENS = 50, 10
_FORMS = "async-oauth1 admin page"


class Operations:
    """The operations, each with the operator who asks for it."""

    def __init__(self, store: Store) -> None:
        """Take the store.

        Raises:
            TypeError: it cannot be administered.
        """
        if not isinstance(store, AdministersClients):
            raise TypeError(
                f"{type(store).__name__} has not the methods of AdministersClients, which the admin page needs"
            )
        self._store = store
        self._clients = cast("AdministersClients", store)

    async def page_clients(self, search: str, *, after: str) -> Page[Client]:
        """Some clients, sorted by name."""
        return await self._clients.page_clients(search, limit=_CLIENTS, after=after)

    async def find_client(self, client_id: str) -> Client | None:
        """A client, also one that is disabled."""
        return await self._clients.find_client(client_id)

    async def add_client(self, client: Client, operator: str) -> None:
        """Register a client."""
        await self._store.add_client(client)

    async def rotate_secret(self, client_id: str, overlap: int, operator: str) -> Client | None:
        """Give a client a new secret; the former one stays valid for some seconds.

        Raises:
            ValueError: the client has no secret, or too many former ones.
        """
        return await self._store.rotate_client_secret(client_id, overlap=overlap)

    async def disable(self, client_id: str, operator: str) -> Client | None:
        """Refuse the client's requests from now on."""
        return await self._clients.disable_client(client_id)

    async def enable(self, client_id: str, operator: str) -> Client | None:
        """Verify the client's requests again."""
        return await self._clients.enable_client(client_id)

    async def revoke(self, client_id: str, oauth_token: str | None, operator: str) -> None:
        """Revoke one token, or all tokens of a client."""
        if oauth_token is None:
            await self._store.revoke_token_credentials(client_id=client_id)
        elif await self._store.query_token(client_id, oauth_token) is not None:
            await self._store.revoke_token_credential(oauth_token)

    async def page_tokens(self, client_id: str, *, after: str) -> Page[TokenCredential]:
        """Some tokens of a client, oldest first."""
        return await self._clients.page_token_credentials(client_id=client_id, limit=_TOKENS, after=after)

    async def last_uses(self, client_id: str) -> dict[str, float] | None:
        """When the client was last seen with each token, and without one (""); ``None`` if the store has no record."""
        if not isinstance(self._store, RecordsUses):
            return None
        uses = await self._store.last_uses(client_id=client_id)
        return {use.oauth_token or "": use.used_at for use in uses}

    async def use_form(self, identifier: str, expires_at: int) -> bool:
        """Note that a form was used; ``False`` if it was used before, in whichever process."""
        return not await self._store.exists_nonce(identifier, str(expires_at), _FORMS, None)
