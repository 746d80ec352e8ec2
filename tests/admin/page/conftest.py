"""A store, and a visitor of its admin page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from async_oauth1.stores import MemoryStore

from .visiting import Visitor, visit


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    """An empty store."""
    async with MemoryStore() as opened:
        yield opened


@pytest.fixture
async def visitor(store: MemoryStore) -> AsyncIterator[Visitor]:
    """Alice, who is an operator."""
    async with visit(store) as visiting:
        yield visiting
