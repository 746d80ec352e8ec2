"""Every store keeps the scope that a client asks for, and hands on the one that the resource owner grants."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.stores import Store, TransientStore
from async_oauth1.stores.caching.delegating import DelegatingStore

TEMPORARY = {"oauth_token": "hh5s93j4hdidpola", "oauth_token_secret": "hdhd0244k9j7ao03"}
TOKEN = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"}
CALLBACK = "http://printer.example.com/ready"


async def _asked(store: TransientStore, scope: str) -> TemporaryCredential:
    return await store.create_temporary_credential(TEMPORARY, "dpf43f3p2l4k3l03", CALLBACK, scope=scope)


async def _granted(store: TransientStore, asked: TemporaryCredential, scope: str) -> TemporaryCredential:
    assert await store.create_authorization_verifier(asked, "jane", "hfdp7dh39dks9884", scope=scope)
    found = await store.get_temporary_credential(asked.oauth_token)
    assert found is not None
    return found


async def test_what_the_client_asks_for_is_found_and_grants_nothing(store: TransientStore) -> None:
    """The requested scope is read as it was written; the granted one is empty until the user decides."""
    asked = await _asked(store, "photos.read photos.write")
    found = await store.get_temporary_credential(asked.oauth_token)
    assert found == asked
    assert (found.requested_scope, found.scope) == ("photos.read photos.write", "")


async def test_the_grant_is_what_was_granted(store: TransientStore) -> None:
    """It may be less than the client asked for, and does not change what the client asked for."""
    credential = await _granted(store, await _asked(store, "photos.read photos.write"), "photos.read")
    assert (credential.requested_scope, credential.get_scope()) == ("photos.read photos.write", "photos.read")


async def test_without_a_scope_none_is_granted(store: TransientStore) -> None:
    """An approval that names no scope grants none, whatever the client asked for."""
    asked = await _asked(store, "photos.read")
    assert await store.create_authorization_verifier(asked, "jane", "hfdp7dh39dks9884")
    found = await store.get_temporary_credential(asked.oauth_token)
    assert found is not None
    assert found.scope == ""


async def test_a_second_approval_does_not_widen_the_first(store: TransientStore) -> None:
    """The first scope stays."""
    credential = await _granted(store, await _asked(store, ""), "photos.read")
    await store.create_authorization_verifier(credential, "jane", "another", scope="photos.write")
    found = await store.get_temporary_credential(credential.oauth_token)
    assert found is not None
    assert found.scope == "photos.read"


@pytest.mark.parametrize("scope", ["photos.read", ""])
async def test_the_exchange_hands_the_scope_on(full_store: Store, scope: str) -> None:
    """The new token credentials have it, as returned and as stored."""
    credential = await _granted(full_store, await _asked(full_store, "photos.write"), scope)
    made = await full_store.exchange(credential, TOKEN)
    assert made is not None
    assert made.scope == scope
    assert await full_store.query_token("dpf43f3p2l4k3l03", TOKEN["oauth_token"]) == made


async def test_the_exchange_takes_the_scope_from_the_store(full_store: Store) -> None:
    """A record that was read before the approval, or was made up, does not decide the scope."""
    asked = await _asked(full_store, "photos.write")
    await _granted(full_store, asked, "photos.read")
    made = await full_store.exchange(asked, TOKEN)
    assert made is not None
    assert made.scope == "photos.read"


async def test_concurrent_exchanges_give_one_token_with_the_scope(full_store: Store) -> None:
    """Of several at once, one succeeds, and it has the scope."""
    credential = await _granted(full_store, await _asked(full_store, ""), "photos.read")
    tokens = [{"oauth_token": f"{TOKEN['oauth_token']}{n}", "oauth_token_secret": "secret"} for n in range(5)]
    made = await asyncio.gather(*(full_store.exchange(credential, token) for token in tokens))
    assert [token.scope for token in made if token is not None] == ["photos.read"]


async def test_credentials_of_another_store_bring_their_scope(full_store: Store) -> None:
    """With temporary credentials in one store and tokens in another, the scope is taken from the record."""
    temporary = TemporaryCredential(
        oauth_token="t",
        oauth_token_secret="s",
        client_id="dpf43f3p2l4k3l03",
        oauth_callback="oob",
        user_id="jane",
        decided=True,
        requested_scope="photos.write",
        scope="photos.read",
    )
    assert (await full_store.create_token_credential(TOKEN, temporary)).scope == "photos.read"


async def test_a_model_without_scopes_gives_none(full_store: Store) -> None:
    """An application's own model of temporary credentials needs no `get_scope`."""

    class Own:
        def get_client_id(self) -> str:
            return "dpf43f3p2l4k3l03"

        def get_user_id(self) -> str:
            return "jane"

    assert (await full_store.create_token_credential(TOKEN, Own())).scope == ""


async def test_a_generator_sets_the_scope_if_none_is_granted(full_store: Store) -> None:
    """A token generator may return a scope; what the user granted comes first."""
    generated = {**TOKEN, "scope": "photos.list"}
    credential = await _granted(full_store, await _asked(full_store, ""), "")
    made = await full_store.exchange(credential, generated)
    assert made is not None
    assert made.scope == "photos.list"
    asked = await _asked(full_store, "")
    credential = await _granted(full_store, asked, "photos.read")
    made = await full_store.exchange(credential, {**generated, "oauth_token": "another"})
    assert made is not None
    assert made.scope == "photos.read"


async def test_a_store_in_front_hands_scopes_on(full_store: Store) -> None:
    """`DelegatingStore`, the base of `CachingStore`, carries them as the store behind it does."""
    store = DelegatingStore(full_store)
    credential = await _granted(store, await _asked(store, "photos.write"), "photos.read")
    assert credential.requested_scope == "photos.write"
    made = await store.exchange(credential, TOKEN)
    assert made is not None
    assert made.scope == "photos.read"


async def test_a_store_in_front_of_one_without_scopes(full_store: Store) -> None:
    """It works as before; what the client asks for is dropped, and a scope cannot be granted."""

    class WithoutScopes(DelegatingStore):
        async def create_temporary_credential(self, token: Any, client_id: Any, redirect_uri: Any) -> Any:  # type: ignore[override]
            return await super().create_temporary_credential(token, client_id, redirect_uri)

        async def create_authorization_verifier(self, credential: Any, user: Any, verifier: Any) -> Any:  # type: ignore[override]
            return await super().create_authorization_verifier(credential, user, verifier)

    behind: Any = WithoutScopes(full_store)
    store = DelegatingStore(behind)
    asked = await _asked(store, "photos.write")
    with pytest.raises(TypeError, match="scope"):
        await store.create_authorization_verifier(asked, "jane", "verifier", scope="photos.read")
    assert (await _granted(store, asked, "")).requested_scope == ""


async def test_a_scope_that_cannot_be_stored_is_refused(store: TransientStore) -> None:
    """A NUL character is a `ValueError`, and nothing is kept or decided."""
    with pytest.raises(ValueError, match="scope"):
        await _asked(store, "photos\0")
    assert await store.get_temporary_credential(TEMPORARY["oauth_token"]) is None
    asked = await _asked(store, "")
    with pytest.raises(ValueError, match="scope"):
        await store.create_authorization_verifier(asked, "jane", "verifier", scope="photos\0")
    found: Any = await store.get_temporary_credential(asked.oauth_token)
    assert not found.decided
