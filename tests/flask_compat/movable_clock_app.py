"""The application of `wsgi_app`, with a clock that a test moves: it goes ahead by what the file OAUTH1_CLOCK says."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .wsgi_app import app, ported

_ahead = Path(os.environ["OAUTH1_CLOCK"])


def read_clock() -> float:
    """The time; the file beside it tells the test that it was asked for."""
    _ahead.with_suffix(".asked").touch()
    return time.time() + float(_ahead.read_text())


ported.require_oauth._flows.clock = read_clock

__all__ = ["app"]
