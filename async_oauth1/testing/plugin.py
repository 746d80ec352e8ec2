"""The plugin of pytest. It imports nothing but pytest until a test uses its fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .server import OAuth1Server

__all__ = ["oauth1_server", "pytest_configure"]

_MARKER = "oauth1_server(like=None, consent='automatic', user='alice'): options of the provider of this test."


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def oauth1_server(request: pytest.FixtureRequest) -> Iterator[OAuth1Server]:
    """An OAuth 1.0 provider on a free port, for tests of clients; each test has its own."""
    marker = request.node.get_closest_marker("oauth1_server")
    options = dict(marker.kwargs) if marker else {}
    if marker is not None and marker.args:
        pytest.fail(f"The marker oauth1_server takes keyword arguments: {_MARKER}", pytrace=False)
    try:
        with OAuth1Server(**options) as server:
            yield server
    except ModuleNotFoundError as error:
        pytest.fail(f'The fixture oauth1_server needs {error.name}: install "async-oauth1[serve]".', pytrace=False)
