"""Look-ups of clients and token credentials: those that arrive while a statement runs share the next one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.batching import Batcher, QuestionError

from .models import Model, parameter_name
from .transactions import Transactions

__all__ = ["LookUps"]

_log = logging.getLogger(__name__)
C = TypeVar("C")
T = TypeVar("T")
V = TypeVar("V")

# Names in one statement. More would make the rows of one answer a long step of the event loop.
_BATCH_SIZE = 128

_Pair = tuple[str, str]


class LookUps(Generic[C, T]):
    """Finds rows as they are stored; each caller decrypts its own.

    Callers that ask at the same moment may get the same row.
    """

    def __init__(self, clients: Model[C], tokens: Model[T], transactions: Transactions, *, have_one_bind: bool) -> None:
        """Make the statements.

        Args:
            clients: the model of clients.
            tokens: the model of token credentials.
            transactions: run the statements.
            have_one_bind: whether both models are in one database.
        """
        self._clients = clients
        self._tokens = tokens
        self._transactions = transactions
        self._have_one_bind = have_one_bind
        matches = tokens.matches("oauth_token") & tokens.matches("client_id")
        self._one_client = select(clients.cls).where(clients.matches("client_id"))
        self._one_token = select(tokens.cls).where(matches)
        both = select(clients.cls, tokens.cls).where(clients.matches("client_id"))
        self._one_pair = both.outerjoin(tokens.cls, matches)
        self._many_clients = select(clients.cls).where(_is_one_of(clients, "client_id"))
        # Those of other clients with the same token are left out afterwards.
        self._many_tokens = select(tokens.cls).where(_is_one_of(tokens, "oauth_token"))
        self._client_batcher = self._batcher(self._find_clients)
        self._token_batcher = self._batcher(self._find_tokens)
        self._pair_batcher = self._batcher(self._find_pairs)

    async def client(self, client_id: str) -> C | None:
        """Find a client."""
        return await self._client_batcher.ask(client_id)

    async def token(self, client_id: str, oauth_token: str) -> T | None:
        """Find token credentials of a client."""
        return await self._token_batcher.ask((client_id, oauth_token))

    async def both(self, client_id: str, oauth_token: str) -> tuple[C | None, T | None]:
        """Find a client and its token credentials: one statement if they are in one database."""
        if not self._have_one_bind:
            return await self.client(client_id), await self.token(client_id, oauth_token)
        return await self._pair_batcher.ask((client_id, oauth_token))

    async def drain(self) -> None:
        """Wait until every caller has an answer."""
        for batcher in (self._client_batcher, self._token_batcher, self._pair_batcher):
            await batcher.drain()

    def _batcher(self, find: Callable[[AsyncSession, Sequence[Any]], Awaitable[Mapping[Any, V]]]) -> Batcher[Any, V]:
        async def answer(keys: Sequence[Any]) -> Mapping[Any, V]:
            try:
                return await self._transactions.run_here(lambda session: find(session, keys))
            except StoreUnavailableError:
                raise
            except (
                Exception
            ) as error:  # of a column type, whatever it raises: the batch is halved until one row is left
                _log.error("a row cannot be read (%s)", type(error).__name__)
                raise QuestionError() from error

        return Batcher(answer, batch_size=_BATCH_SIZE, fail_together=True)

    async def _find_clients(self, session: AsyncSession, keys: Sequence[str]) -> Mapping[str, C | None]:
        if len(keys) == 1:
            rows = (await session.scalars(self._one_client, {parameter_name("client_id"): keys[0]})).unique().all()
        else:
            rows = await _rows(session, self._many_clients, keys)
        found: dict[str, C] = {getattr(row, "client_id", ""): row for row in rows}
        return {key: found.get(key) for key in keys}

    async def _find_tokens(self, session: AsyncSession, keys: Sequence[_Pair]) -> Mapping[_Pair, T | None]:
        if len(keys) == 1:
            rows = (await session.scalars(self._one_token, _parameters(*keys[0]))).unique().all()
        else:
            rows = await _rows(session, self._many_tokens, {token for _, token in keys})
        found: dict[_Pair, T] = {_pair_of(row): row for row in rows}
        return {key: found.get(key) for key in keys}

    async def _find_pairs(
        self, session: AsyncSession, keys: Sequence[_Pair]
    ) -> Mapping[_Pair, tuple[C | None, T | None]]:
        if len(keys) == 1:
            row: Any = (await session.execute(self._one_pair, _parameters(*keys[0]))).unique().first()
            return {keys[0]: (None, None) if row is None else (row[0], row[1])}
        # Not joined: that would compare columns of different types or collations, and repeat a client for each token.
        clients = await self._find_clients(session, list({client_id for client_id, _ in keys}))
        tokens = await self._find_tokens(session, keys)
        return {key: (clients[key[0]], tokens[key]) for key in keys}


def _is_one_of(model: Model[Any], name: str) -> Any:
    """The condition that a column has one of several values, or one that the database takes for the same."""
    given = bindparam("given", expanding=True, type_=model.parameter(name).type)
    return model.attribute(name).in_(given)


async def _rows(session: AsyncSession, statement: Any, values: Collection[str]) -> Sequence[Any]:
    given = list(values)
    # Few different numbers of values, so that the driver can keep the prepared statements.
    given += given[-1:] * ((1 << (len(given) - 1).bit_length()) - len(given))
    return (await session.scalars(statement, {"given": given})).unique().all()


def _parameters(client_id: str, oauth_token: str) -> dict[str, str]:
    return {parameter_name("client_id"): client_id, parameter_name("oauth_token"): oauth_token}


def _pair_of(row: Any) -> _Pair:
    return row.client_id, row.oauth_token
