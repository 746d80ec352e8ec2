"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import unmeasured_environment


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", name="unmeasured_environment")
def unmeasured_environment_fixture() -> dict[str, str]:
    """The environment for processes without coverage, which would import additional modules."""
    return unmeasured_environment()
