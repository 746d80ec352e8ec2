"""Every store: clicks at the same moment, through several servers, have the result of the first one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from async_oauth1 import AuthorizationServer, OAuth1Error, TemporaryCredential
from async_oauth1.credentials import Client
from async_oauth1.stores import Store, TransientStore
from tests.protocol.wire import Wire
from tests.stores.conftest import open_kind


def serve(store: TransientStore, client: Client) -> AuthorizationServer:
    """A server over a store, with one client."""

    async def query_client(client_id: str) -> Client:
        return client

    async def create_token_credential(*_: object) -> None:
        raise AssertionError

    server = AuthorizationServer(query_client=query_client, create_token_credential=create_token_credential)
    server.register_hooks(store)
    return server


async def decide(server: AuthorizationServer, user: object) -> Any:
    """The decision, or the status of a refusal."""
    wire = Wire(raw_path=b"/authorize", raw_query=b"oauth_token=hh5s93j4hdidpola")
    try:
        return await server.authorize(wire.read(), user)
    except OAuth1Error as error:
        return error.status_code


@pytest_asyncio.fixture
async def servers(
    store: TransientStore, kind: str, request: pytest.FixtureRequest, client: Client, clock: Any
) -> AsyncIterator[list[AuthorizationServer]]:
    """Two servers, each with connections of its own if processes can share the store."""
    async with AsyncExitStack() as stack:
        stores = [store, store]
        if store.shared:
            url: str = request.getfixturevalue("url")
            stores[1] = await stack.enter_async_context(open_kind(url, clock=clock))
        yield [serve(each, client) for each in stores]


async def test_twenty_clicks_have_one_result(servers: list[AuthorizationServer], pending: Any) -> None:
    """Each click gets the same redirect, whichever server it reaches."""
    await pending()
    decisions = await asyncio.gather(*(decide(server, "jane") for server in servers * 10))
    assert len(set(decisions)) == 1
    assert decisions[0].verifier in decisions[0].location


async def test_another_user_and_another_answer_are_refused(servers: list[AuthorizationServer], pending: Any) -> None:
    """Of different answers at the same moment one counts, and its user alone gets it again."""
    await pending()
    users = ["jane", "mallory", None]
    decisions = await asyncio.gather(*(decide(server, user) for server in servers * 3 for user in users))
    by_user: dict[str | None, set[Any]] = {user: set(decisions[place::3]) for place, user in enumerate(users)}
    winners = [user for user, results in by_user.items() if not results <= {401, 409}]
    assert len(winners) == 1
    if winners != [None]:
        assert len(by_user[winners[0]]) == 1
        assert await decide(servers[0], winners[0]) in by_user[winners[0]]


async def test_afterwards_nothing_is_repeated(full_store: Store, client: Client, pending: Any, clock: Any) -> None:
    """Exchanged, consumed and expired credentials stay refused."""
    server = serve(full_store, client)
    await pending()
    await decide(server, "jane")
    found = await full_store.get_temporary_credential("hh5s93j4hdidpola")
    assert isinstance(found, TemporaryCredential)
    assert await full_store.exchange(found, {"oauth_token": "t", "oauth_token_secret": "s"})
    assert await decide(server, "jane") == 401
    for end in (full_store.delete_temporary_credential, lambda _: asyncio.sleep(0, clock.advance(601))):
        await pending()
        await decide(server, "jane")
        await end("hh5s93j4hdidpola")
        assert await decide(server, "jane") == 401
