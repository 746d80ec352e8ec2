"""The SQLite store: everything in one file, for any number of processes on one machine."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from async_oauth1.credentials import TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.provider.records.audit import Actor
from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.auditing.in_sql import APPLICATION, EXPIRED_AT_ONCE, PROVIDER
from async_oauth1.stores.base import EXPIRED_TOKENS_STAY, TOKEN_TAKEN, is_text, nonce_seconds, required_text
from async_oauth1.stores.batching import Batcher, NonceBatcher, QuestionError
from async_oauth1.stores.sql import INSERT_TOKEN
from async_oauth1.stores.sql_store import Question, Row, SQLStore
from async_oauth1.stores.uses.last_use import SECONDS_BETWEEN_USES, LastUse

from . import sql
from .connection import is_damaged
from .database import Execute, SQLiteDatabase
from .file import SQLiteFile
from .schema import SCHEMA_VERSION

__all__ = ["SQLiteStore"]


class SQLiteStore(SQLStore[SQLiteDatabase]):
    """A store in one SQLite file in WAL mode."""

    PURGE_AFTER = 256

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
            url: ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``. ``?timeout=SECONDS`` is how long to wait
                for a locked file; 5 by default.
            nonce_lifetime: seconds, as for `BaseStore`.
            clock: Unix time, in seconds.
            keys: encrypt the secrets, newest first.

        Raises:
            StoreError: the URL or one of the keys is not valid.
        """
        super().__init__(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._file = SQLiteFile.from_url(url)
        self._start()

    async def migrate(self) -> None:
        """Create the file and its tables, or bring them up to date. Several processes may do so at once.

        Raises:
            StoreError: the file cannot be created or used, or was made by a newer release.
        """
        await self._file.migrate()

    async def schema_versions(self) -> tuple[int, int]:
        """As `HasSchema.schema_versions`."""
        return await self._file.schema_version(), SCHEMA_VERSION

    async def open(self) -> None:
        """As `SQLStore.open`; logs a warning if other users of the machine may read the file."""
        await super().open()
        self._file.warn_of_readers()

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """As `Store.exists_nonce`."""
        required_text(nonce=nonce, timestamp=timestamp, client_id=client_id, oauth_token=oauth_token or "")
        # JSON keeps the four values apart: different values never give the same text.
        known = await self._nonces.ask(json.dumps([timestamp, nonce, client_id, oauth_token or ""]))
        return known or self.is_stale(nonce_seconds(timestamp))

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`."""
        if not is_text(client_id):
            return False

        async def work(execute: Execute) -> bool:
            removed = await execute(sql.REMOVE_CLIENT, (client_id,))
            if removed:
                tokens = [row for row in await execute(sql.REMOVE_TOKENS, (client_id,)) if not row[4]]
                await self._note_gone(execute, "token", "revoked", tokens)
                pending = [row for row in await execute(sql.REMOVE_TEMPORARY, (client_id,)) if row[3] > 0]
                await self._note_gone(execute, "temporary", "ended", pending)
                await self._note(execute, "client.removed", APPLICATION, removed)
            return bool(removed)

        return await self._database.transaction(work)

    async def _note_gone(self, execute: Execute, kind: str, end: str, gone: Sequence[Row]) -> None:
        """Record the credentials of a client that was removed; those that had expired by then only expired."""
        now = self.clock()
        live = [row for row in gone if row[3] is None or row[3] > now]
        await self._note(execute, f"{kind}.{end}", APPLICATION, live)
        await self._note(
            execute, f"{kind}.expired", PROVIDER, [row for row in gone if row[3] is not None and row[3] <= now]
        )

    def _start(self) -> None:
        super()._start()
        self._database = SQLiteDatabase(self._file)
        self._nonces = NonceBatcher(self._remember)
        self._lookups = Batcher(self._look_up)

    async def _read(self, statement: str, *arguments: object) -> Sequence[Row]:
        return await self._database.read(sql.numbered(statement), arguments)

    async def _write(self, statement: str, *arguments: object) -> Sequence[Row]:
        return await self._database.write(sql.numbered(statement), arguments)

    async def _change(self, event: str, usual: Actor, statement: str, *arguments: object) -> Sequence[Row]:
        async def work(execute: Execute) -> Sequence[Row]:
            changed = await execute(sql.numbered(statement), arguments)
            await self._note(execute, event, usual, changed)
            return changed

        return await self._database.transaction(work)

    async def _note(self, execute: Execute, event: str, usual: Actor, changed: Sequence[Row]) -> None:
        """Record rows that were changed in this transaction."""
        if changed:
            width = 1 if event.startswith("client.") else 3
            values = json.dumps([[_text(value) for value in row[:width]] for row in changed])
            await execute(sql.RECORD, (self.clock(), event, *self._actor(usual), values))

    async def _expire(self, now: float) -> None:
        async def work(execute: Execute) -> None:
            await self._expire_until(execute, min(now, time.time()), EXPIRED_AT_ONCE)

        await self._database.transaction(work)

    async def _expire_until(self, execute: Execute, end: float, limit: int) -> None:
        """Record tokens that have expired, and remove such temporary credentials."""
        await self._note(execute, "token.expired", PROVIDER, await execute(sql.EXPIRE, (end, limit)))
        gone = [row for row in await execute(sql.PURGE_TEMPORARY, (end, limit)) if row[3] > 0]
        await self._note(execute, "temporary.expired", PROVIDER, gone)

    async def _insert_temporary(self, *values: object) -> tuple[bool, bool]:
        try:
            usual = Actor("client", str(values[2]))
            created = await self._change("temporary.created", usual, sql.INSERT_TEMPORARY, *values)
        except sqlite3.IntegrityError:  # only if there was room
            return False, True
        return bool(created), bool(created)

    async def _exchange(self, oauth_token: str, new: TokenCredential) -> tuple[str, str] | None:
        async def work(execute: Execute) -> tuple[str, str] | None:
            taken = await execute(
                sql.TAKE_APPROVED, (oauth_token, new.client_id, self.clock(), self.max_ended_per_client)
            )
            if not taken:
                return None
            user_id, scope = taken[0][0], taken[0][1] or new.scope
            values = rows.of_token(replace(new, user_id=user_id, scope=scope), self.keys)
            made = await execute(sql.numbered(INSERT_TOKEN), values)
            if not made:
                raise ValueError(TOKEN_TAKEN)  # rolls back
            await self._note(execute, "token.created", Actor("client", new.client_id), made)
            return user_id, scope

        return await self._database.transaction(work)

    async def _find_tokens(self, user_id: str | None, client_id: str | None) -> Sequence[Row]:
        # Written for each case, so that SQLite uses the index of the column.
        given = {name: value for name, value in (("user_id", user_id), ("client_id", client_id)) if value is not None}
        conditions = " AND ".join(["(expires_at IS NULL OR expires_at > ?)", *(f"{name} = ?" for name in given)])
        statement = f"{rows.SELECT_TOKEN} WHERE {conditions} ORDER BY created_at, oauth_token"
        return await self._database.read(statement, (self.clock(), *given.values()))

    async def _record(self, uses: Sequence[LastUse]) -> None:
        columns = [(use.client_id, use.oauth_token or "", use.used_at, use.user_agent) for use in uses]

        async def work(execute: Execute) -> None:
            for client_id, oauth_token, is_first in await execute(
                sql.RECORD_USES, (json.dumps(columns), SECONDS_BETWEEN_USES)
            ):
                if not is_first:
                    continue
                actor = Actor("client", _text(client_id) or "")
                if not oauth_token:
                    await self._note(execute, "client.first_used", actor, [(client_id,)])
                # The token may have been revoked meanwhile.
                elif user := await execute(sql.USER_OF_TOKEN, (client_id, oauth_token)):
                    await self._note(execute, "token.first_used", actor, [(client_id, oauth_token, user[0][0])])

        await self._database.transaction(work)

    async def _look_up(self, questions: Sequence[Question]) -> Mapping[Question, Row]:
        try:
            found = await self._database.read(sql.LOOK_UP, (json.dumps(questions),))
        except StoreUnavailableError as error:
            if is_damaged(error.__cause__):  # perhaps only a page that one of them needs
                raise QuestionError() from error
            raise
        return {questions[row[0] - 1]: row for row in found}

    async def _remember(self, keys: Sequence[str]) -> Collection[str]:
        fresh = await self._database.write(sql.REMEMBER, (json.dumps(keys), self.nonce_lifetime))
        self._purge_after(len(keys))
        return {row[0] for row in fresh}

    async def _purge(self, now: float, limit: int) -> None:
        async def work(execute: Execute) -> None:
            newest = await execute(sql.NEWEST, (self.nonce_lifetime, self.temporary_credential_lifetime))
            # The earliest of this worker's clock, the system's clock, and the time of the newest rows.
            end = min(now, time.time(), newest[0][0])
            if forgotten := await execute(sql.PURGE_NONCES, (end, limit)):
                await execute(sql.FORGET, (max(row[0] for row in forgotten),))
            await self._expire_until(execute, end, limit)
            gone = await execute(sql.PURGE_TOKENS, (end - EXPIRED_TOKENS_STAY, limit))
            await self._note(execute, "token.expired", PROVIDER, [row for row in gone if not row[3]])

        with suppress(StoreUnavailableError):  # logged; the next removal includes these rows
            await self._database.transaction(work)


def _text(value: object) -> str | None:
    """A value of a row for JSON; SQLite may return bytes, since it does not enforce the types of columns."""
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
