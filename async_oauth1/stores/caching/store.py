"""Clients and token credentials kept in memory, over another store, and forgotten the moment that one changes.

A request whose credentials are remembered asks the store nothing about them. A revocation counts everywhere in under a
second, whoever makes it: a `Notifier` hears of every change, and proves all the time that it would. Where it cannot,
every look-up goes to the store, as if there were no cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.stores.announced_changes import HOLD, Holds, begun, done, read_announcement
from async_oauth1.stores.base import redact_url
from async_oauth1.stores.change_feed import Notifier
from async_oauth1.stores.forks import ProcessBound
from async_oauth1.stores.interfaces import Store
from async_oauth1.stores.lifecycle import is_live, live_client
from async_oauth1.stores.registry import backend_of, import_class

from .delegating import DelegatingStore
from .ttl_cache import Memory

__all__ = ["CachingStore", "Notifier", "open_notifier"]

#: Of each kind; about 1 KB for one.
MAX_ENTRIES = 10_000

# Seconds for which an answer is remembered while a change may be under way that was announced before this process
# began to listen.
_UNSETTLED_LIFETIME = 0.5

T = TypeVar("T")
_Found = tuple[Client | None, TokenCredential | None]
_Question = tuple[str, str | None]


def open_notifier(url: str) -> Notifier:
    """Make the notifier that a URL names. Nothing is connected to yet.

    Args:
        url: ``postgresql://`` of the database that a `PostgresStore` keeps credentials in, straight to the server: it
            tells of every change to its tables. Or ``redis://`` and its likes, for any other store: there each process
            that changes something has to do so through a `CachingStore` with the same URL.

    Raises:
        StoreError: the URL is not understood. The message is one line and shows no password.
    """
    backend = backend_of(url)
    if backend is None or not backend.notifier:
        raise StoreError(f"{redact_url(url)}: tells of no changes; postgresql:// and redis:// do")
    notifier_class: type[Notifier] = import_class(backend, f"{backend.package}.notifier", backend.notifier, url)
    return notifier_class(url)


class CachingStore(DelegatingStore, ProcessBound):
    """A store with a memory for clients and token credentials; everything else it passes on."""

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        *,
        max_entries: int = MAX_ENTRIES,
        lifetime: float = 30.0,
        unknown_lifetime: float = 1.0,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand in front of a store; no I/O.

        Args:
            store: where clients and token credentials are.
            notifier: hears of the changes to it, see `open_notifier`.
            max_entries: clients at most, tokens at most, and unknown ones at most.
            lifetime: seconds for which an answer is remembered where nobody tells of a change: the limit for what no
                notifier can know, such as a server that was cut off from the others and believes to be in charge.
            unknown_lifetime: the same for "there is none".
            clock: Unix time, in seconds: when tokens expire and former secrets end.
            timer: seconds that only go forward.

        Raises:
            ValueError: a number that is not above 0.
        """
        numbers = {"max_entries": max_entries, "lifetime": lifetime, "unknown_lifetime": unknown_lifetime}
        for name, value in numbers.items():
            if not value > 0:
                raise ValueError(f"{name} is a number above 0, not {value!r}")
        super().__init__(store)
        self._notifier = notifier
        self._clock = clock
        self._clients: Memory[str, Client] = Memory(max_entries, lifetime, timer)
        self._tokens: Memory[str, TokenCredential] = Memory(max_entries, lifetime, timer)
        # Apart, so that look-ups of unknown names do not evict credentials.
        self._unknown: Memory[_Question, None] = Memory(max_entries, unknown_lifetime, timer)
        self._begin()
        self._generation = 0
        self._timer = timer
        self._holds = Holds(timer)
        self._unsettled_until = float("-inf")

    async def open(self) -> None:
        """Connect the store, and listen for changes.

        Raises:
            StoreError: either cannot be done.
        """
        await self._store.open()
        try:
            await self._notifier.open(self._heard)
        except BaseException:
            await self._store.close()
            raise
        self._bind()

    async def close(self) -> None:
        """Finish what is under way, forget everything and disconnect. Safe to repeat."""
        while self._changes:
            await asyncio.wait(self._changes)
        await self._notifier.close()
        await self._store.close()
        if self._in_the_air:
            await asyncio.wait(self._in_the_air)
        self._release()

    async def query_client(self, client_id: str) -> Client | None:
        """Look a client up."""
        if not self._notifier.is_current():
            return await self._store.query_client(client_id)
        known, client = self._recall_client(client_id)
        return client if known else (await self._ask((client_id, None)))[0]

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look token credentials up; ``None`` where they belong to another client."""
        if not self._notifier.is_current():
            return await self._store.query_token(client_id, oauth_token)
        known, token = self._recall_token(client_id, oauth_token)
        return token if known else (await self._ask((client_id, oauth_token)))[1]

    async def query_credentials(self, client_id: str, oauth_token: str) -> _Found:
        """Look client and token credentials up, in one statement where one of them is not remembered."""
        if not self._notifier.is_current():
            return await self._store.query_credentials(client_id, oauth_token)
        knows_client, client = self._recall_client(client_id)
        knows_token, token = self._recall_token(client_id, oauth_token)
        return (client, token) if knows_client and knows_token else await self._ask((client_id, oauth_token))

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials, for the client and user of the temporary ones (section 2.3)."""
        created = await self._store.create_token_credential(token, temporary_credential)
        self._forget("t" + created.oauth_token)
        return created

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Take approved temporary credentials and keep new token credentials, both or neither."""
        created = await self._store.exchange(temporary_credential, token)
        if created is not None:
            self._forget("t" + created.oauth_token)
        return created

    async def add_client(self, client: Client) -> None:
        """Register a client; every process knows it at once.

        Raises:
            ValueError: the identifier is taken.
        """
        await self._change("c" + client.client_id, partial(self._store.add_client, client))

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """As `Store.rotate_client_secret`, for every process at once."""
        return await self._change(
            "c" + client_id, partial(self._store.rotate_client_secret, client_id, overlap=overlap)
        )

    async def remove_client(self, client_id: str) -> bool:
        """As `Store.remove_client`, for every process at once."""
        return await self._change("c" + client_id, partial(self._store.remove_client, client_id))

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """As `Store.revoke_token_credential`, for every process at once."""
        return await self._change(
            "t" + oauth_token, partial(self._store.revoke_token_credential, oauth_token, user_id=user_id)
        )

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """As `Store.revoke_token_credentials`, for every process at once."""
        return await self._change(
            "u" + user_id if user_id is not None else "c" + (client_id or ""),
            partial(self._store.revoke_token_credentials, user_id=user_id, client_id=client_id),
        )

    def _begin(self) -> None:
        # Single flight: concurrent look-ups of one key share a task; all of them end before the store is closed.
        self._flights: dict[_Question, asyncio.Task[_Found]] = {}
        self._in_the_air: set[asyncio.Task[_Found]] = set()
        self._changes: set[asyncio.Task[Any]] = set()

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._begin()  # the store and the notifier refuse, and nothing that is cached counts without the latter

    def _recall_client(self, client_id: str) -> tuple[bool, Client | None]:
        client = self._clients.recall(client_id)
        if client is not None:
            return True, live_client(client, self._clock())
        return self._unknown.holds((client_id, None)), None

    def _recall_token(self, client_id: str, oauth_token: str) -> tuple[bool, TokenCredential | None]:
        token = self._tokens.recall(oauth_token)
        if token is not None:
            return True, token if token.client_id == client_id and is_live(token, self._clock()) else None
        return self._unknown.holds((client_id, oauth_token)), None

    async def _ask(self, question: _Question) -> _Found:
        """The store's answer; of those who ask the same at once one asks for all."""
        task = self._flights.get(question)
        if task is None:
            task = self._flights[question] = asyncio.create_task(self._fetch(question))
            self._in_the_air.add(task)
            task.add_done_callback(partial(self._landed, question))
        await asyncio.wait({task})  # a caller that is cancelled leaves it to the others
        try:
            return task.result()
        except StoreUnavailableError as error:  # one object each: a shared one would collect everybody's traceback
            raise StoreUnavailableError() from error

    async def _fetch(self, question: _Question) -> _Found:
        client_id, oauth_token = question
        generation = self._generation
        token: TokenCredential | None = None
        if oauth_token is None:
            client = await self._store.query_client(client_id)
        else:
            client, token = await self._store.query_credentials(client_id, oauth_token)
        # What was asked before a change may be the answer from before it, whenever it arrives.
        if generation == self._generation and self._notifier.is_current():
            self._remember(question, client, token)
        return client, token

    def _remember(self, question: _Question, client: Client | None, token: TokenCredential | None) -> None:
        client_id, oauth_token = question
        lifetime = _UNSETTLED_LIFETIME if self._timer() < self._unsettled_until else None
        if self._holds.cover("c" + client_id):
            return
        if client is not None:
            self._clients.keep(client_id, client, lifetime)
        else:
            self._unknown.keep((client_id, None), None)
        if oauth_token is None or self._holds.cover("t" + oauth_token):
            return
        if token is None:
            self._unknown.keep(question, None)
        elif not self._holds.cover("u" + token.user_id):
            self._tokens.keep(token.oauth_token, token, lifetime)

    def _landed(self, question: _Question, task: asyncio.Task[_Found]) -> None:
        self._in_the_air.discard(task)
        if self._flights.get(question) is task:
            del self._flights[question]
        if not task.cancelled():
            task.exception()  # retrieved, where everybody who waited has gone

    async def _change(self, change: str, work: Callable[[], Awaitable[T]]) -> T:
        """Make a change and tell of it, to the end, whatever becomes of the caller.

        A store goes on with what was begun. To tell of it when the caller leaves would be too early: others would ask
        the store once more before the change is made, and remember what they hear.
        """
        task = asyncio.create_task(self._tell(change, work))
        self._changes.add(task)
        task.add_done_callback(self._changed)
        await asyncio.wait({task})
        return task.result()

    async def _tell(self, change: str, work: Callable[[], Awaitable[T]]) -> T:
        """Announce a change before and after it is made; a change that cannot be announced is not made."""
        identifier = secrets.token_hex(8)
        self._heard(begun(change, identifier))
        try:
            await self._notifier.announce(begun(change, identifier))
        except BaseException:
            self._heard(done(change, identifier))
            raise
        # If it fails, it is not announced as done: the database may still carry out what it was told.
        result = await self._finish(asyncio.ensure_future(work()), begun(change, identifier))
        self._heard(done(change, identifier))
        await self._notifier.announce(done(change, identifier))
        return result

    async def _finish(self, task: asyncio.Future[T], announcement: str) -> T:
        """Wait for a change, and announce it again while it takes long, and at the end if it fails."""
        while not (await asyncio.wait({task}, timeout=HOLD / 3))[0]:
            await self._repeat(announcement)
        if task.cancelled() or task.exception() is not None:
            await self._repeat(announcement)
        return task.result()

    async def _repeat(self, announcement: str) -> None:
        self._heard(announcement)
        with contextlib.suppress(StoreUnavailableError):
            await self._notifier.announce(announcement)

    def _changed(self, task: asyncio.Task[Any]) -> None:
        self._changes.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, where the caller has gone

    def _heard(self, message: str) -> None:
        """Forget what a change concerns, and cache it again once the change is done."""
        is_done, identifier, change = read_announcement(message)
        if is_done is False:
            self._holds.begin(change, identifier)
        elif is_done:
            self._holds.end(change, identifier)
        self._forget(change)

    def _forget(self, change: str) -> None:
        """Forget what a change may concern, and keep no answer that was asked for before it."""
        self._generation += 1
        self._flights.clear()
        self._unknown.clear()
        kind, name = change[:1], change[1:]
        if kind == "t":
            self._tokens.forget(name)
        elif kind == "c":
            self._clients.forget(name)
            self._tokens.forget_where(lambda token: token.client_id == name)
        elif kind == "u":
            self._tokens.forget_where(lambda token: token.user_id == name)
        else:  # everything, or what a newer release says
            self._unsettled_until = self._timer() + self._notifier.settling_time
            self._clients.clear()
            self._tokens.clear()
