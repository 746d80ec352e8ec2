"""Our own stores pass the public suite: in memory, SQLite, PostgreSQL, Redis, SQLAlchemy, and behind a cache."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.stores import TransientStore, open_store
from async_oauth1.stores.caching import CachingStore
from async_oauth1.testing import Clock, StoreConformance
from tests.stores.caching.test_caching import FakeChangeFeed
from tests.stores.conftest import open_kind


class TestOurStores(StoreConformance):
    """Each kind of store, over real servers."""

    call_timeout = 60.0  # the machine may be busy

    @pytest.fixture(autouse=True)
    def _prepare(self, kind: str, request: pytest.FixtureRequest) -> None:
        self.clock: Clock = request.getfixturevalue("clock")
        self.url: str = request.getfixturevalue("url")
        self.kind = kind

    def make_store(self, clock: Clock) -> TransientStore:
        """Open it with the clock of the suite; Redis goes by its own, which moves along."""
        clock.listeners = self.clock.listeners
        if self.kind == "third-party":
            from tests.stores.third_party import ThirdPartyStore

            return ThirdPartyStore(clock)
        store: TransientStore = open_kind(self.url, clock=clock)
        return store

    def reopen(self) -> Any:
        """By the same URL."""
        return (open_kind if self.kind.startswith("models") else open_store), [self.url]


class TestCaching(StoreConformance):
    """A store behind a cache of credentials."""

    call_timeout = 60.0

    @pytest.fixture(autouse=True)
    def _prepare(self, tmp_path: Any) -> None:
        self.url = f"sqlite:///{tmp_path}/store.db"

    def make_store(self, clock: Clock) -> TransientStore:
        """SQLite behind the cache."""
        store: TransientStore = CachingStore(open_store(self.url, clock=clock), FakeChangeFeed())
        return store

    def reopen(self) -> Any:
        """By the same URL, without the cache."""
        return open_store, [self.url]
