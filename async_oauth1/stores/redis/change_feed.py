"""The change feed of Redis and Valkey: each `CachingStore` that changes something publishes it with PUBLISH."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores.announced_changes import CHANGE_TIMEOUT, begin_message, parse_announcement
from async_oauth1.stores.change_feed import EVERYTHING, ChangeFeed

from .node import CONNECTION_ERRORS, RedisNode, new_client
from .topology import Topology, open_topology
from .url import RedisSettings

__all__ = ["RedisChangeFeed"]


class RedisChangeFeed(ChangeFeed):
    """Subscribes to a channel at one server.

    A change is announced before it is made as well: if that announcement fails, the change is not made.
    """

    settling_time = CHANGE_TIMEOUT

    def __init__(self, url: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        """Parse the URL; no I/O.

        Args:
            url: as for `RedisStore`.
            timer: monotonic seconds.

        Raises:
            StoreError: the URL is not valid.
        """
        self._settings = RedisSettings.from_url(url)
        super().__init__(self._settings.url, timer=timer)
        self._channel = self._settings.prefix + b"changes"
        self._probe_channel = b""
        self._topology: Topology | None = None
        self._publisher: Topology | None = None
        self._client: Any = None
        self._reader: asyncio.Task[None] | None = None
        self._probe_answer: asyncio.Future[None] | None = None

    async def announce(self, change: str) -> None:
        """Publish a change.

        Raises:
            StoreUnavailableError: it could not be published.
        """
        if self._publisher is None:
            self._publisher = open_topology(self._settings)
        try:
            async with asyncio.timeout(self._settings.timeout):
                node = await self._publisher.node_for(b"")
                # If the text is not UTF-8, the store refuses the change itself.
                await node.read(("PUBLISH", self._channel, change.encode(errors="surrogatepass")))
        except TimeoutError as error:
            raise StoreUnavailableError() from error

    async def close(self) -> None:
        """Unsubscribe. Safe to repeat."""
        await super().close()
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            await publisher.close()

    async def _subscribe(self) -> None:
        # Every subscription has its own: the probes of another feed, or of a forked process, would prove nothing.
        self._probe_channel = self._settings.prefix + b"beat:" + secrets.token_hex(16).encode()
        self._topology = open_topology(self._settings)
        node = await self._topology.node_for(b"")
        self._client = new_client(node.address, self._settings)
        pubsub = self._client.pubsub()
        await pubsub.subscribe(self._channel, self._probe_channel)
        for _ in range(2):
            answer: dict[str, Any] | None = await pubsub.get_message(timeout=self._settings.timeout)
            if answer is None or answer["type"] != "subscribe":
                raise ConnectionError("does not confirm a subscription")
        self._reader = asyncio.create_task(self._read(pubsub))

    async def _probe(self) -> None:
        if self._topology is None or self._reader is None:
            raise ConnectionError("is not connected")
        self._probe_answer = asyncio.get_running_loop().create_future()
        # In a Cluster through another node than the one subscribed at: nodes pass messages on to each other.
        node: RedisNode = (await self._topology.masters())[-1]
        await node.read(("PUBLISH", self._probe_channel, b""))
        await asyncio.wait({self._probe_answer, self._reader}, return_when=asyncio.FIRST_COMPLETED)
        if not self._probe_answer.done():
            raise ConnectionError("has closed the connection") from self._reader.exception()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        super().leave_behind()
        self._topology = self._publisher = self._client = self._reader = self._probe_answer = None

    async def _unsubscribe(self) -> None:
        reader, self._reader = self._reader, None
        client, self._client = self._client, None
        topology, self._topology = self._topology, None
        if reader is not None:
            reader.cancel()
            await asyncio.wait({reader})
        if client is not None:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await client.aclose()
        if topology is not None:
            await topology.close()

    async def _read(self, pubsub: Any) -> None:
        try:
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is None or message["type"] != "message":
                    continue
                if message["channel"] == self._channel:
                    self._on_change(_announcement(message["data"].decode(errors="replace")))
                elif self._probe_answer is not None and not self._probe_answer.done():
                    self._probe_answer.set_result(None)
        finally:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await pubsub.aclose()


def _announcement(message: str) -> str:
    """The message. One from an older release does not say whether the change is done, so it counts as begun."""
    is_plain = parse_announcement(message)[0] is None
    return begin_message(message, "") if is_plain and message != EVERYTHING else message
