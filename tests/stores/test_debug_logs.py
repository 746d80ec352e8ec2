"""No secret is logged, at any log level."""

from __future__ import annotations

import asyncio
import logging

import pytest

from async_oauth1.credentials import Client
from async_oauth1.stores import Store, TransientStore

CLIENT = Client(
    client_id="printer", client_secret="client-s3cret", overlapping_secrets=("former-s3cret",), callbacks=("oob",)
)


async def use_secrets(store: TransientStore) -> list[str]:
    """Use every method of a store that handles secrets; returns the secrets that the store made itself."""
    token = {"oauth_token": "temporary", "oauth_token_secret": "temporary-s3cret"}
    credential = await store.create_temporary_credential(token, "printer", "oob")
    await store.create_authorization_verifier(credential, "jane", "verifier-s3cret")
    approved = await store.get_temporary_credential("temporary")
    assert approved is not None
    assert approved.check_verifier("verifier-s3cret")
    if not isinstance(store, Store):
        return []
    await store.add_client(CLIENT)
    await store.exchange(approved, {"oauth_token": "token", "oauth_token_secret": "token-s3cret"})
    client, found = await store.query_credentials("printer", "token")
    assert client == CLIENT
    assert found == await store.query_token("printer", "token")
    assert await store.list_clients() == [client]
    assert await store.list_token_credentials() == [found]
    issued = await store.issue_token_credential("printer", "jane")
    rotated = await store.rotate_client_secret("printer", overlap=60)
    assert rotated is not None
    assert rotated.client_secret is not None
    return [issued.oauth_token_secret, rotated.client_secret]


async def test_no_secret_is_logged(store: TransientStore, caplog: pytest.LogCaptureFixture) -> None:
    """No store logs a secret at DEBUG while asyncio's debug mode reports every callback as slow."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0
    with caplog.at_level(logging.DEBUG):
        made = await use_secrets(store)
        await asyncio.sleep(0.01)
    loop.set_debug(False)
    assert "Executing <" in caplog.text
    assert "s3cret" not in caplog.text
    assert [secret for secret in made if secret in caplog.text] == []
