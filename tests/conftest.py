"""What every test may rely on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def unmeasured_environment() -> dict[str, str]:
    """Environment variables for a process that coverage does not measure: its start would load modules of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
