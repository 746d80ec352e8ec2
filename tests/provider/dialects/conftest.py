"""The provider of these tests."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import AuthorizationServer, Policy, ResourceProtector
from async_oauth1.stores import MemoryStore
from tests.provider.provider import Provider


class StoreProvider(Provider):
    """A provider whose hooks are a store's own methods, with their parameters."""

    def __init__(self, policy: Policy | None = None, **hooks: Any) -> None:
        super().__init__(policy)
        self.server = AuthorizationServer(policy, clock=self.clock, **hooks)
        self.server.register_hooks(self.store)
        self.protector = ResourceProtector(policy, clock=self.clock)
        self.protector.register_hooks(self.store)
        assert isinstance(self.store, MemoryStore)


@pytest.fixture
def provider() -> StoreProvider:
    """A provider with the default policy."""
    return StoreProvider()
