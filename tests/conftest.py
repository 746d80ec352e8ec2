"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import unmeasured_environment


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", name="unmeasured_environment")
def unmeasured_environment_fixture() -> dict[str, str]:
    """The environment of a process that coverage does not measure, since coverage would import modules of its own."""
    return unmeasured_environment()
