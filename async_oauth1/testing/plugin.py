"""The plugin of pytest. It imports nothing but pytest until a test uses one of its fixtures."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from .clock import Clock
from .lti_platform import LTIPlatform
from .server import OAuth1Server
from .serving import ServerInThread

if TYPE_CHECKING:
    from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
    from async_oauth1.stores import Store

__all__ = [
    "lti_platform",
    "oauth1_approved",
    "oauth1_client",
    "oauth1_clock",
    "oauth1_server",
    "oauth1_store",
    "oauth1_token",
    "pytest_configure",
]

T = TypeVar("T")

S = TypeVar("S", bound=ServerInThread)

_MARKERS = {
    "oauth1_server": "oauth1_server(like=None, consent='automatic', user='alice'): options of the provider.",
    "lti_platform": "lti_platform(tool_url='http://localhost/launch', key='lti-platform'): options of the platform.",
}


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for marker in _MARKERS.values():
        config.addinivalue_line("markers", marker)


@pytest.fixture
def oauth1_server(request: pytest.FixtureRequest) -> Iterator[OAuth1Server]:
    """An OAuth 1.0 provider on a free port, for tests of clients; each test has its own."""
    yield from _running(OAuth1Server, "oauth1_server", request)


@pytest.fixture
def lti_platform(request: pytest.FixtureRequest) -> Iterator[LTIPlatform]:
    """A platform of LTI 1.1 on a free port, for tests of tools; each test has its own."""
    yield from _running(LTIPlatform, "lti_platform", request)


def _running(make: type[S], name: str, request: pytest.FixtureRequest) -> Iterator[S]:
    marker = request.node.get_closest_marker(name)
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    if marker is not None and marker.args:
        pytest.fail(f"The marker {name} takes keyword arguments: {_MARKERS[name]}", pytrace=False)
    extras = "serve,lti" if make is LTIPlatform else "serve"
    try:
        with make(**options) as server:
            yield server
    except ModuleNotFoundError as error:
        pytest.fail(f'The fixture {name} needs {error.name}: install "async-oauth1[{extras}]".', pytrace=False)


@pytest.fixture
def oauth1_clock() -> Clock:
    """A clock that a test moves; it starts at the current time."""
    return Clock()


@pytest.fixture
def oauth1_store(oauth1_clock: Clock) -> Store:
    """An empty store in memory that goes by `oauth1_clock`."""
    from async_oauth1.stores.memory import MemoryStore

    return MemoryStore(clock=oauth1_clock)


@pytest.fixture
def oauth1_client(oauth1_store: Store) -> Client:
    """A client that is registered in `oauth1_store`."""
    from .credentials import register_client

    return _finish("oauth1_client", register_client(oauth1_store))


@pytest.fixture
def oauth1_token(oauth1_store: Store, oauth1_client: Client) -> TokenCredential:
    """Token credentials of `oauth1_client` for the user ``alice``."""
    from .credentials import issue_token

    return _finish("oauth1_token", issue_token(oauth1_store, oauth1_client))


@pytest.fixture
def oauth1_approved(oauth1_store: Store, oauth1_client: Client) -> TemporaryCredential:
    """Temporary credentials of `oauth1_client` that ``alice`` has approved, with their verifier."""
    from .credentials import approve_dance

    return _finish("oauth1_approved", approve_dance(oauth1_store, oauth1_client))


def _finish(fixture: str, work: Coroutine[Any, Any, T]) -> T:
    from async_oauth1.provider.sync_driver import run_sync

    try:
        return run_sync(work)
    except RuntimeError:
        reason = "needs a store in memory; for another oauth1_store, define an async fixture of this name"
        pytest.fail(f"The fixture {fixture} {reason}, with the functions of async_oauth1.testing.", pytrace=False)
