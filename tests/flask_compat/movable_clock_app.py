"""The application of `wsgi_app`, whose clock is ahead by the seconds in the file that OAUTH1_CLOCK names."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .wsgi_app import app, ported

_ahead = Path(os.environ["OAUTH1_CLOCK"])


def read_clock() -> float:
    """The time. Creates a second file afterwards, which shows the test that the clock was read."""
    ahead = float(_ahead.read_text())
    _ahead.with_suffix(".asked").touch()
    return time.time() + ahead


ported.require_oauth._flows.clock = read_clock

__all__ = ["app"]
