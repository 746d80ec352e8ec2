"""Changes as Redis or Valkey tells them: by PUBLISH, from each `CachingStore` that makes one."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.announced_changes import HOLD, begun, read_announcement
from async_oauth1.stores.change_feed import EVERYTHING, Notifier

from .node import RedisNode, failure, new_client
from .topology import Servers, servers_of
from .url import RedisSettings

__all__ = ["RedisNotifier"]


class RedisNotifier(Notifier):
    """Subscribes at one server.

    A change is announced before it is made, too: if the announcement fails, the change is not made.
    """

    settling_time = HOLD

    def __init__(self, url: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        """Read the URL; no I/O.

        Args:
            url: as for `RedisStore`.
            timer: seconds that only go forward.

        Raises:
            StoreError: the URL is not understood.
        """
        self._settings = RedisSettings.from_url(url)
        super().__init__(self._settings.url, timer=timer)
        self._channel = self._settings.prefix + b"changes"
        self._own_channel = b""
        self._servers: Servers | None = None
        self._publisher: Servers | None = None
        self._client: Any = None
        self._reader: asyncio.Task[None] | None = None
        self._echo: asyncio.Future[None] | None = None

    async def announce(self, change: str) -> None:
        """Tell everybody of a change that is made now.

        Raises:
            StoreUnavailableError: they could not be told.
        """
        if self._publisher is None:
            self._publisher = servers_of(self._settings)
        try:
            async with asyncio.timeout(self._settings.timeout):
                node = await self._publisher.node_for(b"")
                # Text that is no UTF-8 names nothing that is kept; the store says so when the change is made.
                await node.read(("PUBLISH", self._channel, change.encode(errors="surrogatepass")))
        except TimeoutError as error:
            raise StoreUnavailableError() from error

    async def close(self) -> None:
        """Listen no more. Safe to repeat."""
        await super().close()
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            await publisher.close()

    async def _subscribe(self) -> None:
        # Each listener's own: another's beats would prove nothing, in a forked process either.
        self._own_channel = self._settings.prefix + b"beat:" + secrets.token_hex(16).encode()
        self._servers = servers_of(self._settings)
        node = await self._servers.node_for(b"")
        self._client = new_client(node.address, self._settings)
        pubsub = self._client.pubsub()
        await pubsub.subscribe(self._channel, self._own_channel)
        for _ in range(2):
            if (await pubsub.get_message(timeout=self._settings.timeout) or {}).get("type") != "subscribe":
                raise ConnectionError("does not let us subscribe")
        self._reader = asyncio.create_task(self._read(pubsub))

    async def _beat(self) -> None:
        if self._servers is None or self._reader is None:
            raise ConnectionError("is not connected")
        self._echo = asyncio.get_running_loop().create_future()
        # In a Cluster by way of another node: what any node is told, all pass on.
        node: RedisNode = (await self._servers.masters())[-1]
        await node.read(("PUBLISH", self._own_channel, b""))
        await asyncio.wait({self._echo, self._reader}, return_when=asyncio.FIRST_COMPLETED)
        if not self._echo.done():
            raise ConnectionError("has closed the connection") from self._reader.exception()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        super().leave_behind()
        self._servers = self._publisher = self._client = self._reader = self._echo = None

    async def _unsubscribe(self) -> None:
        reader, self._reader = self._reader, None
        client, self._client = self._client, None
        servers, self._servers = self._servers, None
        if reader is not None:
            reader.cancel()
            await asyncio.wait({reader})
        if client is not None:
            with contextlib.suppress(*failure):
                await client.aclose()
        if servers is not None:
            await servers.close()

    async def _read(self, pubsub: Any) -> None:
        try:
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is None or message["type"] != "message":
                    continue
                if message["channel"] == self._channel:
                    self._tell(_announcement(message["data"].decode(errors="replace")))
                elif self._echo is not None and not self._echo.done():
                    self._echo.set_result(None)
        finally:
            with contextlib.suppress(*failure):
                await pubsub.aclose()


def _announcement(message: str) -> str:
    """A release before the two kinds of announcement says the same before and after: the change may yet be made."""
    is_plain = read_announcement(message)[0] is None
    return begun(message, "") if is_plain and message != EVERYTHING else message
