"""The provider that is attacked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
from hypercorn.asyncio import serve
from hypercorn.config import Config

from async_oauth1 import Policy
from async_oauth1.stores import open_store

from .asgi_servers import SERVERS, serving
from .provider import ALL_SIGNATURE_METHODS, Provider, add_credentials, make_provider


@pytest_asyncio.fixture
async def provider() -> Provider:
    """A provider over the memory store, with every signature method enabled."""
    return await make_provider()


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def durable_provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    """The same over each store that is shipped: what must be atomic is the store's business."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'provider.db'}"
    store = open_store(url)
    await store.migrate()
    async with store:
        await add_credentials(store)
        yield await make_provider(store, Policy(signature_methods=ALL_SIGNATURE_METHODS))


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[str], int]]:
    """Starts a server of `SERVERS` with `seven_frameworks`, once in each session, and returns its port."""
    with ExitStack() as servers:

        @cache
        def start(name: str) -> int:
            return servers.enter_context(serving(SERVERS[name]))

        yield start


@pytest.fixture(params=SERVERS)
def port(request: pytest.FixtureRequest, start_server: Callable[[str], int]) -> int:
    """The port of each server in turn."""
    return start_server(request.param)


@dataclass(frozen=True)
class Listening:
    """A provider behind a real socket."""

    provider: Provider
    port: int

    @property
    def origin(self) -> str:
        """What its clients sign."""
        return f"http://127.0.0.1:{self.port}"


@pytest_asyncio.fixture
async def listening(provider: Provider) -> AsyncIterator[Listening]:
    """The provider served by hypercorn on a free port of this machine, configured as the example is."""
    config = Config()
    config.errorlog = None
    config.h11_max_incomplete_size = 256 * 1024
    config.graceful_timeout = 1
    config.keep_alive_timeout = 1
    ready, done = asyncio.Event(), asyncio.Event()
    provider.app.before_serving(ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config.bind = [f"fd://{listener.fileno()}"]
        serving = asyncio.ensure_future(serve(provider.app, config, shutdown_trigger=done.wait))  # type: ignore[arg-type]
        await ready.wait()
        yield Listening(provider, listener.getsockname()[1])
        done.set()
        await serving
        listener.detach()  # hypercorn has closed it
