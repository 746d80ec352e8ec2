"""Every store that keeps clients: requests do not find a disabled client, and its record and its tokens stay."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import AdministersClients, MemoryStore, Store, open_store
from async_oauth1.stores.caching.delegating import DelegatingStore
from tests.servers import Postgres


def administering(store: object) -> AdministersClients:
    """The store, as one for operators."""
    assert isinstance(store, AdministersClients)
    return store


async def test_a_disabled_client_is_not_found(full_store: Store, client: Client) -> None:
    """Look-ups for requests return None, until it is enabled; everything else about it stays."""
    operators = administering(full_store)
    await full_store.add_client(client)
    token = await full_store.issue_token_credential(client.client_id, "jane")
    disabled = replace(client, disabled=True)
    for _ in range(2):
        assert await operators.disable_client(client.client_id) == disabled
    assert await full_store.query_client(client.client_id) is None
    assert (await full_store.query_credentials(client.client_id, token.oauth_token))[0] is None
    assert await operators.find_client(client.client_id) == disabled
    assert await full_store.list_clients() == [disabled]
    assert await full_store.list_token_credentials(client_id=client.client_id) == [token]
    for _ in range(2):
        assert await operators.enable_client(client.client_id) == client
    assert await full_store.query_credentials(client.client_id, token.oauth_token) == (client, token)


async def test_a_disabled_client_can_be_changed(full_store: Store, client: Client) -> None:
    """An edit and a rotation return it, and do not enable it; it may be removed."""
    operators = administering(full_store)
    await full_store.add_client(client)
    await operators.disable_client(client.client_id)
    edited = await full_store.update_client(client.client_id, callbacks=("oob",))
    assert edited == replace(client, disabled=True, callbacks=("oob",))
    rotated = await full_store.rotate_client_secret(client.client_id, overlap=0)
    assert rotated is not None
    assert rotated.disabled
    assert await full_store.query_client(client.client_id) is None
    assert await full_store.remove_client(client.client_id)
    assert await operators.find_client(client.client_id) is None


async def test_a_disabled_client_gets_no_tokens(full_store: Store, client: Client) -> None:
    """Issuing a token to it says why it is refused."""
    await full_store.add_client(replace(client, disabled=True))
    with pytest.raises(ValueError, match=f"client {client.client_id} is disabled; enable it first"):
        await full_store.issue_token_credential(client.client_id, "jane")


async def test_unknown_clients(full_store: Store) -> None:
    """The answer for an unknown identifier is None, whatever the identifier is."""
    operators = administering(full_store)
    for name in ("", "unknown", "a\0b", "\ud800"):
        for method in (operators.disable_client, operators.enable_client, operators.find_client):
            assert await method(name) is None


async def test_a_cache_in_another_process_hears_of_it(postgres: Postgres, client: Client) -> None:
    """A store with a cache refuses a client that another store has disabled, and finds it when it is enabled."""
    postgres.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await open_store(postgres.url).migrate()
    cached: Any = open_store(f"{postgres.url}{'&' if '?' in postgres.url else '?'}cache=100")
    other: Any = open_store(postgres.url)
    async with cached, other:
        await other.add_client(client)
        assert await cached.query_client(client.client_id) == client
        await administering(other).disable_client(client.client_id)
        while cached.peek(client.client_id, None) == (client, None):
            await asyncio.sleep(0.01)
        assert await cached.query_client(client.client_id) is None
        await administering(cached).enable_client(client.client_id)
        assert await cached.query_client(client.client_id) == client


async def test_a_delegating_store_passes_them_on(client: Client) -> None:
    """A wrapped store is asked; one of a class without the methods is named in the error."""
    store = MemoryStore()
    wrapped = administering(DelegatingStore(store))
    await store.add_client(client)
    assert await wrapped.disable_client(client.client_id) == await wrapped.find_client(client.client_id)
    assert (await wrapped.page_clients()).items == [replace(client, disabled=True)]
    assert (await wrapped.page_token_credentials()).items == []
    assert await wrapped.enable_client(client.client_id) == client
    without: Any = type("Own", (), {"url": "own://", "shared": True})()
    with pytest.raises(NotImplementedError, match="Own does not disable clients; see AdministersClients"):
        await DelegatingStore(without).disable_client(client.client_id)
