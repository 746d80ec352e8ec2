"""The methods of a store that operators need, as a Protocol."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from async_oauth1.credentials import Client, TokenCredential

from .paging import PAGE_SIZE, Page

__all__ = ["AdministersClients", "HasSchema"]


@runtime_checkable
class HasSchema(Protocol):
    """A store with tables that `Store.migrate` brings up to date: SQLite and PostgreSQL."""

    async def schema_versions(self) -> tuple[int, int]:
        """The version of the tables, 0 if there are none, and the one that this release needs. The store may be closed.

        Raises:
            StoreError: the store cannot be reached, or belongs to another application.
        """
        ...


@runtime_checkable
class AdministersClients(Protocol):
    """A store for operators: memory, SQLite, PostgreSQL, the models of SQLAlchemy, and each of them with a cache.

    `Store.query_client` and `Store.query_credentials` do not find a client that is disabled, so its requests are
    refused like those of an unknown client. Its record and its tokens stay.
    """

    async def disable_client(self, client_id: str) -> Client | None:
        """Refuse a client from now on, and keep its record and its tokens. Safe to repeat.

        Returns:
            The client as it is now; ``None`` if there is no such client.
        """
        ...

    async def enable_client(self, client_id: str) -> Client | None:
        """Let a disabled client make requests again. Safe to repeat.

        Returns:
            The client as it is now; ``None`` if there is no such client.
        """
        ...

    async def find_client(self, client_id: str) -> Client | None:
        """Look up a client, also one that is disabled."""
        ...

    async def page_clients(self, search: str = "", *, limit: int = PAGE_SIZE, after: str = "") -> Page[Client]:
        """Some clients, sorted by name; also those that are disabled.

        Args:
            search: what the name or the identifier must contain; upper and lower case do not matter for ASCII letters.
            limit: how many at most, 1 to 1,000.
            after: ``next`` of the page before; empty for the first one.

        Raises:
            ValueError: a limit out of range, or an ``after`` that no page had.
        """
        ...

    async def page_token_credentials(
        self,
        search: str = "",
        *,
        user_id: str | None = None,
        client_id: str | None = None,
        limit: int = PAGE_SIZE,
        after: str = "",
    ) -> Page[TokenCredential]:
        """Some token credentials that have not expired, oldest first.

        Args:
            search: what the token, the user or the client must contain, as for `page_clients`.
            user_id: only of this resource owner.
            client_id: only of this client.
            limit: how many at most, 1 to 1,000.
            after: ``next`` of the page before; empty for the first one.

        Raises:
            ValueError: a limit out of range, or an ``after`` that no page had.
        """
        ...
