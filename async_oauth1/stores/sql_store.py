"""The base of the SQL stores: every method whose statement is the same in each database."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import TooManyPendingError
from async_oauth1.provider.approval.scopes import granted_scope_of
from async_oauth1.provider.hooks import resolve
from async_oauth1.provider.records.audit import Actor

from . import row_mapping as rows
from . import sql
from .administration.in_sql import ClientsInSQL
from .auditing.in_sql import APPLICATION
from .base import (
    GONE,
    TOKEN_TAKEN,
    check_text,
    is_text,
    new_temporary_credential,
    required_text,
    user_id_of,
)
from .batching import Batcher, NonceBatcher
from .forks import OPEN_IN_EACH_WORKER, LeftBehind
from .lifecycle import check_may_have_tokens, is_live, issued
from .purging import PurgeSchedule
from .reencryption import StoredSecrets
from .uses.exchanges import ExchangesInSQL
from .uses.in_sql import UsesInSQL

__all__ = ["Database", "Question", "Row", "SQLStore"]

T = TypeVar("T")
Row = Sequence[Any]
#: A client, and a token or ``None``.
Question = tuple[str, "str | None"]


class Database(Protocol):
    """What the base class needs of a database."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Finish what is under way, then disconnect."""

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the database can be read and written."""

    def spawn(self, work: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start work that `close` waits for."""
        ...


D = TypeVar("D", bound=Database)


