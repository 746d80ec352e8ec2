"""``peek`` returns what a look-up returns, whenever no waiting is needed; and ``None`` otherwise."""

from __future__ import annotations

import time

import pytest

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores import MemoryStore
from async_oauth1.stores.caching import CachingStore
from tests.protocol.wire import Signer

from .test_caching import FakeChangeFeed, SlowStore

PRINTER = Client(client_id="printer", client_secret="s")
SIGNER = Signer("printer", "s", "token", "t")


async def filled(store: MemoryStore) -> TokenCredential:
    """Register the printer, and give it a token."""
    await store.add_client(PRINTER)
    token = TokenCredential(oauth_token="token", oauth_token_secret="t", client_id="printer", user_id="jane")
    return store._tokens.add(token)


async def test_a_cache_peeks_at_what_it_holds() -> None:
    """Only what is cached, and only while changes would be reported; absence is cached as well."""
    inner, feed = SlowStore(), FakeChangeFeed()
    token = await filled(inner)
    async with CachingStore(inner, feed) as store:
        assert store.peek("printer", "token") is None
        assert await store.query_credentials("printer", "token") == (PRINTER, token)
        assert store.peek("printer", "token") == (PRINTER, token)
        assert store.peek("printer", None) == (PRINTER, None)
        assert store.peek("printer", "other") is None
        await store.query_credentials("printer", "other")
        assert store.peek("printer", "other") == (PRINTER, None)
        feed.current = False
        assert store.peek("printer", "token") is None
        feed.current = True
        await store.revoke_token_credential("token")
        assert store.peek("printer", "token") is None


async def test_a_protector_asks_the_store_once() -> None:
    """With a cache, only the first request of a token waits for the store; a revocation counts at once."""
    inner = SlowStore()
    await filled(inner)
    async with CachingStore(inner, FakeChangeFeed()) as store:
        protector = ResourceProtector(Policy(), clock=lambda: 1_700_000_000.0)
        protector.register_hook("query_credentials", store.query_credentials)
        protector.register_hooks(store)
        inner.clock = lambda: 1_700_000_000.0
        for nonce in ("a", "b", "c"):
            await protector.validate_request(SIGNER.wire(oauth_nonce=nonce).read())
        assert inner.asked == [("printer", "token")]
        await store.revoke_token_credential("token")
        with pytest.raises(OAuth1Error, match="signature"):
            await protector.validate_request(SIGNER.wire(oauth_nonce="d").read())
        assert len(inner.asked) == 2


async def test_the_memory_store_always_answers() -> None:
    """It never waits: ``peek`` and the look-ups return the same, also for rotated secrets and expired tokens."""
    store = MemoryStore()
    await filled(store)
    await store.rotate_client_secret("printer", overlap=100)
    now = time.time()
    for ahead in (0, 101):
        store.clock = lambda ahead=ahead: now + ahead
        for client_id, token in (("printer", "token"), ("printer", "x"), ("x", "token"), ("x", "x")):
            assert store.peek(client_id, token) == (
                await store.query_client(client_id),
                await store.query_token(client_id, token),
            )
            assert store.peek(client_id, None) == (await store.query_client(client_id), None)
