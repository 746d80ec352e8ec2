"""The native reader is compared with Python where it can be compiled; CI says whether it must be there."""

from __future__ import annotations

import os

import pytest

from async_oauth1 import native


@pytest.fixture(scope="session")
def native_reader() -> None:
    """Needs the native reader. In CI it may be missing only if ``ASYNC_OAUTH1_NATIVE=0`` says so."""
    if native.IN_USE:
        return
    if os.environ.get("CI") and os.environ.get("ASYNC_OAUTH1_NATIVE") != "0":
        pytest.fail(native.STATE)
    pytest.skip(native.STATE)
