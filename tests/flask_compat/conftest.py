"""Fixtures: a provider in every variant, and a client of it."""

from __future__ import annotations

import pytest

from .client import Client
from .ported import SAMPLED_VARIANTS, Ported, make_provider


@pytest.fixture(params=SAMPLED_VARIANTS, ids=str)
def ported(request: pytest.FixtureRequest) -> Ported:
    """A provider, in each of the variants."""
    return make_provider(request.param)


@pytest.fixture
def client(ported: Ported) -> Client:
    """A client of the provider."""
    return Client(ported.app)
