"""The change feed of PostgreSQL: triggers on the tables NOTIFY for each changed row, also for changes made in psql."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

import asyncpg

from async_oauth1.errors import StoreError
from async_oauth1.stores.change_feed import ChangeFeed, IncompleteFeedError

from .schema import MISSING_TRIGGERS
from .url import PostgresSettings

__all__ = ["PostgresChangeFeed"]

_CHANNEL = "oauth1"

_MISSING = f"SELECT name FROM ({MISSING_TRIGGERS}) AS missing (name, there)"  # noqa: S608 - of constants alone
_BEAT = f"SELECT pg_is_in_recovery(), ARRAY({_MISSING})"

# The beginning of a message that is for one listener only.
_HELLO = "?"


class PostgresChangeFeed(ChangeFeed):
    """Listens on a connection of its own, which must not go through a pgbouncer that pools transactions."""

    def __init__(self, url: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        """Read the URL; no I/O.

        Args:
            url: as for `PostgresStore`.
            timer: seconds that only go forward.

        Raises:
            StoreError: the URL is not valid.
        """
        self._settings = PostgresSettings.from_url(url)
        super().__init__(self._settings.url, timer=timer)
        self._connection: asyncpg.Connection[Any] | None = None
        self._hello = ""
        self._heard = asyncio.Event()

    async def _subscribe(self) -> None:
        self._hello, self._heard = _HELLO + secrets.token_hex(16), asyncio.Event()
        self._connection = connection = await self._connect()
        await connection.add_listener(_CHANNEL, self._received)
        # Sent on another connection: a pooler would deliver a message to the connection that sent it, but no others.
        other = await self._connect()
        try:
            await other.fetch("SELECT pg_notify($1, $2)", _CHANNEL, self._hello)
        finally:
            other.terminate()
        # The server sends pending notifications before it completes the answer to a statement, however busy it is.
        await connection.fetch("SELECT 1")
        try:
            async with asyncio.timeout(1):
                await self._heard.wait()
        except TimeoutError:
            raise ConnectionError(
                "delivers no notifications; connect to PostgreSQL directly, not through a pooler"
            ) from None
        await self._probe()

    async def _probe(self) -> None:
        # As above, the answer comes after every change that was announced before.
        if self._connection is None:
            raise ConnectionError("is not connected")
        is_replica, missing = (await self._connection.fetch(_BEAT))[0]
        if is_replica:
            raise ConnectionError("is no longer the primary")
        if missing:
            raise IncompleteFeedError(
                f"changes would be missed: the triggers {', '.join(missing)} are missing, changed or not enabled with "
                "ALWAYS; run async-oauth1 migrate on this database"
            )

    async def _unsubscribe(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        super().leave_behind()
        self._connection = None

    async def _connect(self) -> asyncpg.Connection[Any]:
        try:
            return await asyncpg.connect(
                self._settings.dsn, timeout=self._settings.connect_timeout, statement_cache_size=0
            )
        except OSError:  # a certificate that is not valid is a ValueError, too
            raise
        except ValueError:  # of the URL's parts; the message may show one that belongs to the password
            raise StoreError("is not a URL that libpq understands") from None

    def _received(self, connection: object, pid: int, channel: str, payload: object) -> None:
        if not isinstance(payload, str) or connection is not self._connection:
            return
        if payload == self._hello:
            self._heard.set()
        elif not payload.startswith(_HELLO):
            self._on_change(payload)
