"""The fixtures of a store, a client, a token and an approved dance work together, and go by the clock that is moved."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from async_oauth1 import AuthorizationServer, Client, Policy, ResourceProtector, TemporaryCredential, TokenCredential
from async_oauth1.asgi import OAuth1Middleware, authorization_endpoints
from async_oauth1.stores import Store
from async_oauth1.testing import Clock, SignedAuth, issue_token, register_client
from tests.testing.test_fixture import arguments

pytest_plugins = ["pytester"]


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_signed_request(
    oauth1_store: Store, oauth1_client: Client, oauth1_token: TokenCredential, oauth1_clock: Clock
) -> None:
    """A request is accepted; after its timestamp has become too old, one with a moved clock is."""
    protector = ResourceProtector(clock=oauth1_clock)
    protector.register_hooks(oauth1_store)
    app: Any = OAuth1Middleware(_answer, protector, ["/"])
    auth = SignedAuth.of(oauth1_client, oauth1_token, clock=oauth1_clock)
    fixed = SignedAuth.of(oauth1_client, oauth1_token, clock=Clock(oauth1_clock.now))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://a.example") as client:
        assert (await client.get("/", auth=auth)).status_code == 200
        oauth1_clock.advance(Policy().timestamp_window + 1)
        assert (await client.get("/", auth=fixed)).status_code == 401
        assert (await client.get("/", auth=auth)).status_code == 200


async def test_an_approved_dance(
    oauth1_store: Store, oauth1_client: Client, oauth1_approved: TemporaryCredential, oauth1_clock: Clock
) -> None:
    """The client exchanges what the user has approved."""
    server = AuthorizationServer(clock=oauth1_clock)
    server.register_hooks(oauth1_store)
    auth = SignedAuth.of(
        oauth1_client,
        oauth1_approved,
        clock=oauth1_clock,
        parameters={"oauth_verifier": str(oauth1_approved.oauth_verifier)},
    )
    app: Any = authorization_endpoints(server)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://a.example") as client:
        assert (await client.post("/token", auth=auth)).status_code == 200
    [token] = await oauth1_store.list_token_credentials()
    assert (token.client_id, token.user_id) == (oauth1_client.client_id, "alice")


async def test_more_credentials(oauth1_store: Store) -> None:
    """A test can make further clients and tokens, with attributes of its own."""
    client = await register_client(oauth1_store, name="Second", callbacks=("oob",))
    token = await issue_token(oauth1_store, client, "bob", scope="photos.read")
    assert (client.name, token.user_id, token.scope) == ("Second", "bob", "photos.read")
    assert await oauth1_store.query_token(client.client_id, token.oauth_token) == token


OTHER_STORE = """
import asyncio
import pytest
from async_oauth1.stores.memory import MemoryStore

class Slow(MemoryStore):
    async def add_client(self, client):
        await asyncio.sleep(0)

@pytest.fixture
def oauth1_store(oauth1_clock):
    return Slow(clock=oauth1_clock)

def test_it(oauth1_client):
    raise AssertionError
"""


def test_a_store_that_needs_an_event_loop(pytester: pytest.Pytester) -> None:
    """The error names the fixture to define."""
    pytester.makepyfile(OTHER_STORE)
    result = pytester.runpytest_subprocess(*arguments())
    result.stdout.fnmatch_lines(["*oauth1_client needs a store in memory*define an async fixture*"])
