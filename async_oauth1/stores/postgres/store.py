"""The PostgreSQL store: everything in one database, for any number of processes on any number of machines.

Each method is one statement, and each atomicity the database's: of any number of callers in any number of processes
that take, decide or use the same thing, PostgreSQL lets one through. Nonces that arrive while a statement is under way
become one ``INSERT``, look-ups one ``SELECT``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.base import (
    EXPIRED_TOKENS_STAY,
    GONE,
    check_text,
    is_text,
    new_temporary_credential,
    nonce_key,
    nonce_seconds,
    required_text,
    user_id_of,
)
from async_oauth1.stores.batching import Batcher, NonceBatcher
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.lifecycle import is_live
from async_oauth1.stores.purging import PurgeSchedule
from async_oauth1.stores.sql_lifecycle import SQLLife

from . import sql
from .connection import PooledConnection
from .database import PostgresDatabase, Row
from .url import PostgresSettings

__all__ = ["PooledConnection", "PostgresStore"]

# A removal costs a round trip of its own.
_PURGE_AFTER_INSERTIONS = 1000

# Columns with an index hold less than a third of a page; nothing that is meant to be an identifier comes near.
_MAX_IDENTIFIER_BYTES = 1024


class PostgresStore(SQLLife):
    """All hooks over one PostgreSQL database."""

    shared = True

    def __init__(
        self,
        url: str | None = None,
        *,
        pool: asyncpg.Pool[Any] | None = None,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Read the URL; no I/O.

        Args:
            url: libpq's ``postgresql://user@host/database``, with ``min_size``, ``max_size``, ``timeout`` (seconds)
                and ``statement_cache_size`` in its query. ``None`` where a pool is given.
            pool: the application's own, used instead; it is the application's to close. Behind a pooler in transaction
                mode make it with ``connection_class=PooledConnection`` or ``statement_cache_size=0``.
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy asks for.
            clock: Unix time, in seconds.
            keys: that secrets are encrypted under, newest first.

        Raises:
            StoreError: the URL is not understood, or one of the keys is not valid.
            TypeError: neither a URL nor a pool, or both.
        """
        if (url is None) is (pool is None):
            raise TypeError("PostgresStore takes a URL or a pool")
        settings = PostgresSettings("postgresql://") if url is None else PostgresSettings.from_url(url)
        super().__init__(settings.url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._settings = settings
        self._pool = pool
        self._begin()
        self._purges = PurgeSchedule(clock(), after_insertions=_PURGE_AFTER_INSERTIONS)

    @property
    def round_trips(self) -> int:
        """Statements sent so far; the first of each kind on a connection takes two round trips."""
        return self._database.round_trips

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date; any number of processes may do so at once.

        Raises:
            StoreError: the server cannot be reached, or the tables were made by a newer release.
        """
        if self._left_behind and self._pool is None:
            self._begin()
        await self._database.migrate()

    async def open(self) -> None:
        """Connect; creates nothing.

        Raises:
            StoreError: the server cannot be reached, its tables are not those of this release, or the keys are not
                those that its secrets are encrypted under.
        """
        if self._left_behind and self._pool is None:
            self._begin()
        await self._database.open()
        try:
            await self._check_keys()
        except BaseException:  # also when cancelled: the pool would stay open
            await self._database.close()
            raise
        self._bind()

    async def close(self) -> None:
        """Finish what is under way and disconnect; a pool that was given stays open. Safe to repeat."""
        if self._left_behind:
            return
        await self._nonces.drain()
        await self._lookups.drain()
        await self._pings.drain()
        await self._database.close()
        self._release()

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the database answers and can be written to."""
        await self._pings.ask(None)

    async def query_client(self, client_id: str) -> Client | None:
        """Look a client up."""
        return (await self._query(client_id, None))[0]

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look token credentials up; ``None`` where they belong to another client."""
        if not is_text(client_id, oauth_token):
            return None
        row = await self._lookups.ask((client_id, oauth_token))
        return self._live_token(row[1 + rows.CLIENT_WIDTH :])

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """Look client and token credentials up in one statement."""
        return await self._query(client_id, oauth_token)

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3)."""
        known = await self._nonces.ask(str(UUID(bytes=nonce_key(nonce, timestamp, client_id, oauth_token))))
        return known or self.is_stale(nonce_seconds(timestamp))

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str
    ) -> TemporaryCredential:
        """Keep new temporary credentials (section 2.1).

        Raises:
            TooManyPendingError: as many live ones as the client may have.
            ValueError: the token is taken, or text that cannot be stored.
        """
        credential = new_temporary_credential(token, client_id, redirect_uri)
        _check_length(oauth_token=credential.oauth_token, client_id=client_id)
        now = self.clock()
        ((created, has_room),) = await self._database.fetch(
            sql.INSERT_TEMPORARY,
            credential.oauth_token,
            self.keys.seal(credential.oauth_token_secret, rows.temporary_place(credential.oauth_token)[0]),
            client_id,
            redirect_uri,
            now + self.temporary_credential_lifetime,
            now,
            self.max_pending_per_client,
        )
        self._purge_after(1)
        if not has_room:
            raise TooManyPendingError()
        if not created:
            raise ValueError("oauth_token is taken: the token generator repeats itself")
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look temporary credentials up; ``None`` once expired, denied or taken."""
        if not is_text(oauth_token):
            return None
        found = await self._database.fetch(sql.GET_TEMPORARY, oauth_token, self.clock())
        return rows.temporary(found[0], self.keys) if found else None

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of any number of callers one gets ``True``, and none once they expired."""
        return is_text(oauth_token) and await self._changes(sql.TAKE, oauth_token, self.clock())

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        """Bind user and verifier to temporary credentials; ``False`` where they were decided before, or are gone."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token)
        _check_length(user_id=user_id)
        sealed = self.keys.seal(verifier, rows.temporary_place(oauth_token)[1])
        return await self._changes(sql.APPROVE, oauth_token, self.clock(), user_id, sealed)

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal by removing the credentials; ``False`` where they were decided before, or are gone."""
        return is_text(oauth_token) and await self._changes(sql.DENY, oauth_token, self.clock())

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit where they are gone."""
        if not is_text(oauth_token):
            return GONE
        counted = await self._database.fetch(sql.COUNT_WRONG_VERIFIER, oauth_token, self.clock())
        return int(counted[0][0]) if counted else GONE

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials, for the client and user of the temporary ones (section 2.3).

        Raises:
            ValueError: the token is taken, or text that cannot be stored.
        """
        client_id = await resolve(temporary_credential.get_client_id())
        user_id = await user_id_of(await resolve(temporary_credential.get_user_id()))
        credential = self.new_token_credential(token, client_id, user_id)
        await self._insert_token(credential)
        return credential

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Take approved temporary credentials and keep new token credentials, both or neither."""
        oauth_token = await resolve(temporary_credential.get_oauth_token())
        client_id = await resolve(temporary_credential.get_client_id())
        required_text(oauth_token=oauth_token, client_id=client_id)
        made = self.new_token_credential(token, client_id, "")
        _check_length(oauth_token=made.oauth_token)
        sealed = self.keys.seal(made.oauth_token_secret, rows.token_place(made.oauth_token)[0])
        new = (made.oauth_token, sealed, made.scope, made.expires_at)
        try:
            exchanged = await self._database.fetch(sql.EXCHANGE, oauth_token, client_id, made.created_at, *new)
        except asyncpg.UniqueViolationError:
            raise ValueError("oauth_token is taken: the token generator repeats itself") from None
        return replace(made, user_id=exchanged[0][0]) if exchanged else None

    async def add_client(self, client: Client) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken or too long, or text that cannot be stored.
        """
        check_text(client)
        _check_length(client_id=client.client_id)
        if not await self._changes(sql.INSERT_CLIENT, *rows.of_client(client, self.keys)):
            raise ValueError(f"client_id {client.client_id} is taken")

    async def list_clients(self) -> list[Client]:
        """Every client, by name."""
        found = await self._database.fetch(sql.LIST_CLIENTS)
        return rows.readable(found, lambda row: rows.client(row, self.keys, self.clock()))

    async def remove_client(self, client_id: str) -> bool:
        """Remove a client with its token and temporary credentials; ``False`` where there is none."""
        return is_text(client_id) and await self._changes(sql.REMOVE_CLIENT, client_id)

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """Token credentials, oldest first; of one resource owner or one client, where given."""
        if not is_text(user_id or "", client_id or ""):
            return []
        found = await self._database.fetch(sql.LIST_TOKENS, user_id, client_id, self.clock())
        return rows.readable(found, lambda row: rows.token(row, self.keys))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """Revoke token credentials, of that resource owner alone where given; ``False`` where there are none."""
        return is_text(oauth_token, user_id or "") and await self._changes(
            sql.REVOKE, oauth_token, user_id, self.clock()
        )

    def _begin(self) -> None:
        self._database = PostgresDatabase(self._settings, self._pool)
        self._nonces = NonceBatcher(self._remember, fail_together=True)
        self._lookups = Batcher(self._look_up, fail_together=True)
        self._pings = Batcher(self._answer_ping, fail_together=True)
        self._left_behind = False

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        nothing: Any = LeftBehind(self.url)
        if self._pool is not None:
            nothing = LeftBehind(self.url, "make the pool and the store in each worker (gunicorn's post_fork)")
        self._database = self._nonces = self._lookups = self._pings = nothing
        self._left_behind = True

    async def _run(self, statement: str, *arguments: object) -> Sequence[Row]:
        return await self._database.fetch(statement, *arguments)

    async def _insert_token(self, credential: TokenCredential) -> None:
        _check_length(oauth_token=credential.oauth_token, client_id=credential.client_id, user_id=credential.user_id)
        if not await self._changes(sql.INSERT_TOKEN, *rows.of_token(credential, self.keys)):
            raise ValueError("oauth_token is taken: the token generator repeats itself")

    def _live_token(self, row: Row) -> TokenCredential | None:
        if row[0] is None:
            return None
        token = rows.token(row, self.keys)
        return token if is_live(token, self.clock()) else None

    async def _changes(self, statement: str, *arguments: object) -> bool:
        return bool(await self._database.fetch(statement, *arguments))

    async def _query(self, client_id: str, oauth_token: str | None) -> tuple[Client | None, TokenCredential | None]:
        if not is_text(client_id, oauth_token or ""):
            return None, None
        row = await self._lookups.ask((client_id, oauth_token))
        client, token = row[1 : 1 + rows.CLIENT_WIDTH], row[1 + rows.CLIENT_WIDTH :]
        return (
            rows.client(client, self.keys, self.clock()) if client[0] is not None else None,
            self._live_token(token),
        )

    async def _look_up(self, questions: Sequence[_Question]) -> Mapping[_Question, Row]:
        client_ids, oauth_tokens = zip(*questions, strict=True)
        found = await self._database.fetch_here(sql.LOOK_UP, client_ids, oauth_tokens)
        return {questions[row[0] - 1]: row for row in found}

    async def _answer_ping(self, questions: Sequence[None]) -> Mapping[None, None]:
        """One connection at most, however many ask."""
        await self._database.ping()
        return dict.fromkeys(questions)

    async def _remember(self, keys: Sequence[str]) -> Collection[str]:
        # Sorted: two workers that insert the same nonces in different orders would wait for each other.
        keys = sorted(keys)
        seconds = [int(key[:8], 16) for key in keys]
        fresh = await self._database.fetch_here(sql.REMEMBER, keys, seconds, self.nonce_lifetime)
        self._purge_after(len(keys))
        return {row[0] for row in fresh}

    def _purge_after(self, inserted: int) -> None:
        """Start a removal of expired rows if one is due; no request waits for it."""
        now = self.clock()
        if limit := self._purges.inserted(inserted, now):
            self._database.spawn(self._purge(now, limit))

    async def _purge(self, now: float, limit: int) -> None:
        try:
            await self._database.fetch(sql.PURGE_NONCES, now, limit)
            await self._database.fetch(sql.PURGE_TEMPORARY, now, limit)
            await self._database.fetch(sql.PURGE_TOKENS, now, limit, EXPIRED_TOKENS_STAY)
        except StoreUnavailableError:
            pass  # logged; expired rows count for nothing, and the next removal takes them along


_Question = tuple[str, str | None]


def _check_length(**values: str) -> None:
    for name, value in values.items():
        if len(value.encode()) > _MAX_IDENTIFIER_BYTES:
            raise ValueError(f"{name} is longer than {_MAX_IDENTIFIER_BYTES} bytes")
