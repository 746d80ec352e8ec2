"""The stores of the tool: consumers, nonces and sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from async_oauth1 import Client
from async_oauth1.lti import LTITool
from async_oauth1.policy import Policy
from async_oauth1.stores import Store, StoreError, open_store

from .sessions import MemoryRecords, RedisRecords, Sessions
from .settings import KEY, Settings

__all__ = ["Storage", "open_storage"]

#: Seconds for Redis to answer.
TIMEOUT = 2


@dataclass(frozen=True)
class Storage:
    """What the tool's pages need.

    Attributes:
        tool: verifies launches.
        sessions: the sessions.
    """

    tool: LTITool
    sessions: Sessions


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """Open the stores, and register the course unless it is there.

    Raises:
        StoreError: a store cannot be used.
    """
    policy = Policy(signature_methods=("HMAC-SHA1", "HMAC-SHA256"), external_base_url=settings.public_url or None)
    tool, records = LTITool(policy=policy), MemoryRecords()
    async with AsyncExitStack() as opened:
        sessions = Sessions(records)
        if settings.redis:
            tool.register_hooks(await opened.enter_async_context(open_store(settings.redis)))
            sessions = Sessions(await _redis_records(settings.redis, opened))
        store = open_store(settings.store)
        if not isinstance(store, Store):
            raise StoreError("--store has to keep consumers: memory://, sqlite:// or postgresql://")
        await store.migrate()
        await opened.enter_async_context(store)
        with suppress(ValueError):  # an earlier run or another worker has registered it
            await store.add_client(Client(client_id=KEY, client_secret=settings.secret))
        tool.register_hooks(store)  # nonces, too, unless Redis has them
        yield Storage(tool, sessions)


async def _redis_records(url: str, opened: AsyncExitStack) -> RedisRecords:
    from redis.asyncio import Redis

    client = Redis.from_url(url, decode_responses=True, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    opened.push_async_callback(client.aclose)
    return RedisRecords(client)
