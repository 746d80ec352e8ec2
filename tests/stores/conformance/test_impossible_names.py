"""A name that no store can hold is unknown: a question with it is answered, not refused with 503."""

from __future__ import annotations

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, TransientStore
from async_oauth1.stores.base import GONE

BAD = ["a\0b", "\0", "\ud800", "a\udfffb", "€" * 100_000]


@pytest.mark.parametrize("bad", BAD)
async def test_temporary_credentials(store: TransientStore, bad: str) -> None:
    """No temporary credentials have such a name, and the next question is answered as usual."""
    assert await store.get_temporary_credential(bad) is None
    assert await store.delete_temporary_credential(bad) is False
    assert await store.deny_temporary_credential(bad) is False
    assert await store.count_wrong_verifier(bad) == GONE
    await store.ping()


@pytest.mark.parametrize("bad", BAD)
async def test_clients_and_tokens(full_store: Store, client: Client, bad: str) -> None:
    """No client or token has such a name, whichever method is called."""
    await full_store.add_client(client)
    assert await full_store.query_client(bad) is None
    assert await full_store.query_token(bad, "t") is None
    assert await full_store.query_token(client.client_id, bad) is None
    assert await full_store.query_credentials(bad, "t") == (None, None)
    assert (await full_store.query_credentials(client.client_id, bad))[1] is None
    assert await full_store.rotate_client_secret(bad, overlap=0) is None
    assert await full_store.remove_client(bad) is False
    assert await full_store.revoke_token_credential(bad) is False
    assert await full_store.revoke_token_credentials(user_id=bad) == 0
    assert await full_store.list_token_credentials(client_id=bad) == []
    assert await full_store.query_client(client.client_id) == client
