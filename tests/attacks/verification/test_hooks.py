"""Slow, asynchronous, wrong or failing hooks never cause a request to be accepted."""

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
    """If a hook or a model's method is a coroutine function, its result decides, and not the coroutine object."""

    class Slowly:
        """Turn every method of a model into a coroutine function."""

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


async def test_check_verifier_must_return_true(provider: Provider) -> None:
    """A model that returns the verifier instead of comparing it does not prove anything."""
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
async def test_a_failing_hook_is_503(failure: type[Exception]) -> None:
    """If a hook fails, the answer is 503 with Retry-After; the request is never accepted."""

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


async def test_if_the_token_cannot_be_stored_the_temporary_credential_is_used_up() -> None:
    """It is deleted before the token is created, so a failure in between never leads to two tokens."""
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


async def test_a_hook_that_ignores_the_client_does_not_accept_another_clients_token(provider: Provider) -> None:
    """If a look-up returns another client's credential, the protector refuses it."""
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
