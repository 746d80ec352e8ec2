"""Whether a PostgreSQL database has the tables of this release, and bringing them up to date.

Only the tables in ``current_schema()`` count, where new tables would be created: with ``search_path=mine,public`` the
tables in ``public`` belong to another provider.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import asyncpg

from async_oauth1.errors import StoreError

from .schema import ENABLE_TRIGGERS, LOCK, MISSING_TRIGGERS, REPAIR_TRIGGERS, SCHEMA_VERSION, parts_of

__all__ = ["check_tables", "migrate_tables", "tables_version"]

_log = logging.getLogger(__name__)

# Seconds for one transaction: it may wait for that of another worker, or build an index on a large table.
_TRANSACTION_TIMEOUT = 600.0

# A statement that waits for a lock blocks every later statement on the same table. So it gives up after a second, and
# lets them run before the next attempt.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '1s'"
_ATTEMPTS = 10
_PAUSE = 2.0
_TRY_AGAIN = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)

_STATE = """SELECT current_schema()::text AS schema,
    coalesce(bool_or(c.relname = 'oauth1_schema'), false) AS has_version,
    coalesce(bool_or(c.relname = 'oauth1_client'), false) AS has_clients,
    count(*) = 9 AS is_complete,
    (SELECT n.nspname::text FROM pg_class AS o JOIN pg_namespace AS n ON n.oid = o.relnamespace
        WHERE o.oid = to_regclass('oauth1_schema') AND n.nspname <> current_schema()) AS elsewhere,
    current_setting('server_encoding') AS server_encoding, pg_client_encoding()::text AS client_encoding,
    current_setting('transaction_read_only') = 'on' AS read_only,
    current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit
    FROM pg_class AS c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relname IN
    ('oauth1_schema', 'oauth1_client', 'oauth1_temporary_credential', 'oauth1_token_credential', 'oauth1_nonce',
    'oauth1_nonce_forgotten', 'oauth1_last_use', 'oauth1_exchanged_token', 'oauth1_audit')"""


class _State(NamedTuple):
    """The row that `_STATE` selects."""

    schema: str | None
    has_version: bool
    has_clients: bool
    is_complete: bool
    elsewhere: str | None
    server_encoding: str
    client_encoding: str
    read_only: bool
    fsync: str
    synchronous_commit: str


async def check_tables(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    """Refuse a database without the tables of this release; log a warning if a crash could lose committed nonces.

    Raises:
        StoreError: the reason, and what to do.
    """
    state = await _read_state(connection, url)
    if not state.has_version:
        raise StoreError(f"{url}: {_no_tables(state)}")
    version = await _version(connection)
    if version != SCHEMA_VERSION:
        raise _wrong_version(url, version)
    if not state.is_complete:
        raise StoreError(f"{url}: some of the tables are missing in the schema {state.schema}; restore them")
    if state.read_only:
        raise StoreError(f"{url}: is read-only; connect to the primary")
    for name, value in (("fsync", state.fsync), ("synchronous_commit", state.synchronous_commit)):
        if value == "off":
            _log.warning("%s: %s is off: a crash forgets nonces, which can then be replayed", url, name)


async def tables_version(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> int:
    """The version of the tables; 0 if there are none.

    Raises:
        StoreError: the database cannot be used, or belongs to another application.
    """
    state = await _read_state(connection, url)
    if state.has_clients and not state.has_version:
        raise StoreError(f"{url}: belongs to another application")
    return await _version(connection) if state.has_version else 0


async def migrate_tables(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    """Create the tables, or bring them up to date.

    Raises:
        StoreError: the database is unsuitable, has the tables of a newer release, or the tables are locked.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            await _migrate(connection, url)
        except _TRY_AGAIN as error:
            if not attempts_left:
                raise StoreError(
                    f"{url}: the tables are locked by another transaction, such as a backup; migrate again when it"
                    " has ended (pg_stat_activity shows it)"
                ) from error
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _migrate(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    version = await _prepare(connection, url)
    for number in range(version, SCHEMA_VERSION):
        parts = parts_of(number)
        for part in parts:
            await _apply(connection, number, part, is_last=part is parts[-1])
    await _repair_triggers(connection, url)


async def _prepare(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> int:
    """Create the table with the version if necessary, and return the version."""
    async with _turn(connection):
        state = await _read_state(connection, url)
        if state.has_clients and not state.has_version:
            raise StoreError(f"{url}: belongs to another application")
        if not state.has_version:
            if state.elsewhere:
                _log.warning(
                    "%s: creating tables in the schema %s, although the schema %s already has them",
                    url,
                    *_schemas(state),
                )
            await connection.execute("CREATE TABLE oauth1_schema (version integer NOT NULL)")
            await connection.execute("INSERT INTO oauth1_schema VALUES (0)")
        version = await _version(connection)
        if version > SCHEMA_VERSION:
            raise _wrong_version(url, version)
        return version


async def _apply(
    connection: asyncpg.pool.PoolConnectionProxy[Any], number: int, part: tuple[str, ...], *, is_last: bool
) -> None:
    """Run one transaction of a migration, unless another worker has finished the migration meanwhile."""
    async with _turn(connection):
        if await _version(connection) > number:
            return
        await connection.execute(_LOCK_TIMEOUT)
        for statement in part:
            await connection.execute(statement)
        if is_last:
            await connection.execute("UPDATE oauth1_schema SET version = $1", number + 1)


async def _repair_triggers(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> None:
    """Create or enable triggers that a restore has left out or disabled."""
    try:
        async with _turn(connection):
            await connection.execute(_LOCK_TIMEOUT)
            for name, exists in await connection.fetch(MISSING_TRIGGERS):
                for statement in () if exists else REPAIR_TRIGGERS[name]:
                    await connection.execute(statement)
                await connection.execute(ENABLE_TRIGGERS[name])
    except asyncpg.InsufficientPrivilegeError as error:  # everything but the cache works without them
        _log.warning(
            "%s: cannot create the triggers that report changes: %s; nothing is cached; to fix it,"
            " run async-oauth1 migrate as the owner of the tables",
            url,
            " ".join(str(error).split()),
        )


@contextlib.asynccontextmanager
async def _turn(connection: asyncpg.pool.PoolConnectionProxy[Any]) -> AsyncGenerator[None]:
    """A transaction that runs alone: the migrations of other workers wait for it."""
    # Explicit, because the database's default may be stricter: then a worker that has waited for the lock would not see
    # the tables that the worker before it has created.
    async with asyncio.timeout(_TRANSACTION_TIMEOUT), connection.transaction(isolation="read_committed"):
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        yield


async def _read_state(connection: asyncpg.pool.PoolConnectionProxy[Any], url: str) -> _State:
    state = _State(*(await connection.fetch(_STATE))[0])
    if state.server_encoding != "UTF8":
        raise StoreError(
            f"{url}: the database's encoding is {state.server_encoding}, which cannot hold every name that a client may"
            " send; create a database with ENCODING 'UTF8'"
        )
    if state.client_encoding != "UTF8":
        raise StoreError(f"{url}: client_encoding is {state.client_encoding}; leave it at UTF8")
    if state.schema is None:
        raise StoreError(f"{url}: search_path names no schema that exists; create it, or set search_path=public")
    return state


async def _version(connection: asyncpg.pool.PoolConnectionProxy[Any]) -> int:
    rows = await connection.fetch("SELECT version FROM oauth1_schema")
    return int(rows[0][0]) if rows else 0


def _no_tables(state: _State) -> str:
    if state.has_clients:
        return "belongs to another application"
    if state.elsewhere:
        mine, other = _schemas(state)
        return (
            f"has no tables in the schema {mine} yet; migrate it first, or set search_path={other} to use those in the"
            f" schema {other}"
        )
    return "has no tables yet; migrate it first"


def _schemas(state: _State) -> tuple[str, str]:
    return str(state.schema), str(state.elsewhere)


def _wrong_version(url: str, version: int) -> StoreError:
    if version > SCHEMA_VERSION:
        return StoreError(
            f"{url}: has schema version {version}, made by a newer release; this one knows up to {SCHEMA_VERSION}"
        )
    return StoreError(f"{url}: has schema version {version}, this release needs {SCHEMA_VERSION}; migrate it first")
