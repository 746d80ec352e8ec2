"""The plugin of pytest. It imports nothing but pytest until a test uses one of its fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from .lti_platform import LTIPlatform
from .server import OAuth1Server
from .serving import ServerInThread

__all__ = ["lti_platform", "oauth1_server", "pytest_configure"]

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
