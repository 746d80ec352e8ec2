"""The API over each store that keeps clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from async_oauth1.admin.api import AdminAPI
from async_oauth1.stores import open_store
from tests.servers import Postgres

from .calling import api_of


@pytest_asyncio.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    """An open store of each kind, empty."""
    url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/store.db"}.get(request.param)
    if url is None:
        server: Postgres = request.getfixturevalue("postgres")
        server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        url = server.url
    store: Any = open_store(url)
    await store.migrate()
    async with store:
        yield store


@pytest.fixture
def api(store: Any) -> AdminAPI:
    """The API over it."""
    return api_of(store)
