"""A cache for clients and token credentials over another store, invalidated at every change.

A request whose credentials are cached does not ask the store for them. A revocation takes effect in every process in
under a second, wherever it is made: a `ChangeFeed` reports every change, and proves several times a second that it
would. While it cannot, every lookup goes to the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar, Unpack

from async_oauth1.credentials import Client, ClientChanges, TokenCredential
from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.stores.announced_changes import CHANGE_TIMEOUT, begin_message, done_message
from async_oauth1.stores.batching import cancel_all, fail_all
from async_oauth1.stores.change_feed import ChangeFeed
from async_oauth1.stores.forks import ProcessBound
from async_oauth1.stores.interfaces import Store
from async_oauth1.stores.urls.redaction import redact_url
from async_oauth1.stores.urls.registry import backend_of, import_class

from .credential_cache import CredentialCache, LookupKey
from .delegating import DelegatingStore

__all__ = ["CachingStore", "ChangeFeed", "open_change_feed"]

#: Of each kind. An entry takes about 1 KB.
MAX_ENTRIES = 10_000

T = TypeVar("T")
_Found = tuple[Client | None, TokenCredential | None]


def open_change_feed(url: str) -> ChangeFeed:
    """Make the change feed that a URL names; no I/O.

    Args:
        url: ``postgresql://`` of the database of a `PostgresStore`, with a direct connection to the server: triggers
            report every change to its tables. Or ``redis://`` and the other Redis schemes, for any store: then each
            process that changes something has to use a `CachingStore` with the same URL.

    Raises:
        StoreError: the URL is not valid. The message is one line and shows no password.
    """
    backend = backend_of(url)
    if backend is None or not backend.change_feed:
        raise StoreError(f"{redact_url(url)}: not the URL of a change feed; use postgresql:// or redis://")
    feed_class: type[ChangeFeed] = import_class(backend, f"{backend.package}.change_feed", backend.change_feed, url)
    return feed_class(url)


class CachingStore(DelegatingStore, ProcessBound):
    """A store that caches clients and token credentials; everything else is delegated."""

    def __init__(
        self,
        store: Store,
        change_feed: ChangeFeed,
        *,
        max_entries: int = MAX_ENTRIES,
        lifetime: float = 30.0,
        unknown_lifetime: float = 1.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wrap a store; no I/O.

        Args:
            store: keeps clients and token credentials.
            change_feed: reports changes to them, see `open_change_feed`.
            max_entries: clients, tokens and unknown names, each at most.
            lifetime: seconds for which an answer is cached if no change is reported. This bounds what a change feed
                cannot know, such as a server that was cut off from the others and still believes to be the primary.
            unknown_lifetime: seconds for which the answer that a name is unknown is cached.
            clock: Unix time, in seconds: when tokens expire and former secrets end.
            timer: monotonic seconds.

        Raises:
            ValueError: a number that is not above 0.
        """
        numbers = {"max_entries": max_entries, "lifetime": lifetime, "unknown_lifetime": unknown_lifetime}
        for name, value in numbers.items():
            if not value > 0:
                raise ValueError(f"{name} must be above 0, not {value!r}")
        super().__init__(store)
        self._feed = change_feed
        self._cache = CredentialCache(
            max_entries=max_entries,
            lifetime=lifetime,
            unknown_lifetime=unknown_lifetime,
            settling_time=change_feed.settling_time,
            clock=clock,
            timer=timer,
        )
        self._reset()

    async def open(self) -> None:
        """Open the store and subscribe to changes.

        Raises:
            StoreError: one of them failed.
        """
        await self._store.open()
        try:
            await self._feed.open(self._apply)
        except BaseException:
            await self._store.close()
            raise
        self._bind()

    async def close(self) -> None:
        """Finish changes and lookups that are under way, clear the cache and disconnect. Safe to repeat."""
        while self._changes:
            await asyncio.wait(self._changes)
        await self._feed.close()
        await self._store.close()
        if self._running_lookups:
            await asyncio.wait(self._running_lookups)
        self._release()

    async def query_client(self, client_id: str) -> Client | None:
        """Look up a client."""
        if not self._feed.is_current():
            return await self._store.query_client(client_id)
        is_cached, client = self._cache.client(client_id)
        return client if is_cached else (await self._look_up((client_id, None)))[0]

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look up token credentials; ``None`` if they belong to another client."""
        if not self._feed.is_current():
            return await self._store.query_token(client_id, oauth_token)
        is_cached, token = self._cache.token(client_id, oauth_token)
        return token if is_cached else (await self._look_up((client_id, oauth_token)))[1]

    async def query_credentials(self, client_id: str, oauth_token: str) -> _Found:
        """Look up client and token credentials, in one statement if one of them is not cached."""
        if not self._feed.is_current():
            return await self._store.query_credentials(client_id, oauth_token)
        return self._cached(client_id, oauth_token) or await self._look_up((client_id, oauth_token))

    def peek(self, client_id: str, oauth_token: str | None) -> _Found | None:
        """What `query_credentials` returns, or `query_client` without a token; ``None`` if the store must be asked."""
        return self._cached(client_id, oauth_token) if self._feed.is_current() else None

    def observe_lookups(self, told: Callable[[bool], None]) -> None:
        """Have each look-up of a client and a token reported from now on.

        Args:
            told: is called with whether both were cached; must not raise.
        """
        cached = self._cached

        def observed(client_id: str, oauth_token: str | None) -> _Found | None:
            found = cached(client_id, oauth_token)
            told(found is not None)
            return found

        vars(self)["_cached"] = observed

    def _cached(self, client_id: str, oauth_token: str | None) -> _Found | None:
        has_client, client = self._cache.client(client_id)
        has_token, token = (True, None) if oauth_token is None else self._cache.token(client_id, oauth_token)
        return (client, token) if has_client and has_token else None

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials, for the client and user of the temporary ones (section 2.3)."""
        created = await self._store.create_token_credential(token, temporary_credential)
        self._apply("t" + created.oauth_token)
        return created

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Replace approved temporary credentials by new token credentials, atomically."""
        created = await self._store.exchange(temporary_credential, token)
        if created is not None:
            self._apply("t" + created.oauth_token)
        return created

    async def add_client(self, client: Client) -> None:
        """As `Store.add_client`, and announce it to every process.

        Raises:
            ValueError: the identifier is taken.
        """
        await self._change("c" + client.client_id, partial(self._store.add_client, client))

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """As `Store.rotate_client_secret`, and announce it to every process."""
        return await self._change(
            "c" + client_id, partial(self._store.rotate_client_secret, client_id, overlap=overlap)
        )

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """As `Store.update_client`, and announce it to every process."""
        return await self._change("c" + client_id, partial(self._store.update_client, client_id, **changes))

    async def disable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.disable_client`, and announce it to every process."""
        return await self._change("c" + client_id, partial(super().disable_client, client_id))

    async def enable_client(self, client_id: str) -> Client | None:
        """As `AdministersClients.enable_client`, and announce it to every process."""
        return await self._change("c" + client_id, partial(super().enable_client, client_id))

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`, and announce it to every process."""
        return await self._change("c" + client_id, partial(self._store.remove_client, client_id))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`, and announce it to every process."""
        return await self._change(
            "t" + oauth_token, partial(self._store.revoke_token_credential, oauth_token, user_id=user_id)
        )

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`, and announce it to every process."""
        return await self._change(
            "u" + user_id if user_id is not None else "c" + (client_id or ""),
            partial(self._store.revoke_token_credentials, user_id=user_id, client_id=client_id),
        )

    def _reset(self) -> None:
        # Single flight: concurrent lookups of one key share a task. These are the callers that wait for it.
        self._lookups: dict[LookupKey, list[asyncio.Future[_Found]]] = {}
        # Also those that a change has removed from `_lookups`; `close` waits for them.
        self._running_lookups: set[asyncio.Task[None]] = set()
        self._changes: set[asyncio.Task[Any]] = set()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._reset()  # the feed has no lease in the child, so nothing cached is used; the store refuses calls

    def _look_up(self, key: LookupKey) -> asyncio.Future[_Found]:
        """The store's answer, to be awaited; concurrent callers share one lookup."""
        future: asyncio.Future[_Found] = asyncio.get_running_loop().create_future()
        waiting = self._lookups.get(key)
        if waiting is not None:
            waiting.append(future)
            return future
        self._lookups[key] = waiting = [future]
        task = asyncio.create_task(self._answer(key, waiting))  # cancelling one caller does not cancel the lookup
        self._running_lookups.add(task)
        task.add_done_callback(self._running_lookups.discard)
        return future

    async def _answer(self, key: LookupKey, waiting: list[asyncio.Future[_Found]]) -> None:
        """Look up a key for all callers that wait for it."""
        try:
            found = await self._fetch(key)
        except Exception as error:  # noqa: BLE001 - it is raised by the callers
            fail_all(waiting, error)
        except BaseException:  # this task was cancelled: otherwise the callers would wait for ever
            cancel_all(waiting)
            raise
        else:
            for future in waiting:
                if not future.done():
                    future.set_result(found)
        finally:
            if self._lookups.get(key) is waiting:
                del self._lookups[key]

    async def _fetch(self, key: LookupKey) -> _Found:
        client_id, oauth_token = key
        generation = self._cache.generation
        token: TokenCredential | None = None
        if oauth_token is None:
            client = await self._store.query_client(client_id)
        else:
            client, token = await self._store.query_credentials(client_id, oauth_token)
        # If a change came in between, this may be the answer from before it.
        if generation == self._cache.generation and self._feed.is_current():
            self._cache.put(key, client, token)
        return client, token

    async def _change(self, change: str, work: Callable[[], Awaitable[T]]) -> T:
        """Make and announce a change, even if the caller is cancelled.

        A store completes what was begun. An announcement when the caller leaves would be too early: another process
        would ask the store before the change is made, and cache the old answer.
        """
        task = asyncio.create_task(self._announce_and_make(change, work))
        self._changes.add(task)
        task.add_done_callback(self._change_done)
        await asyncio.wait({task})
        return task.result()

    async def _announce_and_make(self, change: str, work: Callable[[], Awaitable[T]]) -> T:
        """Announce a change before and after making it. If it cannot be announced, it is not made."""
        identifier = secrets.token_hex(8)
        self._apply(begin_message(change, identifier))
        try:
            await self._feed.announce(begin_message(change, identifier))
        except BaseException:
            self._apply(done_message(change, identifier))
            raise
        # A change that fails is not announced as done: the database may still carry out the statement.
        result = await self._complete(asyncio.ensure_future(work()), begin_message(change, identifier))
        self._apply(done_message(change, identifier))
        await self._feed.announce(done_message(change, identifier))
        return result

    async def _complete(self, task: asyncio.Future[T], announcement: str) -> T:
        """Wait for a change. Repeat the announcement while it takes long, and at the end if it fails."""
        while not (await asyncio.wait({task}, timeout=CHANGE_TIMEOUT / 3))[0]:
            await self._repeat(announcement)
        if task.cancelled() or task.exception() is not None:
            await self._repeat(announcement)
        return task.result()

    async def _repeat(self, announcement: str) -> None:
        self._apply(announcement)
        with contextlib.suppress(StoreUnavailableError):
            await self._feed.announce(announcement)

    def _change_done(self, task: asyncio.Task[Any]) -> None:
        self._changes.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it if the caller has gone

    def _apply(self, message: str) -> None:
        """Apply an announcement: later callers do not share lookups that began before it."""
        self._lookups.clear()
        self._cache.apply(message)
