"""Hooks that are slow, asynchronous, careless or broken: nothing is accepted that they did not say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import StoreUnavailableError
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import CLIENT, OTHER, Provider, add_credentials, make_provider
from tests.attacks.signer import sign

HOST = (b"host", b"provider.example")


async def test_async_hooks_and_models_are_awaited() -> None:
    """A coroutine that would say False is not taken for true: not the take, not the verifier, not the nonce."""

    class Slowly:
        """A model whose every method is a coroutine function."""

        def __init__(self, model: Any) -> None:
            self.model = model

        def __getattr__(self, name: str) -> Any:
            attribute = getattr(self.model, name)
            if not callable(attribute):
                return attribute

            async def method(*args: Any) -> Any:
                await asyncio.sleep(0)
                return attribute(*args)

            return method

    store = MemoryStore()
    await add_credentials(store)

    class Wrapping:
        def __getattr__(self, name: str) -> Any:
            hook = getattr(store, name)
            if name == "exchange":
                raise AttributeError(name)
            if not name.startswith(("query_client", "query_token", "get_temporary")):
                return hook

            async def wrapped(*args: Any) -> Any:
                found = await hook(*args)
                return None if found is None else Slowly(found)

            return wrapped

    wrapping = Wrapping()
    provider = await make_provider(wrapping)
    provider.store.store = store
    keys = await provider.temporary()
    assert (await provider.exchange(keys, "wrong")).error == "invalid_verifier"
    verifier = await provider.verifier(keys)
    assert (await provider.exchange(keys, "wrong")).error == "invalid_verifier"
    assert (await provider.exchange(keys, verifier, signature=b"x")).status == 401
    assert (await provider.exchange(keys, verifier)).status == 200
    assert (await provider.exchange(keys, verifier)).status == 401
    assert len(await provider.tokens()) == 1
    message = sign(CLIENT, "GET", "/signed")
    assert [(await provider.send(message)).status for _ in range(2)] == [200, 401]


async def test_a_check_verifier_that_returns_something_is_no_proof(provider: Provider) -> None:
    """A model that forgets to compare, and returns the verifier, proves nothing."""
    keys = await provider.temporary()
    await provider.verifier(keys)
    inner = provider.store.store

    class Careless:
        def __init__(self, model: Any) -> None:
            self.model = model

        def __getattr__(self, name: str) -> Any:
            return getattr(self.model, name)

        def check_verifier(self, verifier: str) -> Any:
            return self.model.oauth_verifier

    async def get_temporary_credential(token: str) -> Careless:
        return Careless(await inner.get_temporary_credential(token))

    provider.server.register_hook("get_temporary_credential", get_temporary_credential)
    assert (await provider.exchange(keys, "wrong")).error == "invalid_verifier"
    assert await provider.tokens() == []


@pytest.mark.parametrize("failure", [ConnectionRefusedError, TimeoutError, OSError, StoreUnavailableError])
async def test_a_store_that_cannot_be_asked_accepts_nothing(failure: type[Exception]) -> None:
    """Whichever hook fails: 503 with Retry-After, never "the nonce was not seen"."""

    async def broken(*_: Any) -> Any:
        raise failure

    for name in ("query_client", "query_token", "query_credentials", "exists_nonce"):
        provider = await make_provider()
        provider.require_oauth.register_hook(name, broken)
        answer = await provider.get()
        assert (answer.status, answer.header("retry-after")) == (503, "1")
        assert answer.error == "temporarily_unavailable"
        assert provider.seen == []
    for name in ("query_client", "get_temporary_credential", "exists_nonce", "exchange"):
        provider = await make_provider()
        keys = await provider.temporary()
        verifier = await provider.verifier(keys)
        provider.server.register_hook(name, broken)
        answer = await provider.exchange(keys, verifier)
        assert (answer.status, answer.error) == (503, "temporarily_unavailable")
        assert answer.header("retry-after") == "1"
        assert await provider.tokens() == []


async def test_if_the_token_cannot_be_kept_the_temporary_credential_stays_spent() -> None:
    """Take first, then create: a failure between costs a new dance, and never gives two tokens."""
    provider = await make_provider()
    inner = provider.store.store

    async def broken(*_: Any) -> Any:
        raise TimeoutError

    class TwoSteps:
        exchange = None

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    provider = await make_provider(TwoSteps())
    provider.store.store = inner
    provider.server.register_hook("create_token_credential", broken)
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    assert (await provider.exchange(keys, verifier)).status == 503
    provider.server.register_hook("create_token_credential", inner.create_token_credential)
    assert (await provider.exchange(keys, verifier)).status == 401
    assert await provider.tokens() == []


async def test_a_hook_that_ignores_whose_token_it_is_lets_nobody_in(provider: Provider) -> None:
    """A look-up by token alone returns another client's credential; the protector does not take it."""
    store = provider.store.store

    async def query_token(client_id: str, oauth_token: str) -> Any:
        return await store.query_token("client", oauth_token)

    async def query_credentials(client_id: str, oauth_token: str) -> Any:
        return await store.query_client(client_id), await query_token(client_id, oauth_token)

    thief = replace(OTHER, token="tok", token_secret="toksecret")
    provider.require_oauth.register_hook("query_token", query_token)
    for target in ("/echo", "/signed"):
        assert (await provider.get(target, keys=thief)).error == "invalid_signature"
    provider.require_oauth.register_hook("query_credentials", query_credentials)
    for target in ("/echo", "/signed"):
        assert (await provider.get(target, keys=thief)).error == "invalid_signature"
    assert not provider.store.written
    assert (await provider.get()).status == 200
