"""The SQLite store: everything in one file, for any number of processes on one machine."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

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
from .connection import SQLiteFile
from .database import Execute, SQLiteDatabase

__all__ = ["SQLiteStore"]

_PURGE_AFTER_INSERTIONS = 256


class SQLiteStore(SQLLife):
    """All hooks over one SQLite file in WAL mode."""

    shared = True

    def __init__(
        self,
        url: str,
        *,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Read the URL; no I/O.

        Args:
            url: ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``; ``?timeout=SECONDS`` is how long a
                locked file is waited for, 5 unless given.
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy asks for.
            clock: Unix time, in seconds.
            keys: that secrets are encrypted under, newest first.

        Raises:
            StoreError: the URL is not understood, or one of the keys is not valid.
        """
        super().__init__(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._file = SQLiteFile.from_url(url)
        self._begin()
        self._purges = PurgeSchedule(clock(), after_insertions=_PURGE_AFTER_INSERTIONS)

    async def migrate(self) -> None:
        """Create the file and its tables, or bring them up to date; any number of processes may do so at once.

        Raises:
            StoreError: the file cannot be created or used, or was made by a newer release.
        """
        await self._file.migrate()

    async def open(self) -> None:
        """Connect; creates nothing.

        Raises:
            StoreError: the file is missing, damaged, locked, its tables are not those of this release, or the keys
                are not those that its secrets are encrypted under.
        """
        if self._left_behind:
            self._begin()
        await self._database.open()
        try:
            await self._check_keys()
        except BaseException:  # also when cancelled: the connections would stay open
            await self._database.close()
            raise
        self._file.warn_of_readers()
        self._bind()

    async def close(self) -> None:
        """Finish what is under way and disconnect. Safe to repeat."""
        if self._left_behind:
            return
        await self._nonces.drain()
        await self._pings.drain()
        await self._database.close()
        self._release()

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the file can be read and written."""
        await self._pings.ask(None)

    async def query_client(self, client_id: str) -> Client | None:
        """Look a client up."""
        if not is_text(client_id):
            return None
        found = await self._database.read(rows.SELECT_CLIENT + " WHERE client_id = ?", (client_id,))
        return rows.client(found[0], self.keys, self.clock()) if found else None

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look token credentials up; ``None`` where they belong to another client."""
        if not is_text(client_id, oauth_token):
            return None
        found = await self._database.read(
            rows.SELECT_TOKEN + " WHERE oauth_token = ? AND client_id = ?",
            (oauth_token, client_id),
        )
        return self._live_token(found[0]) if found else None

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """Look client and token credentials up in one statement."""
        if not is_text(client_id, oauth_token):
            return None, None
        found = await self._database.read(sql.QUERY_CREDENTIALS, (client_id, oauth_token))
        client, token = found[0][: rows.CLIENT_WIDTH], found[0][rows.CLIENT_WIDTH :]
        return (
            rows.client(client, self.keys, self.clock()) if client[0] is not None else None,
            self._live_token(token) if token[0] is not None else None,
        )

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3)."""
        required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
        # JSON keeps the four apart: no value can be written so that it reads as another's neighbour.
        known = await self._nonces.ask(json.dumps([timestamp, nonce, client_id, oauth_token or ""]))
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
        now = self.clock()
        try:
            created = await self._database.write(
                sql.INSERT_TEMPORARY,
                (
                    credential.oauth_token,
                    self.keys.seal(credential.oauth_token_secret, rows.temporary_place(credential.oauth_token)[0]),
                    client_id,
                    redirect_uri,
                    now + self.temporary_credential_lifetime,
                    now,
                    self.max_pending_per_client,
                ),
            )
        except sqlite3.IntegrityError:
            raise ValueError("oauth_token is taken: the token generator repeats itself") from None
        self._purge_after(1)
        if not created:
            raise TooManyPendingError()
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look temporary credentials up; ``None`` once expired, denied or taken."""
        if not is_text(oauth_token):
            return None
        found = await self._database.read(
            rows.SELECT_TEMPORARY + " WHERE oauth_token = ? AND expires_at > ?",
            (oauth_token, self.clock()),
        )
        return rows.temporary(found[0], self.keys) if found else None

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of any number of callers one gets ``True``, and none once they expired."""
        return is_text(oauth_token) and await self._changes(
            "DELETE FROM oauth1_temporary_credential WHERE oauth_token = ? AND expires_at > ? RETURNING 1",
            (oauth_token, self.clock()),
        )

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        """Bind user and verifier to temporary credentials; ``False`` where they were decided before, or are gone."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token)
        return await self._changes(
            "UPDATE oauth1_temporary_credential SET user_id = ?, oauth_verifier = ?, decided = 1"
            " WHERE oauth_token = ? AND decided = 0 AND expires_at > ? RETURNING 1",
            (user_id, self.keys.seal(verifier, rows.temporary_place(oauth_token)[1]), oauth_token, self.clock()),
        )

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal by removing the credentials; ``False`` where they were decided before, or are gone."""
        return is_text(oauth_token) and await self._changes(
            "DELETE FROM oauth1_temporary_credential WHERE oauth_token = ? AND decided = 0 AND expires_at > ?"
            " RETURNING 1",
            (oauth_token, self.clock()),
        )

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit where they are gone."""
        if not is_text(oauth_token):
            return GONE
        counted = await self._database.write(
            "UPDATE oauth1_temporary_credential SET wrong_verifiers = wrong_verifiers + 1"
            " WHERE oauth_token = ? AND expires_at > ? RETURNING wrong_verifiers",
            (oauth_token, self.clock()),
        )
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

        async def work(execute: Execute) -> TokenCredential | None:
            taken = await execute(
                "DELETE FROM oauth1_temporary_credential WHERE oauth_token = ? AND client_id = ? AND expires_at > ?"
                " AND decided = 1 AND user_id IS NOT NULL RETURNING user_id",
                (oauth_token, client_id, self.clock()),
            )
            if not taken:
                return None
            credential = self.new_token_credential(token, client_id, taken[0][0])
            await execute(sql.INSERT_TOKEN, rows.of_token(credential, self.keys))
            return credential

        try:
            return await self._database.transaction(work)
        except sqlite3.IntegrityError:
            raise ValueError("oauth_token is taken: the token generator repeats itself") from None

    async def add_client(self, client: Client) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken.
        """
        check_text(client)
        try:
            await self._database.write(sql.INSERT_CLIENT, rows.of_client(client, self.keys))
        except sqlite3.IntegrityError:
            raise ValueError(f"client_id {client.client_id} is taken") from None

    async def list_clients(self) -> list[Client]:
        """Every client, by name."""
        found = await self._database.read(rows.SELECT_CLIENT + " ORDER BY name, client_id", ())
        return rows.readable(found, lambda row: rows.client(row, self.keys, self.clock()))

    async def remove_client(self, client_id: str) -> bool:
        """Remove a client with its token and temporary credentials; ``False`` where there is none."""
        if not is_text(client_id):
            return False

        async def work(execute: Execute) -> bool:
            removed = await execute("DELETE FROM oauth1_client WHERE client_id = ? RETURNING 1", (client_id,))
            if removed:
                await execute("DELETE FROM oauth1_token_credential WHERE client_id = ?", (client_id,))
                await execute("DELETE FROM oauth1_temporary_credential WHERE client_id = ?", (client_id,))
            return bool(removed)

        return await self._database.transaction(work)

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """Token credentials, oldest first; of one resource owner or one client, where given."""
        wanted = {"user_id": user_id, "client_id": client_id}
        given = {name: value for name, value in wanted.items() if value is not None}
        if not is_text(*given.values()):
            return []
        where = " AND ".join(["(expires_at IS NULL OR expires_at > ?)", *(f"{name} = ?" for name in given)])
        found = await self._database.read(
            f"{rows.SELECT_TOKEN} WHERE {where} ORDER BY created_at, oauth_token",
            (self.clock(), *given.values()),
        )
        return rows.readable(found, lambda row: rows.token(row, self.keys))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """Revoke token credentials, of that resource owner alone where given; ``False`` where there are none."""
        return is_text(oauth_token, user_id or "") and await self._changes(
            "DELETE FROM oauth1_token_credential WHERE oauth_token = ?1 AND (?2 IS NULL OR user_id = ?2)"
            " AND (expires_at IS NULL OR expires_at > ?3) RETURNING 1",
            (oauth_token, user_id, self.clock()),
        )

    def _begin(self) -> None:
        self._pings = Batcher(self._answer_ping, fail_together=True)
        self._database = SQLiteDatabase(self._file)
        self._nonces = NonceBatcher(self._remember)
        self._left_behind = False

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        nothing: Any = LeftBehind(self.url)
        self._database = self._nonces = self._pings = nothing
        self._left_behind = True

    async def _run(self, statement: str, *arguments: object) -> Sequence[Sequence[Any]]:
        # SQLite takes $1 for a name, ?1 for a number.
        return await self._database.write(re.sub(r"\$(?=\d)", "?", statement), arguments)

    async def _insert_token(self, credential: TokenCredential) -> None:
        try:
            await self._database.write(sql.INSERT_TOKEN, rows.of_token(credential, self.keys))
        except sqlite3.IntegrityError:
            raise ValueError("oauth_token is taken: the token generator repeats itself") from None

    def _live_token(self, row: Sequence[Any]) -> TokenCredential | None:
        token = rows.token(row, self.keys)
        return token if is_live(token, self.clock()) else None

    async def _changes(self, sql: str, parameters: Sequence[object]) -> bool:
        return bool(await self._database.write(sql, parameters))

    async def _answer_ping(self, questions: Sequence[None]) -> Mapping[None, None]:
        """One write at a time, however many ask."""
        await self._database.read("SELECT 1 FROM oauth1_client LIMIT 1", ())
        await self._database.transaction(self._write_nothing)
        return dict.fromkeys(questions)

    async def _write_nothing(self, execute: Execute) -> None:
        """Add a row and remove it: both are committed, so the disk has to take the changed pages."""
        await execute(sql.ADD_PROBE, ())
        await execute(sql.REMOVE_PROBE, ())

    async def _remember(self, keys: Sequence[str]) -> Collection[str]:
        fresh = await self._database.write(sql.REMEMBER, (json.dumps(keys), self.nonce_lifetime))
        self._purge_after(len(keys))
        return {row[0] for row in fresh}

    def _purge_after(self, inserted: int) -> None:
        """Start a removal of expired rows if one is due; no request waits for it."""
        now = self.clock()
        if limit := self._purges.inserted(inserted, now):
            self._database.spawn(self._purge(now, limit))

    async def _purge(self, now: float, limit: int) -> None:
        async def work(execute: Execute) -> None:
            newest = await execute(sql.NEWEST, (self.nonce_lifetime, self.temporary_credential_lifetime))
            # The clock of this worker, the system's clock, and what was written last: whichever is the earliest.
            end = min(now, time.time(), newest[0][0])
            if forgotten := await execute(sql.PURGE_NONCES, (end, limit)):
                await execute(sql.FORGET, (max(row[0] for row in forgotten),))
            await execute(sql.PURGE_TEMPORARY, (end, limit))
            await execute(sql.PURGE_TOKENS, (end - EXPIRED_TOKENS_STAY, limit))

        with suppress(StoreUnavailableError):  # it is logged, and the next removal takes the rows along
            await self._database.transaction(work)
