"""Every store that keeps clients: `update_client` changes what it is given, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1.credentials import Client
from async_oauth1.errors import InvalidRequestError
from async_oauth1.stores import Store
from tests.keys import RSA_PUBLIC_KEY

from .test_clients_and_tokens import FULL


async def test_only_what_is_given_changes(full_store: Store) -> None:
    """The client is returned and stored with its new values; its other attributes and its tokens stay."""
    await full_store.add_client(FULL)
    await full_store.add_client(Client(client_id="other"))
    token = await full_store.issue_token_credential(FULL.client_id, "jane")
    expected = FULL
    for changes in (
        {"callbacks": ("https://new.example/ready", "oob")},
        {"nonce_policy": "strict"},
        {"callback_query_may_differ": False},
        {"tolerances": ("loose_base64",)},
        {},
        {"name": "Another <name>"},
        {"signature_methods": ("RSA-SHA256",), "rsa_public_key": RSA_PUBLIC_KEY},
        {"rsa_public_key": None, "signature_methods": ()},
        {"callbacks": (), "nonce_policy": "log-only", "callback_query_may_differ": True, "tolerances": ()},
    ):
        given: Any = changes
        expected = replace(expected, **given)
        assert await full_store.update_client(FULL.client_id, **given) == expected
        assert await full_store.query_credentials(FULL.client_id, token.oauth_token) == (expected, token)
    assert await full_store.query_client("other") == Client(client_id="other")


async def test_callbacks_may_be_a_list(full_store: Store) -> None:
    """A list is stored as a tuple."""
    await full_store.add_client(FULL)
    callbacks: Any = ["oob"]
    updated = await full_store.update_client(FULL.client_id, callbacks=callbacks)
    assert updated == await full_store.query_client(FULL.client_id) == replace(FULL, callbacks=("oob",))


async def test_an_unknown_client_is_not_made(full_store: Store) -> None:
    """The result for an unknown identifier is None, whatever the identifier is."""
    for name in ("", "unknown", "a\0b", "\ud800"):
        assert await full_store.update_client(name, nonce_policy="log-only") is None
    assert await full_store.list_clients() == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "chosen"}, TypeError),
        ({"client_id": "other"}, TypeError),
        ({"rsa_public_key": 1}, TypeError),
        ({"rsa_public_key": ""}, ValueError),
        ({"rsa_public_key": "no key"}, ValueError),
        ({"name": None}, TypeError),
        ({"name": "a\0b"}, ValueError),
        ({"signature_methods": "HMAC-SHA1"}, TypeError),
        ({"callbacks": "https://one.example/"}, TypeError),
        ({"callbacks": (None,)}, (TypeError, ValueError, AttributeError)),
        ({"callbacks": ("no-uri",)}, InvalidRequestError),
        ({"callbacks": ("https://a.example/\0",)}, (ValueError, InvalidRequestError)),
        ({"nonce_policy": "lax"}, ValueError),
        ({"callback_query_may_differ": "yes"}, TypeError),
    ],
)
async def test_refused_changes_change_nothing(full_store: Store, changes: dict[str, Any], error: Any) -> None:
    """Attributes that cannot be changed, and values that `Client` refuses, are refused."""
    await full_store.add_client(FULL)
    with pytest.raises(error):
        await full_store.update_client(FULL.client_id, **changes)
    assert await full_store.query_client(FULL.client_id) == FULL


async def test_concurrent_changes_are_all_kept(full_store: Store) -> None:
    """Changes of different attributes, and a rotation, do not undo each other."""
    client = Client(client_id="busy", client_secret="first")
    await full_store.add_client(client)
    await asyncio.gather(
        full_store.update_client("busy", callbacks=("oob",)),
        full_store.rotate_client_secret("busy", overlap=60),
        full_store.update_client("busy", nonce_policy="log-only"),
        full_store.update_client("busy", callback_query_may_differ=True),
    )
    stored = await full_store.query_client("busy")
    assert stored is not None
    assert (stored.callbacks, stored.nonce_policy, stored.callback_query_may_differ) == (("oob",), "log-only", True)
    assert stored.client_secret != "first"
    assert stored.overlapping_secrets == ("first",)
