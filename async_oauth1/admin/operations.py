"""What operators do with a store, each time with the operator's name, under which it is recorded."""

from __future__ import annotations

from typing import Unpack, cast

from async_oauth1.credentials import Client, ClientChanges, TokenCredential
from async_oauth1.stores import AdministersClients, AuditEvent, KeepsAuditTrail, Page, RecordsUses, Store, acting_as

__all__ = ["Operations"]

#: Records of a page, if nothing else is said.
PAGE_SIZE = 50


class Operations:
    """The operations on clients and tokens, which the page and the JSON API share."""

    def __init__(self, store: Store) -> None:
        """Take an open store.

        Raises:
            TypeError: it cannot be administered.
        """
        if not isinstance(store, AdministersClients):
            raise TypeError(
                f"{type(store).__name__} cannot be administered: it does not have the methods of AdministersClients"
            )
        self._store = store
        self._clients = cast("AdministersClients", store)

    async def page_clients(self, search: str = "", *, after: str = "", limit: int = PAGE_SIZE) -> Page[Client]:
        """Some clients, sorted by name; also those that are disabled.

        Raises:
            ValueError: a limit out of range, or an ``after`` that no page had.
        """
        return await self._clients.page_clients(search, limit=limit, after=after)

    async def find_client(self, client_id: str) -> Client | None:
        """A client, also one that is disabled."""
        return await self._clients.find_client(client_id)

    async def add_client(self, client: Client, operator: str) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken, or text that cannot be stored.
        """
        with acting_as("operator", operator):
            await self._store.add_client(client)

    async def update_client(self, client_id: str, operator: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """Change attributes of a client; ``None`` if there is no such client.

        Raises:
            TypeError: a value of the wrong type.
            ValueError: an unknown nonce policy or tolerance, or text that cannot be stored.
            InvalidRequestError: a callback that the first step would refuse.
        """
        with acting_as("operator", operator):
            return await self._store.update_client(client_id, **changes)

    async def rotate_secret(self, client_id: str, overlap: float, operator: str) -> Client | None:
        """Give a client a new secret; the former one stays valid for some seconds.

        Raises:
            ValueError: the client has no secret, or too many former ones.
        """
        with acting_as("operator", operator):
            return await self._store.rotate_client_secret(client_id, overlap=overlap)

    async def disable(self, client_id: str, operator: str) -> Client | None:
        """Refuse the client's requests from now on; ``None`` if there is no such client."""
        with acting_as("operator", operator):
            return await self._clients.disable_client(client_id)

    async def enable(self, client_id: str, operator: str) -> Client | None:
        """Verify the client's requests again; ``None`` if there is no such client."""
        with acting_as("operator", operator):
            return await self._clients.enable_client(client_id)

    async def remove(self, client_id: str, operator: str) -> bool:
        """Remove a client and its tokens; ``False`` if there is no such client."""
        with acting_as("operator", operator):
            return await self._store.remove_client(client_id)

    async def page_tokens(
        self,
        client_id: str | None = None,
        *,
        user_id: str | None = None,
        search: str = "",
        after: str = "",
        limit: int = PAGE_SIZE,
    ) -> Page[TokenCredential]:
        """Some tokens of a client, of a user, of both together, or of all; oldest first.

        Raises:
            ValueError: a limit out of range, or an ``after`` that no page had.
        """
        return await self._clients.page_token_credentials(
            search, user_id=user_id, client_id=client_id, limit=limit, after=after
        )

    async def revoke(self, oauth_token: str, operator: str, *, client_id: str | None = None) -> bool:
        """Revoke one token; ``False`` if there is no such token, or it is another client's."""
        if client_id is not None and await self._store.query_token(client_id, oauth_token) is None:
            return False
        with acting_as("operator", operator):
            return await self._store.revoke_token_credential(oauth_token)

    async def revoke_all(self, operator: str, *, client_id: str | None = None, user_id: str | None = None) -> int:
        """Revoke the tokens of a client, of a user, or of both together, and return how many there were.

        Raises:
            ValueError: neither is given.
        """
        with acting_as("operator", operator):
            return await self._store.revoke_token_credentials(user_id=user_id, client_id=client_id)

    async def last_uses(self, client_id: str) -> dict[str, float] | None:
        """When the client was last seen with each token, and without one (""); ``None`` if the store has no record."""
        if not isinstance(self._store, RecordsUses):
            return None
        uses = await self._store.last_uses(client_id=client_id)
        return {use.oauth_token or "": use.used_at for use in uses}

    async def trail(self, client_id: str, *, before: int | None = None, limit: int = PAGE_SIZE) -> Page[AuditEvent]:
        """The audit trail of a client, the newest records first; empty if the store has none.

        Args:
            client_id: the client.
            before: ``next`` of the page before, as a number.
            limit: how many at most, up to 1,000.
        """
        if not isinstance(self._store, KeepsAuditTrail):
            return Page([], None)
        try:
            found = await self._store.recent_audit_events(client_id, limit=limit + 1, before=before)
        except NotImplementedError:  # a cache in front of a store without a trail
            return Page([], None)
        return Page(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)

    async def events(
        self, client_id: str | None = None, *, since: float | None = None, after: int = 0, limit: int = PAGE_SIZE
    ) -> list[AuditEvent] | None:
        """Records of the audit trail, oldest first; ``None`` if the store keeps no audit trail.

        Args:
            client_id: only of this client, which may have been removed.
            since: Unix time; only from then on.
            after: only those behind the record of this ``id``.
            limit: how many at most.

        Raises:
            ValueError: a limit out of range.
        """
        if not isinstance(self._store, KeepsAuditTrail):
            return None
        return await self._store.audit_events(since=since, client_id=client_id, limit=limit, after=after)
