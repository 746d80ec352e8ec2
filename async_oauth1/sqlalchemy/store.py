"""A store whose clients, credentials and nonces are rows of the application's own models."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.credentials import Client as ClientRecord
from async_oauth1.credentials import ClientChanges
from async_oauth1.provider.approval.scopes import granted_scope_of
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.administration.paging import PAGE_SIZE, Page
from async_oauth1.stores.base import check_text, user_id_of
from async_oauth1.stores.interfaces import TransientStore
from async_oauth1.stores.lifecycle import check_may_have_tokens, issued

from .parts import ClientT, StoreParts, TemporaryT, TokenT
from .reencryption import reencrypt
from .transactions import RefusedRowError

__all__ = ["SQLAlchemyStore"]


class SQLAlchemyStore(StoreParts[ClientT, TokenT, TemporaryT]):
    """A store in the models of an application, through sessions of its own.

    What the hooks return are rows of the models, detached from their session. Relationships that are used afterwards
    must be loaded eagerly: ``relationship(lazy="joined")``. The methods are described in `Store`.
    """

    def __init__(
        self,
        session_factory: Callable[[], AsyncSession],
        *,
        Client: type[ClientT],  # noqa: N803 - the names of the models
        TokenCredential: type[TokenT],  # noqa: N803
        TemporaryCredential: type[TemporaryT] | None = None,  # noqa: N803
        Nonce: type[Any] | TransientStore | None = None,  # noqa: N803
        cache: TransientStore | None = None,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
        timeout: float = 10.0,
    ) -> None:
        """Check the models; no I/O.

        Args:
            session_factory: an `async_sessionmaker`.
            Client: the model of clients, with the columns of `OAuth1ClientMixin`.
            TokenCredential: the model of token credentials, with those of `OAuth1TokenCredentialMixin` and
                ``user_id``.
            TemporaryCredential: the model of temporary credentials, with those of `OAuth1TemporaryCredentialMixin` and
                ``user_id``; ``None`` if they are kept elsewhere.
            Nonce: the model of nonces, with the columns of `OAuth1TimestampNonceMixin`, or a store that keeps them;
                ``None`` if they are kept elsewhere.
            cache: a store for what has no model here, nonces and temporary credentials, such as
                ``open_store("redis://...")``. It is opened and closed with this one.
            nonce_lifetime: seconds, as for `BaseStore`.
            clock: Unix time, in seconds.
            keys: encrypt the secrets, newest first. The columns must have room for that: see
                `OAuth1EncryptedClientMixin` and its like.
            timeout: seconds that a transaction may take, the wait for a connection included.

        Raises:
            UnsuitableModelError: a model lacks a column, a method or a constraint, or a column is too short.
            TypeError: the factory makes no `AsyncSession`.
            StoreError: one of the keys is not valid.
        """
        super().__init__(
            session_factory,
            Client=Client,
            TokenCredential=TokenCredential,
            TemporaryCredential=TemporaryCredential,
            Nonce=Nonce,
            cache=cache,
            nonce_lifetime=nonce_lifetime,
            clock=clock,
            keys=keys,
            timeout=timeout,
        )

    async def query_client(self, client_id: str) -> ClientT | None:
        """As `Store.query_client`."""
        if not self._clients.may_be(client_id):
            return None
        return self._clients.enabled(await self._look_ups.client(client_id), client_id)

    async def query_token(self, client_id: str, oauth_token: str) -> TokenT | None:
        """As `Store.query_token`."""
        if not self._tokens.may_be(client_id, oauth_token):
            return None
        return self._tokens.live(await self._look_ups.token(client_id, oauth_token), client_id, oauth_token)

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[ClientT | None, TokenT | None]:
        """As `Store.query_credentials`; two statements if the models are in two databases."""
        if not self._clients.may_be(client_id):
            return None, None
        if not self._tokens.may_be(client_id, oauth_token):
            return await self.query_client(client_id), None
        client, token = await self._look_ups.both(client_id, oauth_token)
        return self._clients.enabled(client, client_id), self._tokens.live(token, client_id, oauth_token)

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """As `Store.exists_nonce`."""
        known = await self._kept_nonces().exists(nonce, timestamp, client_id, oauth_token)
        self._purge_after(1)
        return known

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryT:
        """As `Store.create_temporary_credential`."""
        created = await self._kept_temporary().create(token, client_id, redirect_uri, scope)
        self._purge_after(1)
        return created

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryT | None:
        """As `Store.get_temporary_credential`."""
        return await self._kept_temporary().find(oauth_token)

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.delete_temporary_credential`."""
        return await self._kept_temporary().take(oauth_token)

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """As `Store.create_authorization_verifier`."""
        return await self._kept_temporary().approve(credential, grant_user, verifier, scope)

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.deny_temporary_credential`, by removing them."""
        return await self._kept_temporary().deny(oauth_token)

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """As `Store.count_wrong_verifier`."""
        return await self._kept_temporary().count_wrong_verifier(oauth_token)

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenT:
        """As `Store.create_token_credential`."""
        client_id = await resolve(temporary_credential.get_client_id())
        user_id = await user_id_of(await resolve(temporary_credential.get_user_id()))
        scope = await granted_scope_of(temporary_credential)
        return await self._tokens.add_for(self.new_token_credential(token, client_id, user_id, scope))

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenT | None:
        """As `Store.exchange`, in one transaction."""
        oauth_token = await resolve(temporary_credential.get_oauth_token())
        client_id = await resolve(temporary_credential.get_client_id())
        temporary = self._kept_temporary()
        new = self.new_token_credential(token, client_id, "")

        return await self._tokens.exchange(
            new, lambda session: temporary.take_approved(session, oauth_token, client_id)
        )

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenT:
        """As `Store.issue_token_credential`."""
        check_may_have_tokens(await self.find_client(client_id), client_id)
        credential = issued(client_id, await user_id_of(user_id), scope, lifetime, self.clock())
        check_text(credential)
        if lifetime is not None:
            self._token_model.require("expires_at", "OAuth1ExpiryMixin", "a lifetime")
        if scope:
            self._token_model.require("scope", "OAuth1ScopeMixin", "a scope")
        try:
            return await self._tokens.add(credential)
        except RefusedRowError as error:
            if error.is_about_a_reference:
                raise ValueError("the user or the client does not exist") from None
            raise

    async def add_client(self, client: ClientT | ClientRecord) -> None:
        """As `Store.add_client`; the client is a row of the model, or the record of this package."""
        await self._clients.add(client)

    async def list_clients(self) -> list[ClientT]:
        """As `Store.list_clients`; clients that cannot be read are logged and left out."""
        return await self._clients.listed()

    async def disable_client(self, client_id: str) -> ClientT | None:
        """As `AdministersClients.disable_client`.

        Raises:
            UnsuitableModelError: the model of clients has no column ``disabled``; see `OAuth1DisablingMixin`.
        """
        return await self._clients.set_disabled(client_id, disabled=True)

    async def enable_client(self, client_id: str) -> ClientT | None:
        """As `AdministersClients.enable_client`.

        Raises:
            UnsuitableModelError: as `disable_client`.
        """
        return await self._clients.set_disabled(client_id, disabled=False)

    async def find_client(self, client_id: str) -> ClientT | None:
        """As `AdministersClients.find_client`."""
        return await self._clients.find_any(client_id) if self._clients.may_be(client_id) else None

    async def page_clients(self, search: str = "", *, limit: int = PAGE_SIZE, after: str = "") -> Page[ClientT]:
        """As `AdministersClients.page_clients`; clients that cannot be read are logged and left out."""
        return await self._clients.page(search, limit, after)

    async def page_token_credentials(
        self,
        search: str = "",
        *,
        user_id: str | None = None,
        client_id: str | None = None,
        limit: int = PAGE_SIZE,
        after: str = "",
    ) -> Page[TokenT]:
        """As `AdministersClients.page_token_credentials`; those that cannot be read are logged and left out."""
        return await self._tokens.page(search, user_id, client_id, limit, after)

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> ClientT | None:
        """As `Store.rotate_client_secret`."""
        return await self._clients.rotate(client_id, overlap) if self._clients.may_be(client_id) else None

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> ClientT | None:
        """As `Store.update_client`."""
        return await self._clients.update(client_id, changes)

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`."""
        if not self._clients.may_be(client_id):
            return False
        owned = [model for model in self._models_with_secrets() if model is not self._client_model]
        return await self._transactions.run(lambda session: self._clients.remove(session, client_id, owned))

    async def list_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> list[TokenT]:
        """As `Store.list_token_credentials`; those that cannot be read are logged and left out."""
        return await self._tokens.listed(user_id, client_id)

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`."""
        return bool(await self._tokens.revoke(oauth_token=oauth_token, user_id=user_id))

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`."""
        if user_id is None and client_id is None:
            raise ValueError("revoke_token_credentials needs a user_id, a client_id or both")
        return await self._tokens.revoke(user_id=user_id, client_id=client_id)

    async def reencrypt(self) -> int:
        """As `Store.reencrypt`."""
        return await reencrypt(self._transactions, self._models_with_secrets(), self.keys, self.url)
