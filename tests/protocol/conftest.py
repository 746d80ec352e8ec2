"""Fixtures of the protocol's tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.provider.provider import Provider
from tests.stress import STRESS

# No deadlines: the machines that run this are shared.
settings.register_profile(
    "protocol",
    deadline=None,
    max_examples=1_000 if STRESS else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("protocol")


@pytest.fixture
def provider() -> Provider:
    """A provider with the default policy."""
    return Provider()
