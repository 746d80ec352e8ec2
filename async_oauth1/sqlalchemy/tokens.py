"""Token credentials in a table of the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import String, cast, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.credentials import TokenCredential
from async_oauth1.errors import TokenRejectedError
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.administration.paging import Page, check_limit, key_after, page_of
from async_oauth1.stores.base import EXPIRED_TOKENS_STAY, TOKEN_TAKEN, BaseStore, is_text

from .columns import UnstorableValueError
from .exact import contains
from .models import Model, Needs
from .temporary_credentials import changed_rows, remove_expired
from .transactions import RefusedRowError, Transactions, database_time

__all__ = ["TOKEN_NEEDS", "Tokens"]

T = TypeVar("T")
V = TypeVar("V")
#: Takes temporary credentials within a transaction.
Take = Callable[[AsyncSession], Awaitable[tuple[Any, str] | None]]

#: What a model of token credentials must have.
TOKEN_NEEDS = Needs(
    "OAuth1TokenCredentialMixin",
    {"client_id": 1, "oauth_token": 48, "oauth_token_secret": 48, "user_id": 1},
    ("get_oauth_token", "get_oauth_token_secret"),
    "OAuth1EncryptedTokenCredentialMixin",
)


class Tokens(Generic[T]):
    """The token credentials of a store. The methods are described in `Store`."""

    def __init__(self, model: Model[T], transactions: Transactions, store: BaseStore) -> None:
        """Remember the arguments.

        Args:
            model: of the application.
            transactions: run the statements.
            store: its clock and its keys count.
        """
        self.model = model
        self._transactions = transactions
        self._store = store

    def may_be(self, client_id: str, oauth_token: str) -> bool:
        """Whether a client of that name can have a token of that name."""
        return (
            is_text(client_id, oauth_token)
            and self.model.fits("client_id", client_id)
            and self.model.fits("oauth_token", oauth_token)
        )

    def live(self, row: Any, client_id: str, oauth_token: str) -> T | None:
        """A row that was found, with its secret decrypted; ``None`` if it has expired, or belongs to other names."""
        if row is None or (row.client_id, row.oauth_token) != (client_id, oauth_token):
            return None
        expires_at = row.expires_at if self.model.has("expires_at") else None
        if expires_at is not None and expires_at <= self._store.clock():
            return None
        return self._opened(row)

    async def add(self, credential: TokenCredential) -> T:
        """Insert new token credentials.

        Raises:
            ValueError: the token is taken; text that cannot be stored.
        """
        return await self._inserted(credential, lambda session: self._insert(session, credential))

    async def add_for(self, credential: TokenCredential) -> T:
        """Insert new token credentials for temporary ones that were approved.

        Raises:
            TokenRejectedError: the user or the client has been removed since.
            ValueError: as `add`.
        """
        try:
            return await self.add(credential)
        except RefusedRowError as error:
            if error.is_about_a_reference:
                raise TokenRejectedError() from None
            raise

    async def exchange(self, credential: TokenCredential, take: Take) -> T | None:
        """Insert new token credentials in one transaction with the removal of temporary ones.

        Args:
            credential: the new ones, without a user.
            take: removes the temporary ones, and returns their user and scope; ``None`` if there are none.

        Returns:
            Their row; ``None`` if there are no temporary ones, or if their user or client has been removed.

        Raises:
            ValueError: the token is taken; text that cannot be stored. Nothing was done.
        """

        async def work(session: AsyncSession) -> T | None:
            taken = await take(session)
            if taken is None:
                return None
            return await self._insert(session, credential, user_id=taken[0], scope=taken[1] or credential.scope)

        try:
            return await self._inserted(credential, work)
        except RefusedRowError as error:
            if error.is_about_a_reference:
                return None
            raise

    async def _insert(self, session: AsyncSession, credential: TokenCredential, **more: Any) -> T:
        row = self._row(credential, more)
        session.add(row)
        await session.flush()
        await session.refresh(row)
        return self._opened(row)

    async def _inserted(self, credential: TokenCredential, work: Callable[[AsyncSession], Awaitable[V]]) -> V:
        try:
            return await self._transactions.run(work)
        except RefusedRowError:
            if await self._transactions.run(lambda session: self._count(session, credential.oauth_token)):
                raise ValueError(TOKEN_TAKEN) from None
            raise

    async def listed(self, user_id: str | None, client_id: str | None) -> list[T]:
        """As `Store.list_token_credentials`."""
        conditions = self._conditions(user_id=user_id, client_id=client_id)
        if conditions is None:
            return []

        async def read(session: AsyncSession) -> list[Any]:
            return list((await session.scalars(select(self.model.cls).where(*conditions))).unique())

        found = await self._transactions.run(read)
        readable: list[Any] = rows.readable(((row,) for row in found), lambda row: self._opened(row[0]))
        return sorted(readable, key=_age)

    async def page(self, search: str, user_id: str | None, client_id: str | None, limit: int, after: str) -> Page[T]:
        """As `AdministersClients.page_token_credentials`."""
        check_limit(limit)
        key, model = key_after(after, float, str), self.model
        conditions = self._conditions(user_id=user_id, client_id=client_id)
        if conditions is None or not is_text(search):
            return Page([], None)
        if search:
            names = ("oauth_token", "user_id", "client_id")
            conditions.append(contains(search, [cast(model.attribute(name), String()) for name in names]))
        order = {"created_at": 0.0, "oauth_token": ""}
        found = await self._transactions.run(lambda session: model.page(session, conditions, order, key, limit + 1))
        readable = rows.readable(((row,) for row, _ in found[:limit]), lambda row: self._opened(row[0]))
        return page_of(readable, [key for _, key in found], limit)

    async def revoke(self, **names: str | None) -> int:
        """Remove the live ones that have these names, and return how many there were."""
        conditions = self._conditions(**names)
        if conditions is None:
            return 0
        statement = delete(self.model.cls).where(*conditions)
        return await self._transactions.run(lambda session: changed_rows(session, statement))

    async def purge(self, session: AsyncSession, now: float, limit: int) -> None:
        """Remove some that expired a day ago, also by the database's clock."""
        if self.model.has("expires_at"):
            end = min(now, await database_time(session, self.model.cls)) - EXPIRED_TOKENS_STAY
            await remove_expired(session, self.model, end, limit)

    def _row(self, credential: TokenCredential, more: dict[str, Any]) -> T:
        token = credential.oauth_token
        place = (self.model.table.name, "oauth_token_secret", token)
        values = {
            "client_id": credential.client_id,
            "oauth_token": token,
            "oauth_token_secret": self._store.keys.seal(credential.oauth_token_secret, place),
            "user_id": credential.user_id,
            "scope": credential.scope,
            "created_at": credential.created_at,
            "expires_at": credential.expires_at,
        }
        return self.model.new(**{**values, **more})

    def _opened(self, row: T) -> T:
        return self.model.opened(row, self._store.keys, self._store.clock)

    async def _count(self, session: AsyncSession, oauth_token: str) -> int:
        named = self.model.equals("oauth_token", oauth_token)
        return await session.scalar(select(func.count()).select_from(self.model.cls).where(named)) or 0

    def _conditions(self, **names: str | None) -> list[Any] | None:
        """The conditions that rows are live and have these names; ``None`` if no row can have them."""
        conditions: list[Any] = []
        if self.model.has("expires_at"):
            expiry = self.model.attribute("expires_at")
            conditions.append(or_(expiry.is_(None), expiry > self._store.clock()))
        for name, value in names.items():
            if value is None:
                continue
            try:
                conditions.append(self.model.equals(name, value))
            except UnstorableValueError:
                return None
        return conditions


def _age(row: Any) -> tuple[float, str]:
    """The order of a list: the oldest first, as far as the model tells."""
    return getattr(row, "created_at", 0.0), row.oauth_token
