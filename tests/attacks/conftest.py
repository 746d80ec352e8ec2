"""Fixtures: the provider under attack."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import pytest
import pytest_asyncio
from hypercorn.asyncio import serve
from hypercorn.config import Config

from async_oauth1 import Policy
from async_oauth1.stores import open_store
from tests.stress import STRESS, sample

from .asgi_servers import SERVERS, serving
from .over_frameworks import ELSEWHERE, PROVIDERS, UNROUTED, is_about_quart, make_provider_on
from .provider import ALL_SIGNATURE_METHODS, Provider, add_credentials, make_provider


@pytest_asyncio.fixture
async def provider(request: pytest.FixtureRequest) -> Provider:
    """A provider with the memory store and every signature method enabled, on Quart unless a parameter says else."""
    resources = PROVIDERS.get(getattr(request, "param", "Quart"))
    return await (make_provider() if resources is None else make_provider_on(resources))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the attacks that are not about Quart over every framework; outside of `make stress`, over one other."""
    if "provider" not in metafunc.fixturenames or is_about_quart(metafunc.function.__name__, metafunc.fixturenames):
        return
    others = [*PROVIDERS]
    # To collect all of them takes longer than to run the sample. The same one in each process and each run.
    names = ["Quart", *(others if STRESS else [others[crc32(metafunc.function.__name__.encode()) % len(others)]])]
    metafunc.parametrize("provider", names, ids=names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Outside of `make stress`, run each attack on Quart, and only a sample of them over the other frameworks."""
    others = [item for item in items if _framework_of(item) in PROVIDERS]
    unrouted = {
        item for item in others if UNROUTED.get(_framework_of(item)) in item.name.split("[")[-1][:-1].split("-")
    }
    elsewhere = {item for item in others if (_framework_of(item), _name_of(item)) in ELSEWHERE}
    dropped = {*others} - {*sample(others, 60)} | unrouted | elsewhere
    if dropped:
        config.hook.pytest_deselected(items=[*dropped])
        items[:] = [item for item in items if item not in dropped]


def _name_of(item: pytest.Item) -> str:
    return item.name.partition("[")[0]


def _framework_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("provider", "Quart")) if callspec is not None else "Quart"


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def durable_provider(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Provider]:
    """The same provider with the memory store, and with SQLite."""
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'provider.db'}"
    store = open_store(url)
    await store.migrate()
    async with store:
        await add_credentials(store)
        yield await make_provider(store, Policy(signature_methods=ALL_SIGNATURE_METHODS))


@pytest.fixture(scope="session")
def start_server() -> Iterator[Callable[[str], int]]:
    """A function that starts a server of `SERVERS` once per session, and returns its port."""
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
    """A provider that listens on a socket."""

    provider: Provider
    port: int

    @property
    def origin(self) -> str:
        """The scheme, host and port that clients sign."""
        return f"http://127.0.0.1:{self.port}"


@pytest_asyncio.fixture
async def listening(provider: Provider) -> AsyncIterator[Listening]:
    """The provider, served by hypercorn on a free local port, with the example's configuration."""
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
        listener.detach()  # hypercorn has already closed the socket
