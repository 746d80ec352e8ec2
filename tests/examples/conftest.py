"""A provider for the whole session, and a browser that is signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .jane import Jane
from .running import Photos, photos


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Photos]:
    """The example on a fresh SQLite file."""
    store = f"sqlite:///{tmp_path_factory.mktemp('photos') / 'photos.db'}"
    with photos(store=store) as running:
        yield running


@pytest.fixture(scope="session")
def provider_of_two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Photos]:
    """A provider with two worker processes."""
    store = f"sqlite:///{tmp_path_factory.mktemp('photos-of-two') / 'photos.db'}"
    with photos("--workers", "2", store=store) as running:
        yield running


@pytest.fixture
def jane(provider: Photos) -> Iterator[Jane]:
    """A browser that is signed in."""
    with Jane(provider.url) as browser:
        assert browser.sign_in().status_code == 302
        yield browser
