"""Fixtures of the provider's tests."""

from __future__ import annotations

import pytest

from .provider import Provider


@pytest.fixture
def provider() -> Provider:
    """A provider with the default policy."""
    return Provider()
