"""A provider with limits, and a Valkey server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from async_oauth1 import Client
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.servers import Valkey


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A single Valkey server."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture
def clock() -> Clock:
    """The clock of the limits."""
    return Clock(1_700_000_000.0)


@pytest.fixture
async def store() -> MemoryStore:
    """A store with two clients."""
    store = MemoryStore()
    for name in ("client", "other"):
        await store.add_client(Client(client_id=name, client_secret="secret", callbacks=("oob",)))
    return store
