"""Change feeds that wait for a busy machine."""

from __future__ import annotations

import pytest

from async_oauth1.stores import change_feed


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a feed try for a minute before it subscribes again; its lease ends as early as ever."""
    monkeypatch.setattr(change_feed, "_PROBE_TIMEOUT", 60.0)
