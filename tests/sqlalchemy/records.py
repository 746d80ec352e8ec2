"""A store over models as the conformance tests see it: with the records of the other stores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.policy import Policy
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.sqlalchemy import SQLAlchemyStore
from async_oauth1.sqlalchemy.secrets import former_secrets_of
from async_oauth1.stores import Page
from async_oauth1.stores.caching.delegating import DelegatingStore

from .models import Base, FullClient, FullTemporary, FullToken, Nonce


def new_store(engine: AsyncEngine, **options: Any) -> SQLAlchemyStore[FullClient, FullToken, FullTemporary]:
    """A store over the models with every mixin."""
    return SQLAlchemyStore(
        async_sessionmaker(engine),
        Client=FullClient,
        TokenCredential=FullToken,
        TemporaryCredential=FullTemporary,
        Nonce=Nonce,
        **options,
    )


class RecordStore(DelegatingStore):
    """Makes records of the rows that the store returns."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
        nonce_lifetime: int | None = None,
        **options: Any,
    ) -> None:
        # Ten connections, as our own stores have.
        self.engine = create_async_engine(url, **{"max_overflow": 5, **options})
        self.store = new_store(self.engine, clock=clock, keys=keys, nonce_lifetime=nonce_lifetime)
        store: Any = self.store
        super().__init__(store)
        self.max_pending_per_client = store.max_pending_per_client

    async def migrate(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def close(self) -> None:
        await super().close()
        await self.engine.dispose()

    @property
    def _database(self) -> Any:
        return self.store._transactions

    async def query_client(self, client_id: str) -> Any:
        return as_client(await self.store.query_client(client_id))

    async def query_token(self, client_id: str, oauth_token: str) -> Any:
        return as_token(await self.store.query_token(client_id, oauth_token))

    async def query_credentials(self, client_id: str, oauth_token: str) -> Any:
        client, token = await self.store.query_credentials(client_id, oauth_token)
        return as_client(client), as_token(token)

    async def create_temporary_credential(self, *args: Any, scope: str = "") -> Any:
        return as_temporary(await self.store.create_temporary_credential(*args, scope=scope))

    async def get_temporary_credential(self, oauth_token: str) -> Any:
        return as_temporary(await self.store.get_temporary_credential(oauth_token))

    async def create_token_credential(self, *args: Any) -> Any:
        return as_token(await self.store.create_token_credential(*args))

    async def exchange(self, *args: Any) -> Any:
        return as_token(await self.store.exchange(*args))

    async def issue_token_credential(self, *args: Any, **options: Any) -> Any:
        return as_token(await self.store.issue_token_credential(*args, **options))

    async def list_clients(self) -> Any:
        return [as_client(client) for client in await self.store.list_clients()]

    async def disable_client(self, client_id: str) -> Any:
        return as_client(await self.store.disable_client(client_id))

    async def enable_client(self, client_id: str) -> Any:
        return as_client(await self.store.enable_client(client_id))

    async def find_client(self, client_id: str) -> Any:
        return as_client(await self.store.find_client(client_id))

    async def page_clients(self, *args: Any, **options: Any) -> Any:
        page = await self.store.page_clients(*args, **options)
        return Page([as_client(client) for client in page.items], page.next)

    async def page_token_credentials(self, *args: Any, **options: Any) -> Any:
        page = await self.store.page_token_credentials(*args, **options)
        return Page([as_token(token) for token in page.items], page.next)

    async def rotate_client_secret(self, *args: Any, **options: Any) -> Any:
        return as_client(await self.store.rotate_client_secret(*args, **options))

    async def update_client(self, *args: Any, **options: Any) -> Any:
        return as_client(await self.store.update_client(*args, **options))

    async def list_token_credentials(self, **options: Any) -> Any:
        return [as_token(token) for token in await self.store.list_token_credentials(**options)]

    def prepare(self, policy: Policy) -> None:
        self.store.prepare(policy)


def as_client(row: Any) -> Client | None:
    if row is None:
        return None
    overlaps = former_secrets_of(row)
    ends = tuple(end for _, end in overlaps)
    return Client(
        client_id=row.client_id,
        client_secret=row.get_client_secret(),
        overlapping_secrets=tuple(secret for secret, _ in overlaps),
        overlaps_end_at=ends if any(end is not None for end in ends) else (),
        name=row.name,
        callbacks=tuple(row.callbacks),
        signature_methods=tuple(row.signature_methods),
        rsa_public_key=None if row.rsa_public_key is None else StoredKey(row.rsa_public_key),
        disabled=row.disabled,
        nonce_policy=row.nonce_policy,
        callback_query_may_differ=row.callback_query_may_differ,
        tolerances=tuple(row.tolerances),
    )


def as_token(row: Any) -> TokenCredential | None:
    if row is None:
        return None
    values = {each.name: getattr(row, each.name) for each in fields(TokenCredential)}
    return TokenCredential(**{**values, "oauth_token_secret": row.get_oauth_token_secret()})


def as_temporary(row: Any) -> TemporaryCredential | None:
    if row is None:
        return None
    values = {each.name: getattr(row, each.name) for each in fields(TemporaryCredential) if each.name != "decided"}
    secrets = {"oauth_token_secret": row.get_oauth_token_secret(), "oauth_verifier": row.get_verifier()}
    return TemporaryCredential(**{**values, **secrets, "decided": row.is_decided()})
