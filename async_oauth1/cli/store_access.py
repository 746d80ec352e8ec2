"""Opening the store that a command works on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import TypeVar

from async_oauth1.stores import Store, TransientStore, open_store
from async_oauth1.stores.caching.store import CachingStore, open_change_feed

from .console import CommandError

__all__ = ["shared_store", "value_errors_as_mistakes", "with_store"]

T = TypeVar("T")


def shared_store(url: str) -> Store | TransientStore:
    """The store of a URL, not yet open.

    Raises:
        CommandError: the store is in the memory of one process, so a provider would not see the change.
    """
    store = open_store(url)
    if not store.shared:
        raise CommandError(f"{store.url}: a store in memory cannot be reached from another process; use sqlite:///PATH")
    return store


def with_store(
    url: str,
    work: Callable[[Store], Coroutine[object, object, T]],
    *,
    migrates: bool = False,
    notify: str | None = None,
) -> T:
    """Open a store, run a coroutine on it, and close it.

    Args:
        url: the store's URL.
        work: called with the open store.
        migrates: create the store if it is missing.
        notify: URL of the Redis server to which changes are announced.

    Returns:
        The result of ``work``.

    Raises:
        CommandError: the store keeps no clients.
    """
    opened = shared_store(url)
    if not isinstance(opened, Store):
        raise CommandError(
            f"{opened.url}: this store keeps nonces and temporary credentials, but no clients; use postgresql://..."
        )
    store: Store = CachingStore(opened, open_change_feed(notify)) if notify else opened

    async def run() -> T:
        if migrates:
            await store.migrate()
        async with store:
            return await work(store)

    return asyncio.run(run())


@contextmanager
def value_errors_as_mistakes() -> Generator[None]:
    """Turn the `ValueError` of a store into a `CommandError`: the refused value came from the command line."""
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error)) from error
