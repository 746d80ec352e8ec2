"""A protector, with the credentials of `tests.attacks.provider` and a token of wider scope."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from async_oauth1 import ResourceProtector, TemporaryCredential
from async_oauth1.stores import MemoryStore
from tests.asgi.test_cors import make_store
from tests.attacks.provider import JANE, Recording

#: Jane's token for two scopes; her usual one has only ``photos.read``.
WIDE = replace(JANE, token="wide")


@pytest.fixture
async def store() -> Recording:
    """A store that counts its calls."""
    store = await make_store()
    approved = TemporaryCredential(
        oauth_token="t2", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    secrets = {"oauth_token": "wide", "oauth_token_secret": "toksecret", "scope": "photos.read albums.read"}
    await store.create_token_credential(secrets, approved)
    return Recording(store)


@pytest.fixture
def protector(store: Recording) -> ResourceProtector:
    """A protector without a framework."""
    protector = ResourceProtector()
    protector.register_hooks(cast("MemoryStore", store))  # it delegates
    return protector
