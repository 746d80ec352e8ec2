"""Every store that keeps credentials: issuing, rotating, revoking and expiry."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from async_oauth1.credentials import Client
from async_oauth1.policy import Policy
from async_oauth1.stores import Store
from async_oauth1.stores.lifecycle import MAX_OVERLAPPING_SECRETS
from tests.keys import RSA_PUBLIC_KEY

TOKEN = {"oauth_token": "nnch734d00sl2jdk", "oauth_token_secret": "pfkkdhi9sl3r4s00"}


async def test_tokens_are_issued_without_a_flow(full_store: Store, client: Client, clock) -> None:
    """Issued tokens have the given client, user, scope and time, and long unique secrets."""
    await full_store.add_client(client)
    tokens = [await full_store.issue_token_credential(client.client_id, "jane", scope="photos.read") for _ in range(3)]
    for token in tokens:
        assert (token.user_id, token.scope, token.created_at, token.expires_at) == (
            "jane", "photos.read", clock.now, None,
        )  # fmt: skip
        assert await full_store.query_credentials(client.client_id, token.oauth_token) == (client, token)
    assert len({token.oauth_token for token in tokens} | {token.oauth_token_secret for token in tokens}) == 6
    assert all(len(token.oauth_token) >= 32 and len(token.oauth_token_secret) >= 32 for token in tokens)


async def test_invalid_issues_are_refused(full_store: Store, client: Client) -> None:
    """An unknown client, a missing user or an invalid lifetime is refused, and nothing is stored."""
    await full_store.add_client(client)
    for client_id in ("unknown", "a\0b", "\ud800", ""):
        with pytest.raises(ValueError, match="there is no client"):
            await full_store.issue_token_credential(client_id, "jane")
    for user, scope, lifetime in (("", "", None), ("a\0b", "", None), ("jane", "\ud800", None), ("jane", "", 0.0)):
        with pytest.raises(ValueError, match=r"NUL|empty|lifetime"):
            await full_store.issue_token_credential(client.client_id, user, scope=scope, lifetime=lifetime)
    for lifetime in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="lifetime is a number of seconds"):
            await full_store.issue_token_credential(client.client_id, "jane", lifetime=lifetime)
    with pytest.raises(TypeError):
        await full_store.issue_token_credential(client.client_id, None)
    assert await full_store.list_token_credentials() == []


async def test_an_expired_token_is_unknown(full_store: Store, client: Client, clock) -> None:
    """A token is valid until it expires; then it is not found, not listed, and cannot be revoked."""
    await full_store.add_client(client)
    brief = await full_store.issue_token_credential(client.client_id, "jane", lifetime=60)
    lasting = await full_store.issue_token_credential(client.client_id, "jane")
    clock.advance(59.5)
    assert await full_store.query_token(client.client_id, brief.oauth_token) == brief
    clock.advance(0.5)
    assert await full_store.query_token(client.client_id, brief.oauth_token) is None
    assert await full_store.query_credentials(client.client_id, brief.oauth_token) == (client, None)
    assert await full_store.list_token_credentials(user_id="jane") == [lasting]
    assert await full_store.revoke_token_credential(brief.oauth_token) is False
    assert await full_store.revoke_token_credentials(user_id="jane") == 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_policy_gives_tokens_their_lifetime(full_store: Store, approved, clock, at_once: bool) -> None:
    """Tokens from an exchange expire as the policy says; a later policy without a lifetime does not change that."""
    full_store.prepare(Policy(token_credential_lifetime=3600))
    full_store.prepare(Policy())
    credential = await approved()
    make = full_store.exchange(credential, TOKEN) if at_once else full_store.create_token_credential(TOKEN, credential)
    token = await make
    assert token is not None
    assert token.expires_at == clock.now + 3600
    assert await full_store.query_token(token.client_id, token.oauth_token) == token


async def test_a_rotated_secret_overlaps(full_store: Store, client: Client, clock) -> None:
    """Both secrets verify until the overlap ends, the new one first; each former secret has its own end."""
    await full_store.add_client(client)
    first = await full_store.rotate_client_secret(client.client_id, overlap=60)
    assert first is not None
    assert first.get_client_secrets() == (first.client_secret, client.client_secret)
    assert first.overlaps_end_at == (clock.now + 60,)
    assert replace(first, client_secret=client.client_secret, overlapping_secrets=(), overlaps_end_at=()) == client
    clock.advance(30)
    second = await full_store.rotate_client_secret(client.client_id, overlap=60)
    assert second is not None
    assert second.get_client_secrets() == (second.client_secret, first.client_secret, client.client_secret)
    assert await full_store.query_client(client.client_id) == second
    clock.advance(30)
    found = await full_store.query_client(client.client_id)
    assert found is not None
    assert found.get_client_secrets() == (second.client_secret, first.client_secret)
    clock.advance(30)
    for found in (
        await full_store.query_client(client.client_id),
        (await full_store.query_credentials(client.client_id, "none"))[0],
        *await full_store.list_clients(),
    ):
        assert found is not None
        assert found.get_client_secrets() == (second.client_secret,)
        assert found.overlaps_end_at == ()


async def test_without_an_overlap_nothing_else_verifies(full_store: Store, client: Client) -> None:
    """Without an overlap, the current secret and all former ones end at once."""
    await full_store.add_client(replace(client, overlapping_secrets=("older",)))
    assert (await full_store.rotate_client_secret(client.client_id, overlap=1000) or client).overlapping_secrets
    new = await full_store.rotate_client_secret(client.client_id, overlap=0)
    assert new is not None
    assert await full_store.query_client(client.client_id) == new
    assert new.get_client_secrets() == (new.client_secret,)


async def test_concurrent_rotations_lose_no_secret(full_store: Store, client: Client) -> None:
    """Each of several concurrent rotations returns a secret that verifies afterwards."""
    await full_store.add_client(client)
    rotations = (full_store.rotate_client_secret(client.client_id, overlap=60) for _ in range(MAX_OVERLAPPING_SECRETS))
    told = await asyncio.gather(*rotations)
    found = await full_store.query_client(client.client_id)
    assert found is not None
    assert {new.client_secret for new in told if new} | {client.client_secret} == set(found.get_client_secrets())


async def test_invalid_rotations_are_refused(full_store: Store, client: Client) -> None:
    """An unknown client gives None; no secret, an invalid overlap or too many former secrets a ValueError."""
    await full_store.add_client(client)
    await full_store.add_client(Client(client_id="rsa", rsa_public_key=RSA_PUBLIC_KEY))
    for name in ("unknown", "a\0b", "\ud800"):
        assert await full_store.rotate_client_secret(name, overlap=0) is None
    with pytest.raises(ValueError, match="has no secret"):
        await full_store.rotate_client_secret("rsa", overlap=0)
    for overlap in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="overlap is a number of seconds"):
            await full_store.rotate_client_secret(client.client_id, overlap=overlap)
    for _ in range(MAX_OVERLAPPING_SECRETS):
        await full_store.rotate_client_secret(client.client_id, overlap=60)
    with pytest.raises(ValueError, match="use no overlap"):
        await full_store.rotate_client_secret(client.client_id, overlap=60)
    assert await full_store.rotate_client_secret(client.client_id, overlap=0) is not None


async def test_tokens_are_revoked_by_user_and_by_client(full_store: Store) -> None:
    """Tokens are revoked by user, by client or by both; a call without either is refused."""
    for name in ("one", "two"):
        await full_store.add_client(Client(client_id=name, client_secret="s"))
        for user in ("jane", "john", "mary"):
            await full_store.issue_token_credential(name, user)
    with pytest.raises(ValueError, match="a user_id, a client_id or both"):
        await full_store.revoke_token_credentials()
    assert await full_store.revoke_token_credentials(user_id="jane", client_id="one") == 1
    assert await full_store.revoke_token_credentials(user_id="john") == 2
    assert await full_store.revoke_token_credentials(client_id="two") == 2
    for nobody in ("nobody", "a\0b", "\ud800"):
        assert await full_store.revoke_token_credentials(user_id=nobody) == 0
    left = await full_store.list_token_credentials()
    assert [(token.client_id, token.user_id) for token in left] == [("one", "mary")]
