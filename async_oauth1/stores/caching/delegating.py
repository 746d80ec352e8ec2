"""A store that delegates everything to another store."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, Unpack

from async_oauth1.credentials import Client, ClientChanges, TemporaryCredential, TokenCredential
from async_oauth1.policy import Policy
from async_oauth1.provider.approval.scopes import with_scope
from async_oauth1.provider.records.audit import AuditEvent
from async_oauth1.stores.administration.interface import AdministersClients, HasSchema
from async_oauth1.stores.administration.paging import PAGE_SIZE, Page
from async_oauth1.stores.auditing.interface import AUDIT_PAGE_SIZE, KeepsAuditTrail
from async_oauth1.stores.interfaces import Store
from async_oauth1.stores.uses.exchanges import MarksExchanges
from async_oauth1.stores.uses.last_use import LastUse, RecordsUses

__all__ = ["DelegatingStore"]


class DelegatingStore:
    """The base of stores that wrap another store. `Store` documents the methods."""

    def __init__(self, store: Store) -> None:
        """Wrap a store."""
        self._store = store
        self._recorder = store if isinstance(store, RecordsUses) else None
        self.url = store.url
        self.shared = store.shared

    def prepare(self, policy: Policy) -> None:
        """As `Store.prepare`."""
        self._store.prepare(policy)

    async def migrate(self) -> None:
        """As `Store.migrate`."""
        await self._store.migrate()

    async def schema_versions(self) -> tuple[int, int]:
        """As `HasSchema.schema_versions`."""
        if not isinstance(self._store, HasSchema):
            raise NotImplementedError(f"{type(self._store).__name__} has no schema_versions; see HasSchema")
        return await self._store.schema_versions()

    async def open(self) -> None:
        """As `Store.open`."""
        await self._store.open()

    async def close(self) -> None:
        """As `Store.close`."""
        await self._store.close()

    async def ping(self) -> None:
        """As `Store.ping`."""
        await self._store.ping()

    async def __aenter__(self) -> Self:
        """Open the store."""
        await self.open()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the store."""
        await self.close()

    async def query_client(self, client_id: str) -> Client | None:
        """As `Store.query_client`."""
        return await self._store.query_client(client_id)

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """As `Store.query_token`."""
        return await self._store.query_token(client_id, oauth_token)

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """As `Store.query_credentials`."""
        return await self._store.query_credentials(client_id, oauth_token)

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """As `Store.exists_nonce`."""
        return await self._store.exists_nonce(nonce, timestamp, client_id, oauth_token)

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryCredential:
        """As `Store.create_temporary_credential`."""
        create = with_scope(self._store.create_temporary_credential, scope)
        created: TemporaryCredential = await create(token, client_id, redirect_uri)
        return created

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As `Store.get_temporary_credential`."""
        return await self._store.get_temporary_credential(oauth_token)

    async def get_ended_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As the hook `GetEndedTemporaryCredential`; ``None`` if the store is of a class of your own without it."""
        find = getattr(self._store, "get_ended_temporary_credential", None)
        ended: TemporaryCredential | None = None if find is None else await find(oauth_token)
        return ended

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.delete_temporary_credential`."""
        return await self._store.delete_temporary_credential(oauth_token)

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """As `Store.create_authorization_verifier`."""
        if not scope:  # it may be a store without scopes
            return await self._store.create_authorization_verifier(credential, grant_user, verifier)
        return await self._store.create_authorization_verifier(credential, grant_user, verifier, scope=scope)

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.deny_temporary_credential`."""
        return await self._store.deny_temporary_credential(oauth_token)

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """As `Store.count_wrong_verifier`."""
        return await self._store.count_wrong_verifier(oauth_token)

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """As `Store.create_token_credential`."""
        return await self._store.create_token_credential(token, temporary_credential)

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """As `Store.exchange`."""
        return await self._store.exchange(temporary_credential, token)

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """As `Store.issue_token_credential`."""
        return await self._store.issue_token_credential(client_id, user_id, scope=scope, lifetime=lifetime)

    async def add_client(self, client: Client) -> None:
        """As `Store.add_client`."""
        await self._store.add_client(client)

    async def list_clients(self) -> list[Client]:
        """As `Store.list_clients`."""
        return await self._store.list_clients()

    async def disable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.disable_client`."""
        return await self._administration.disable_client(client_id)

    async def enable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.enable_client`."""
        return await self._administration.enable_client(client_id)

    async def find_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.find_client`."""
        return await self._administration.find_client(client_id)

    async def page_clients(self, search: str = "", *, limit: int = PAGE_SIZE, after: str = "") -> Page[Client]:
        """As `AdministersClients.page_clients`."""
        return await self._administration.page_clients(search, limit=limit, after=after)

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
        return await self._administration.page_token_credentials(
            search, user_id=user_id, client_id=client_id, limit=limit, after=after
        )

    @property
    def _administration(self) -> AdministersClients:
        if not isinstance(self._store, AdministersClients):
            raise NotImplementedError(f"{type(self._store).__name__} does not disable clients; see AdministersClients")
        return self._store

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """As `Store.rotate_client_secret`."""
        return await self._store.rotate_client_secret(client_id, overlap=overlap)

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """As `Store.update_client`."""
        return await self._store.update_client(client_id, **changes)

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`."""
        return await self._store.remove_client(client_id)

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """As `Store.list_token_credentials`."""
        return await self._store.list_token_credentials(user_id=user_id, client_id=client_id)

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`."""
        return await self._store.revoke_token_credential(oauth_token, user_id=user_id)

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`."""
        return await self._store.revoke_token_credentials(user_id=user_id, client_id=client_id)

    def note_use(self, client_id: str, oauth_token: str | None, user_agent: str = "") -> None:
        """As `RecordsUses.note_use`; nothing is recorded if the store is of a class of your own without it."""
        if self._recorder is not None:
            # A store of your own may take no user agent.
            self._recorder.note_use(client_id, oauth_token, *((user_agent,) if user_agent else ()))

    async def last_uses(self, *, user_id: str | None = None, client_id: str | None = None) -> list[LastUse]:
        """As `RecordsUses.last_uses`."""
        if self._recorder is None:
            return []
        return await self._recorder.last_uses(user_id=user_id, client_id=client_id)

    async def audit_events(
        self,
        *,
        since: float | None = None,
        client_id: str | None = None,
        limit: int = AUDIT_PAGE_SIZE,
        after: int = 0,
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.audit_events`."""
        return await self._trail.audit_events(since=since, client_id=client_id, limit=limit, after=after)

    async def recent_audit_events(
        self, client_id: str, *, limit: int = AUDIT_PAGE_SIZE, before: int | None = None
    ) -> list[AuditEvent]:
        """As `KeepsAuditTrail.recent_audit_events`."""
        return await self._trail.recent_audit_events(client_id, limit=limit, before=before)

    async def mark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.mark_exchanged`."""
        return await self._exchanges.mark_exchanged(client_id, oauth_token)

    async def unmark_exchanged(self, client_id: str, oauth_token: str) -> bool:
        """As `MarksExchanges.unmark_exchanged`."""
        return await self._exchanges.unmark_exchanged(client_id, oauth_token)

    @property
    def _trail(self) -> KeepsAuditTrail:
        if not isinstance(self._store, KeepsAuditTrail):
            raise NotImplementedError(f"{type(self._store).__name__} has no audit trail; see KeepsAuditTrail")
        return self._store

    @property
    def _exchanges(self) -> MarksExchanges:
        if not isinstance(self._store, MarksExchanges):  # nothing may be exchanged without a mark
            raise NotImplementedError(f"{type(self._store).__name__} has no mark_exchanged and unmark_exchanged")
        return self._store

    async def reencrypt(self) -> int:
        """As `Store.reencrypt`."""
        return await self._store.reencrypt()
