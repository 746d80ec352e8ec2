"""Opening the store that a command works on."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar

from async_oauth1.errors import StoreError
from async_oauth1.stores import AdministersClients, RecordsUses, Store, TransientStore, acting_as, open_store
from async_oauth1.stores.administration.paging import MAX_PAGE_SIZE, Page
from async_oauth1.stores.caching.store import CachingStore, open_change_feed
from async_oauth1.stores.uses.last_use import LastUse

from .console import CommandError

__all__ = [
    "administered",
    "every_page",
    "last_use",
    "shared_store",
    "uses_of",
    "value_errors_as_mistakes",
    "with_store",
]

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
        try:
            if migrates:
                await store.migrate()
            async with store:
                with acting_as("command", _login()):
                    return await work(store)
        except StoreError as error:  # such as a lock that timed out after Ctrl-C, before the command could end
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError from error
            raise

    return asyncio.run(run())


def administered(store: Store) -> AdministersClients:
    """A store, as one that disables clients and reads them page by page.

    Raises:
        CommandError: it does not.
    """
    if not isinstance(store, AdministersClients):
        raise CommandError(f"{store.url}: this store does not disable clients, and has no pages")
    return store


async def every_page(read: Callable[..., Awaitable[Page[T]]], search: str, limit: int | None, after: str) -> Page[T]:
    """A page of some records, or all of them without a limit.

    Args:
        read: reads a page, as the methods of `AdministersClients`.
        search: as for these methods.
        limit: records of a page; ``None`` for all.
        after: the cursor.
    """
    if limit is not None:
        return await read(search, limit=limit, after=after)
    page = await read(search, limit=MAX_PAGE_SIZE, after=after)
    items = page.items
    while page.next is not None:
        page = await read(search, limit=MAX_PAGE_SIZE, after=page.next)
        items += page.items
    return Page(items, None)


async def uses_of(store: Store, client_id: str | None = None) -> list[LastUse]:
    """The last uses of a client and its tokens, or of all; none if the store does not record them."""
    return await store.last_uses(client_id=client_id) if isinstance(store, RecordsUses) else []


def last_use(uses: Iterable[LastUse]) -> dict[str, object]:
    """The latest of some uses, for JSON."""
    latest = max(uses, key=lambda use: use.used_at, default=None)
    return {
        "last_used_at": None if latest is None else latest.used_at,
        "user_agent": None if latest is None else latest.user_agent,
    }


def _login() -> str:
    """The name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return ""


@contextmanager
def value_errors_as_mistakes() -> Generator[None]:
    """Turn the `ValueError` of a store into a `CommandError`: the refused value came from the command line."""
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error)) from error
