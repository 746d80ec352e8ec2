"""FastAPI applications on which `OAuth1` is installed, and a store that counts its calls."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import FastAPI

from async_oauth1 import Client, Policy, ResourceProtector, TokenCredential
from async_oauth1.fastapi import OAuth1
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import Recording, add_credentials


class Installed(NamedTuple):
    """An application, its dependency and its store."""

    app: FastAPI
    oauth1: OAuth1[Client, TokenCredential]
    store: Recording

    @property
    def nonces(self) -> int:
        """How often a nonce was used."""
        return self.store.calls["exists_nonce"]


async def make_store() -> Recording:
    """A store with two clients, and a token for ``photos.read``."""
    store = Recording(MemoryStore())
    await add_credentials(store.store)
    return store


def protect(store: Recording, policy: Policy | None = None, **how: Any) -> OAuth1[Client, TokenCredential]:
    """A dependency over a store."""
    protector = ResourceProtector[Client, TokenCredential](policy=policy)
    protector.register_hooks(store)
    return OAuth1(protector, **how)


async def install(policy: Policy | None = None, *, app: FastAPI | None = None, **limits: Any) -> Installed:
    """Install a dependency on an application without routes."""
    store = await make_store()
    oauth1, app = protect(store, policy), app or FastAPI()
    oauth1.install(app, **limits)
    return Installed(app, oauth1, store)
