"""Temporary credentials in a table of the application: decided once, taken once, and gone when they expire."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.errors import InvalidClientError, InvalidRequestError, TooManyPendingError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.base import (
    GONE,
    TOKEN_TAKEN,
    BaseStore,
    is_text,
    new_temporary_credential,
    required_text,
    user_id_of,
)

from .models import Model, Needs
from .transactions import RefusedRowError, Transactions, database_time

__all__ = ["TEMPORARY_NEEDS", "TemporaryCredentials"]

T = TypeVar("T")

_TOKEN_LENGTH = 48

#: What a model of temporary credentials must have.
TEMPORARY_NEEDS = Needs(
    "OAuth1TemporaryCredentialMixin",
    {
        "client_id": 1,
        "oauth_token": _TOKEN_LENGTH,
        "oauth_token_secret": _TOKEN_LENGTH,
        "oauth_callback": 3,
        "oauth_verifier": 36,
        "expires_at": 1,
        "user_id": 1,
    },
    ("get_client_id", "get_redirect_uri", "get_oauth_token", "get_oauth_token_secret", "check_verifier"),
    "OAuth1EncryptedTemporaryCredentialMixin",
)


class TemporaryCredentials(Generic[T]):
    """The temporary credentials of a store. The methods are described in `TransientStore`."""

    def __init__(self, model: Model[T], transactions: Transactions, store: BaseStore) -> None:
        """Remember the arguments.

        Args:
            model: of the application.
            transactions: run the statements.
            store: its clock, keys, lifetimes and limits count.
        """
        self._model = model
        self._transactions = transactions
        self._store = store

    async def create(self, token: dict[str, str], client_id: str, redirect_uri: str, scope: str) -> T:
        """As `TransientStore.create_temporary_credential`."""
        record = new_temporary_credential(token, client_id, redirect_uri, scope)
        row = self._row(token, client_id, redirect_uri, scope)
        try:
            return await self._transactions.run(lambda session: self._insert(session, row(), client_id))
        except RefusedRowError as error:
            if error.is_about_a_reference:
                raise InvalidClientError() from None  # it has been removed since the request was verified
            if await self._transactions.run(lambda session: self._count_token(session, record.oauth_token)):
                raise ValueError(TOKEN_TAKEN) from None
            raise

    async def find(self, oauth_token: str) -> T | None:
        """As `TransientStore.get_temporary_credential`."""
        if not self._may_be(oauth_token):
            return None
        return await self._transactions.run(lambda session: self._find(session, oauth_token))

    async def take(self, oauth_token: str) -> bool:
        """As `TransientStore.delete_temporary_credential`."""
        return await self._remove(oauth_token)

    async def deny(self, oauth_token: str) -> bool:
        """As `TransientStore.deny_temporary_credential`, by removing them."""
        return await self._remove(oauth_token, self._model.attribute("oauth_verifier").is_(None))

    async def approve(self, credential: Any, grant_user: Any, verifier: str, scope: str) -> bool:
        """As `TransientStore.create_authorization_verifier`.

        Raises:
            InvalidRequestError: the model refers to users, and there is no such user; it can still be decided.
        """
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token, scope=scope)
        model = self._model
        values = model.values(user_id=user_id, scope=scope, oauth_verifier=self._sealed(oauth_token, verifier))
        undecided = model.attribute("oauth_verifier").is_(None)
        statement = update(model.cls).where(*self._live(oauth_token), undecided).values(values)
        try:
            return bool(await self._transactions.run(lambda session: changed_rows(session, statement)))
        except RefusedRowError as error:
            if error.is_about_a_reference:
                raise InvalidRequestError("The user who approves does not exist.") from None
            raise

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """As `TransientStore.count_wrong_verifier`."""
        if not self._may_be(oauth_token):
            return GONE
        return await self._transactions.run(lambda session: self._count_wrong(session, oauth_token))

    async def take_approved(self, session: AsyncSession, oauth_token: str, client_id: str) -> tuple[Any, str] | None:
        """Take approved credentials of a client, within a transaction.

        Returns:
            Their user and scope; ``None`` if there are none.
        """
        model = self._model
        approved = model.attribute("oauth_verifier").is_not(None) & model.attribute("user_id").is_not(None)
        conditions = [*self._live(oauth_token), model.equals("client_id", client_id), approved]
        columns = [model.attribute(name) for name in ("user_id", "scope") if model.has(name)]
        # They change no more once they are approved, so they may be read first. Only the deletion decides.
        found = (await session.execute(select(*columns).where(*conditions))).first()
        if found is None or not await changed_rows(session, delete(model.cls).where(*conditions)):
            return None
        return found[0], (found[1] or "") if len(columns) > 1 else ""

    async def purge(self, session: AsyncSession, now: float, limit: int) -> None:
        """Remove some that have expired, also by the database's clock and compared with the newest."""
        expiry = self._model.attribute("expires_at")
        newest = await session.scalar(select(func.max(expiry)))
        if newest is None:
            return
        made = float(newest) - self._store.temporary_credential_lifetime
        end = min(now, await database_time(session, self._model.cls), made)
        await remove_expired(session, self._model, end, limit)

    def _row(self, token: dict[str, str], client_id: str, redirect_uri: str, scope: str) -> Any:
        """Makes a row, again for each try of a transaction."""
        model, store = self._model, self._store
        if not model.fits("oauth_callback", redirect_uri):
            room = model.room("oauth_callback")
            raise InvalidRequestError(
                f'"oauth_callback" is longer than the {room} characters that this provider keeps.'
            )
        name = token["oauth_token"]
        sealed = store.keys.seal(token["oauth_token_secret"], (model.table.name, "oauth_token_secret", name))
        values = {
            "client_id": client_id,
            "oauth_token": name,
            "oauth_token_secret": sealed,
            "oauth_callback": redirect_uri,
            "expires_at": store.clock() + store.temporary_credential_lifetime,
            "requested_scope": scope,
        }
        model.values(**values)
        return lambda: model.new(**values)

    async def _insert(self, session: AsyncSession, row: T, client_id: str) -> T:
        session.add(row)
        await session.flush()
        model, limit = self._model, self._store.max_pending_per_client
        live = [model.equals("client_id", client_id), model.attribute("expires_at") > self._store.clock()]
        pending = select(model.attribute(model.key)).where(*live).limit(limit + 1).subquery()
        if (await session.scalar(select(func.count()).select_from(pending)) or 0) > limit:
            raise TooManyPendingError()  # rolls back
        await session.refresh(row)
        return model.opened(row, self._store.keys, self._store.clock)

    async def _find(self, session: AsyncSession, oauth_token: str) -> T | None:
        found = await session.scalars(select(self._model.cls).where(*self._live(oauth_token)))
        row = found.unique().first()
        return None if row is None else self._model.opened(row, self._store.keys, self._store.clock)

    async def _remove(self, oauth_token: str, *conditions: Any) -> bool:
        if not self._may_be(oauth_token):
            return False
        statement = delete(self._model.cls).where(*self._live(oauth_token), *conditions)
        return bool(await self._transactions.run(lambda session: changed_rows(session, statement)))

    async def _count_wrong(self, session: AsyncSession, oauth_token: str) -> int:
        count = self._model.attribute("wrong_verifiers")
        conditions = self._live(oauth_token)
        if not await changed_rows(session, update(self._model.cls).where(*conditions).values({count: count + 1})):
            return GONE
        return int(await session.scalar(select(count).where(*conditions)) or GONE)

    async def _count_token(self, session: AsyncSession, oauth_token: str) -> bool:
        named = self._model.equals("oauth_token", oauth_token)
        return bool(await session.scalar(select(func.count()).select_from(self._model.cls).where(named)))

    def _live(self, oauth_token: str) -> list[Any]:
        model = self._model
        return [model.equals("oauth_token", oauth_token), model.attribute("expires_at") > self._store.clock()]

    def _may_be(self, oauth_token: str) -> bool:
        """Whether there can be credentials of that name."""
        return is_text(oauth_token) and self._model.fits("oauth_token", oauth_token)

    def _sealed(self, oauth_token: str, verifier: str) -> str:
        return self._store.keys.seal(verifier, (self._model.table.name, "oauth_verifier", oauth_token))


async def changed_rows(session: AsyncSession, statement: Any) -> int:
    """Run an UPDATE or DELETE, and return how many rows it changed."""
    result: Any = await session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)


async def remove_expired(session: AsyncSession, model: Model[Any], end: float, limit: int) -> None:
    """Remove some rows that expired before a time; the oldest first."""
    expiry = model.attribute("expires_at")
    page = (await session.scalars(select(expiry).where(expiry <= end).order_by(expiry).limit(limit))).all()
    if page:
        await changed_rows(session, delete(model.cls).where(expiry <= page[-1]))