class SQLStore(ClientsInSQL, UsesInSQL, ExchangesInSQL, Generic[D]):
    """A store over a database that speaks SQL. The methods are described in `Store`."""

    shared = True

    #: Insertions after which expired rows are removed.
    PURGE_AFTER: ClassVar[int]

    _database: D
    _nonces: NonceBatcher[str]
    _pings: Batcher[None, None]
    _lookups: Batcher[Question, Row]

    _left_behind = False
    _can_restart = True
    _fork_advice = OPEN_IN_EACH_WORKER

    def _start(self) -> None:
        """Make the database and the batchers; no I/O. A subclass calls this at the end of its ``__init__``."""
        self._pings = Batcher(self._answer_ping, fail_together=True)
        self._purges = PurgeSchedule(self.clock(), after_insertions=self.PURGE_AFTER)
        self._start_uses(lambda work: self._database.spawn(work))  # noqa: PLW0108 - a database is set later
        self._left_behind = False

    @abstractmethod
    async def _look_up(self, questions: Sequence[Question]) -> Mapping[Question, Row]:
        """The columns of client and token for each question, after a number."""

    @abstractmethod
    async def _insert_temporary(self, *values: object) -> tuple[bool, bool]:
        """Insert temporary credentials: whether they were inserted, and whether the client had room for them."""

    @abstractmethod
    async def _exchange(self, oauth_token: str, new: TokenCredential) -> tuple[str, str] | None:
        """Exchange approved temporary credentials for new token credentials, in one transaction.

        Returns:
            The user and the scope of the new ones; ``None`` if the temporary ones are gone.
        """

    @abstractmethod
    async def _find_tokens(self, user_id: str | None, client_id: str | None) -> Sequence[Row]:
        """The rows of live token credentials, oldest first."""

    @abstractmethod
    async def _purge(self, now: float, limit: int) -> None:
        """Remove some expired rows."""

    async def open(self) -> None:
        """Connect; creates nothing.

        Raises:
            StoreError: the database is missing, damaged or cannot be reached; its tables are not those of this
                release; or the keys are not those that its secrets are encrypted under.
        """
        self._restart()
        await self._database.open()
        try:
            await StoredSecrets(self._write, self.keys, self.url).check_keys()
        except BaseException:  # also when cancelled: the connections would stay open
            await self._database.close()
            raise
        self._bind()

    async def close(self) -> None:
        """Finish what is under way and disconnect. Safe to repeat."""
        if self._left_behind:
            return
        await self._drain()
        await self._database.close()
        self._release()

    async def ping(self) -> None:
        """As `Store.ping`; concurrent calls share a statement."""
        await self._pings.ask(None)

    async def query_client(self, client_id: str) -> Client | None:
        """As `Store.query_client`."""
        row = await self._lookups.ask((client_id, None)) if is_text(client_id) else None
        return None if row is None else self._client(row[1 : 1 + rows.CLIENT_WIDTH])

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """As `Store.query_token`."""
        row = await self._lookups.ask((client_id, oauth_token)) if is_text(client_id, oauth_token) else None
        return None if row is None else self._live_token(row[1 + rows.CLIENT_WIDTH :])

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """As `Store.query_credentials`."""
        if not is_text(client_id, oauth_token):
            return None, None
        return self._credentials((await self._lookups.ask((client_id, oauth_token)))[1:])

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryCredential:
        """As `Store.create_temporary_credential`."""
        credential = new_temporary_credential(token, client_id, redirect_uri, scope)
        self._check_lengths(oauth_token=credential.oauth_token, client_id=client_id)
        now = self.clock()
        values = (
            credential.oauth_token,
            self.keys.seal(credential.oauth_token_secret, rows.temporary_place(credential.oauth_token)[0]),
            client_id,
            redirect_uri,
            now + self.temporary_credential_lifetime,
            now,
            self.max_pending_per_client,
            scope,
        )
        created, has_room = await self._insert_temporary(*values)
        if has_room and not created and await self._write(sql.FORGET_ENDED, credential.oauth_token):
            created, has_room = await self._insert_temporary(*values)
        self._purge_after(1)
        if not has_room:
            raise TooManyPendingError()
        if not created:
            raise ValueError(TOKEN_TAKEN)
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As `Store.get_temporary_credential`."""
        return await self._find_temporary(sql.GET_TEMPORARY, oauth_token)

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.delete_temporary_credential`."""
        return await self._end("temporary.ended", sql.TAKE, oauth_token)

    async def get_ended_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As the hook `GetEndedTemporaryCredential`."""
        return await self._find_temporary(sql.GET_ENDED, oauth_token)

    async def _find_temporary(self, statement: str, oauth_token: str) -> TemporaryCredential | None:
        found = await self._read(statement, oauth_token, self.clock()) if is_text(oauth_token) else ()
        return rows.temporary(found[0], self.keys) if found else None

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """As `Store.create_authorization_verifier`."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token, scope=scope)
        self._check_lengths(user_id=user_id)
        sealed = self.keys.seal(verifier, rows.temporary_place(oauth_token)[1])
        return bool(
            await self._change(
                "consent.given", Actor("user", user_id), sql.APPROVE, oauth_token, self.clock(), user_id, sealed, scope
            )
        )

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """As `Store.deny_temporary_credential`."""
        return await self._end("consent.denied", sql.DENY, oauth_token)

    async def _end(self, event: str, statement: str, oauth_token: str) -> bool:
        values = (oauth_token, self.clock(), self.max_ended_per_client)
        usual = Actor("user") if event == "consent.denied" else APPLICATION
        return is_text(oauth_token) and bool(await self._change(event, usual, statement, *values))

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """As `Store.count_wrong_verifier`."""
        if not is_text(oauth_token):
            return GONE
        counted = await self._write(sql.COUNT_WRONG_VERIFIER, oauth_token, self.clock())
        return int(counted[0][0]) if counted else GONE

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """As `Store.create_token_credential`."""
        client_id = await resolve(temporary_credential.get_client_id())
        user_id = await user_id_of(await resolve(temporary_credential.get_user_id()))
        scope = await granted_scope_of(temporary_credential)
        new = self.new_token_credential(token, client_id, user_id, scope)
        return await self._insert_token(new, Actor("client", client_id))

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """As `Store.exchange`."""
        oauth_token = await resolve(temporary_credential.get_oauth_token())
        client_id = await resolve(temporary_credential.get_client_id())
        required_text(oauth_token=oauth_token, client_id=client_id)
        new = self.new_token_credential(token, client_id, "")
        self._check_lengths(oauth_token=new.oauth_token)
        granted = await self._exchange(oauth_token, new)
        return None if granted is None else replace(new, user_id=granted[0], scope=granted[1])

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """As `Store.issue_token_credential`."""
        check_may_have_tokens(await self.find_client(client_id), client_id)
        credential = issued(client_id, await user_id_of(user_id), scope, lifetime, self.clock())
        check_text(credential)
        return await self._insert_token(credential, APPLICATION)

    async def find_also_ended(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """A client with its former secrets, and token credentials that may have expired: to explain a refusal alone."""
        clients = await self._read(sql.GET_CLIENT, client_id) if is_text(client_id) else ()
        tokens = await self._read(sql.GET_TOKEN, oauth_token) if is_text(oauth_token) else ()
        client = rows.client(clients[0], self.keys, now=0.0) if clients else None
        return client, rows.token(tokens[0], self.keys) if tokens else None

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """As `Store.list_token_credentials`; those that cannot be read are logged and left out."""
        if not is_text(user_id or "", client_id or ""):
            return []
        found = await self._find_tokens(user_id, client_id)
        return rows.readable(found, lambda row: rows.token(row, self.keys))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`."""
        usual = APPLICATION if user_id is None else Actor("user", user_id)
        values = (oauth_token, user_id, self.clock())
        return is_text(oauth_token, user_id or "") and bool(
            await self._change("token.revoked", usual, sql.REVOKE, *values)
        )

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`."""
        if user_id is None and client_id is None:
            raise ValueError("revoke_token_credentials needs a user_id, a client_id or both")
        if not is_text(user_id or "", client_id or ""):
            return 0
        usual = APPLICATION if user_id is None else Actor("user", user_id)
        return len(await self._change("token.revoked", usual, sql.REVOKE_MANY, self.clock(), user_id, client_id))

    async def reencrypt(self) -> int:
        """As `Store.reencrypt`."""
        return await StoredSecrets(self._write, self.keys, self.url).reencrypt()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        nothing: Any = LeftBehind(self.url, self._fork_advice)
        self._database = self._nonces = self._pings = self._lookups = self._uses = nothing
        self._left_behind = True

    def _restart(self) -> None:
        """Make new connections after a fork, unless the pool is the application's."""
        if self._left_behind and self._can_restart:
            self._start()

    async def _drain(self) -> None:
        await self._nonces.drain()
        await self._lookups.drain()
        await self._pings.drain()
        await self._uses.flush()

    async def _insert_token(self, credential: TokenCredential, usual: Actor) -> TokenCredential:
        self._check_lengths(
            oauth_token=credential.oauth_token, client_id=credential.client_id, user_id=credential.user_id
        )
        values = rows.of_token(credential, self.keys)
        if not await self._change("token.created", usual, sql.INSERT_TOKEN, *values):
            raise ValueError(TOKEN_TAKEN)
        return credential

    def _check_lengths(self, **identifiers: str) -> None:
        """Refuse identifiers that are too long for the database's indexes."""

    def _client(self, row: Row) -> Client | None:
        """The client of a row, unless there is none or it is disabled."""
        client = None if row[0] is None else self._client_of(row)
        return None if client is None or client.disabled else client

    def _live_token(self, row: Row) -> TokenCredential | None:
        token = None if row[0] is None else rows.token(row, self.keys)
        return token if token is not None and is_live(token, self.clock()) else None

    def _credentials(self, row: Row) -> tuple[Client | None, TokenCredential | None]:
        """The records of a row with the columns of both."""
        return self._client(row[: rows.CLIENT_WIDTH]), self._live_token(row[rows.CLIENT_WIDTH :])

    async def _answer_ping(self, questions: Sequence[None]) -> Mapping[None, None]:
        await self._database.ping()
        return dict.fromkeys(questions)

    def _purge_after(self, inserted: int) -> None:
        """Start a removal of expired rows if one is due; no request waits for it."""
        now = self.clock()
        if limit := self._purges.inserted(inserted, now):
            self._database.spawn(self._purge(now, limit))
