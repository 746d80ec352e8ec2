"""The provider's storage: one or two stores, and the users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import unquote

from async_oauth1 import Client, StoreUnavailableError
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.stores import Store, StoreError, TransientStore, open_store

from .passwords import hash_password
from .settings import Settings, SettingsError
from .users import MemoryUsers, Users

__all__ = ["PASSWORD", "PRINTER", "USER", "Storage", "check_shared", "open_storage"]

#: RFC 5849 section 1.2: the client that prints Jane's photo.
PRINTER = Client(
    client_id="dpf43f3p2l4k3l03",
    client_secret="kd94hf93k423kf44",
    name="Printer",
    callbacks=("http://printer.example.com/ready",),
)
USER, PASSWORD = "jane", "wonderland"
# Marks in a store: photos was started on it, and the demo data was added to it.
_STARTED, _DEMO_DATA = "started", "demo data"

# The hooks that the store of --nonces answers; the main store answers the others.
_NONCE_HOOKS = (
    "exists_nonce",
    "create_temporary_credential",
    "get_temporary_credential",
    "delete_temporary_credential",
    "create_authorization_verifier",
    "deny_temporary_credential",
    "count_wrong_verifier",
    "get_ended_temporary_credential",
)


@dataclass(frozen=True, slots=True)
class Storage:
    """All data that outlives a request.

    Attributes:
        store: clients and token credentials.
        nonces: nonces and temporary credentials; the same store by default.
        users: users and their sessions.
        has_demo_data: whether the demo user and client were added to this store.
    """

    store: Store
    nonces: TransientStore
    users: Users
    has_demo_data: bool = False

    def register_hooks(self, server: AuthorizationServer, require_oauth: ResourceProtector) -> None:
        """Register the stores' hooks with the provider."""
        if self.nonces is not self.store:
            for name in _NONCE_HOOKS:
                server.register_hook(name, getattr(self.nonces, name))
            require_oauth.register_hook("exists_nonce", self.nonces.exists_nonce)
        server.register_hooks(self.store)
        require_oauth.register_hooks(self.store)

    async def ping(self) -> list[str]:
        """Ask both stores and the users at once; returns the names of those that do not answer.

        A name is an option and the kind of store. The rest of the URL is for the log alone: anyone may ask for health.
        """
        asked: dict[str, list[Awaitable[object]]] = {
            f"--store ({_scheme(self.store)})": [self.store.ping(), self.users.find(USER)]
        }
        if self.nonces is not self.store:
            asked[f"--nonces ({_scheme(self.nonces)})"] = [self.nonces.ping()]
        answers = await asyncio.gather(*(_all_answer(questions) for questions in asked.values()))
        return [name for name, answer in zip(asked, answers, strict=True) if not answer]


async def _all_answer(questions: Sequence[Awaitable[object]]) -> bool:
    results = await asyncio.gather(*questions, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, StoreUnavailableError):
            raise result
    return not any(isinstance(result, StoreUnavailableError) for result in results)


def _scheme(store: TransientStore) -> str:
    return store.url.partition("://")[0]


def check_shared(settings: Settings) -> None:
    """Refuse a store in memory if there are several workers.

    Raises:
        SettingsError: processes cannot share the store.
        StoreError: a URL is invalid.
    """
    for store in (open_store(settings.store), open_store(settings.nonces)):
        if settings.workers > 1 and not store.shared:
            raise SettingsError(f"{store.url}: {settings.workers} workers need a store that processes share")


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """Create missing tables, and connect. Several processes may do so at once.

    Raises:
        StoreError: a store cannot be used.
    """
    store = open_store(settings.store)
    if not isinstance(store, Store):
        raise StoreError(f"{store.url}: this store keeps nonces, but no clients or tokens; choose another --store")
    nonces = store if settings.nonces == settings.store else open_store(settings.nonces)
    await store.migrate()
    await nonces.migrate()
    async with store, nonces:
        users = open_users(settings.store)
        try:
            await users.migrate()
            await _add_demo_data(settings, store, users)
            has_demo_data = await users.is_marked(_DEMO_DATA)
        except StoreUnavailableError as error:
            raise StoreError(f"{store.url}: the store does not answer") from error
        yield Storage(store, nonces, users, has_demo_data)


async def _add_demo_data(settings: Settings, store: Store, users: Users) -> None:
    """Add the demo user and client, at most once per store: their secrets are public, so removing them is final.

    They are added at the first start on loopback, or with --demo-data. A store that was first used without them does
    not get a public password because it is started on loopback later.
    """
    is_first_start = not await users.is_marked(_STARTED)
    wanted = settings.demo_data or (is_first_start and settings.is_local)
    if wanted and not await users.is_marked(_DEMO_DATA):
        # The client first: after a crash in between there is no mark yet, so the next start repeats both steps.
        with suppress(ValueError):  # it is there already: a crash, or another process
            await store.add_client(PRINTER)
        await users.mark(_DEMO_DATA, (USER, await hash_password(PASSWORD)))
    if is_first_start:
        await users.mark(_STARTED)


def open_users(url: str) -> Users:
    """The users in the database of a store.

    Args:
        url: the store's URL; `open_store` has checked it.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "memory":
        return MemoryUsers()
    if scheme.lower() in ("postgres", "postgresql"):
        from .postgres_users import PostgresUsers

        return PostgresUsers(url)
    from .sqlite_users import SQLiteUsers

    return SQLiteUsers(unquote(rest.partition("?")[0][1:], errors="surrogateescape"))
