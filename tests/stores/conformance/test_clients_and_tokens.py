"""Every store: clients and token credentials are read as they were stored, by their own client only."""

from __future__ import annotations

import asyncio

import pytest

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.protocol.rsa_keys import StoredKey
from async_oauth1.stores import Store
from tests.keys import RSA_PUBLIC_KEY

FULL = Client(
    client_id="full",
    client_secret="sécret 😀",
    overlapping_secrets=("old", "older"),
    name='Ünï "quoted" <b>',
    callbacks=("http://a.example/cb?x=1", "oob", "com.example.app:/done"),
    signature_methods=("RSA-SHA256", "HMAC-SHA512"),
    rsa_public_key=RSA_PUBLIC_KEY,
    nonce_policy="log-only",
    callback_query_may_differ=True,
    tolerances=("loose_base64", "timestamp_window=3600"),
)


@pytest.mark.parametrize("record", [FULL, Client(client_id="bare")])
async def test_every_attribute_of_a_client_survives(full_store: Store, record: Client) -> None:
    """All attributes of a client are read as they were stored."""
    await full_store.add_client(record)
    assert await full_store.query_client(record.client_id) == record
    assert await full_store.query_credentials(record.client_id, "none") == (record, None)
    assert await full_store.list_clients() == [record]


async def test_a_client_with_a_refused_key_can_be_used(full_store: Store, client: Client) -> None:
    """A client with a stored RSA key that is now refused can still be looked up, listed and rotated, as can others."""
    old = Client(client_id="old", client_secret="secret", rsa_public_key=StoredKey("no key"))
    await full_store.add_client(client)
    await full_store.add_client(old)
    assert await full_store.query_client("old") == old
    assert await full_store.query_credentials("old", "none") == (old, None)
    assert {record.client_id for record in await full_store.list_clients()} == {"old", client.client_id}
    rotated = await full_store.rotate_client_secret("old", overlap=60)
    assert rotated is not None
    assert rotated.rsa_public_key == "no key"
    assert await full_store.query_client("old") == rotated


async def test_a_taken_client_id_is_refused(full_store: Store, client: Client) -> None:
    """Of twenty registrations with the same identifier, one succeeds and is not overwritten."""
    records = [Client(client_id="same", client_secret=f"secret{number}") for number in range(20)]
    results = await asyncio.gather(*(full_store.add_client(record) for record in records), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert all(result is None or "is taken" in str(result) for result in results)
    assert await full_store.query_client("same") == records[results.index(None)]


async def test_unknown_clients_and_tokens_are_none(full_store: Store, client: Client) -> None:
    """A look-up of an unknown name returns None, whatever the name is."""
    await full_store.add_client(client)
    for name in ("", "unknown", "a\0b", "\ud800", "é" * 10_000, "DPF43F3P2L4K3L03", "dpf43f3p2l4k3l03 ", "%", "_"):
        assert await full_store.query_client(name) is None
        assert await full_store.query_token(name, name) is None
        assert await full_store.query_credentials(name, name) == (None, None)
        assert await full_store.remove_client(name) is False
        assert await full_store.revoke_token_credential(name) is False
        assert await full_store.list_token_credentials(user_id=name) == []
    assert await full_store.list_clients() == [client]


async def _token(full_store: Store, approved, name: str, client_id: str) -> TokenCredential:
    credential = await approved(f"temporary-{name}", client_id)
    token = await full_store.create_token_credential({"oauth_token": name, "oauth_token_secret": "s"}, credential)
    assert token.client_id == client_id
    return token


async def test_a_token_works_only_for_its_client(full_store: Store, client: Client, approved) -> None:
    """A token is unknown if another client uses it."""
    other = Client(client_id="other", client_secret="s")
    await full_store.add_client(client)
    await full_store.add_client(other)
    token = await _token(full_store, approved, "token", client.client_id)
    assert await full_store.query_token(client.client_id, "token") == token
    assert await full_store.query_credentials(client.client_id, "token") == (client, token)
    assert await full_store.query_token("other", "token") is None
    assert await full_store.query_credentials("other", "token") == (other, None)
    assert await full_store.query_credentials("unknown", "token") == (None, None)


async def test_a_token_needs_a_user(full_store: Store, pending) -> None:
    """Undecided temporary credentials cannot become token credentials."""
    with pytest.raises(TypeError):
        await full_store.create_token_credential({"oauth_token": "t", "oauth_token_secret": "s"}, await pending())
    assert await full_store.list_token_credentials() == []


async def test_a_taken_token_is_refused(full_store: Store, approved) -> None:
    """A token that is generated twice does not replace the first one."""
    token = await _token(full_store, approved, "token", "client")
    with pytest.raises(ValueError, match="oauth_token is taken"):
        await full_store.create_token_credential({"oauth_token": "token", "oauth_token_secret": "x"}, await approved())
    assert await full_store.list_token_credentials() == [token]


async def test_tokens_are_listed_by_user_and_by_client(full_store: Store, approved, clock) -> None:
    """Tokens are listed oldest first, by user, by client, or by both."""
    first = await _token(full_store, approved, "z", "one")
    clock.advance(1)
    second = await _token(full_store, approved, "a", "two")
    assert await full_store.list_token_credentials() == [first, second]
    assert await full_store.list_token_credentials(user_id="jane") == [first, second]
    assert await full_store.list_token_credentials(client_id="two") == [second]
    assert await full_store.list_token_credentials(user_id="jane", client_id="one") == [first]
    assert await full_store.list_token_credentials(user_id="john", client_id="one") == []


@pytest.mark.rfc5849("2/revocation")
async def test_users_revoke_only_their_own_tokens(full_store: Store, approved) -> None:
    """A user cannot revoke another user's token; a revoked token is unknown at once."""
    await _token(full_store, approved, "token", "client")
    assert await full_store.revoke_token_credential("token", user_id="mallory") is False
    assert await full_store.query_token("client", "token") is not None
    revoked = await asyncio.gather(*(full_store.revoke_token_credential("token", user_id="jane") for _ in range(20)))
    assert revoked.count(True) == 1
    assert await full_store.query_token("client", "token") is None


async def test_an_operator_revokes_any_token(full_store: Store, approved) -> None:
    """Without a user, any token can be revoked."""
    await _token(full_store, approved, "token", "client")
    assert await full_store.revoke_token_credential("token") is True
    assert await full_store.revoke_token_credential("token") is False


async def test_removing_a_client_removes_its_credentials(full_store: Store, client: Client, approved, pending) -> None:
    """Removing a client removes its tokens and temporary credentials, but not those of other clients."""
    await full_store.add_client(client)
    await _token(full_store, approved, "token", client.client_id)
    await pending("pending")
    kept = await _token(full_store, approved, "kept", "other")
    assert await full_store.remove_client(client.client_id) is True
    assert await full_store.remove_client(client.client_id) is False
    assert await full_store.query_client(client.client_id) is None
    assert await full_store.query_token(client.client_id, "token") is None
    assert await full_store.get_temporary_credential("pending") is None
    assert await full_store.list_token_credentials() == [kept]


@pytest.mark.parametrize("bad", ["a\0b", "\ud800"])
async def test_a_client_that_cannot_be_stored_is_refused(full_store: Store, bad: str) -> None:
    """Text with a NUL or a lone surrogate is refused with a ValueError, and nothing is stored."""
    for record in (Client(client_id="c", name=bad), Client(client_id="c", overlapping_secrets=(bad,))):
        with pytest.raises(ValueError, match="holds a NUL"):
            await full_store.add_client(record)
    assert await full_store.list_clients() == []
