"""Providers in every variant."""

from __future__ import annotations

import pytest

from .client import Client
from .ported import VARIANTS, Ported, make_provider


@pytest.fixture(params=VARIANTS, ids=str)
def ported(request: pytest.FixtureRequest) -> Ported:
    """The provider, written in each way there is."""
    return make_provider(request.param)


@pytest.fixture
def client(ported: Ported) -> Client:
    """Its client."""
    return Client(ported.app)
