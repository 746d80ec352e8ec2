"""What every test of the directory needs."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def stop_listening(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Undo `listen`: otherwise later tests in this process would see each line twice."""
    yield
    logging.getLogger("async_oauth1").removeHandler(caplog.handler)
