"""The log on standard error: lines with time and level, of this program and of the library."""

from __future__ import annotations

import logging

__all__ = ["configure_logs", "log"]

#: Starts, restarts and the stop of workers, and stores that fail or recover.
log = logging.getLogger("photos")


def configure_logs(level: str) -> None:
    """Switch on the loggers of this program and of the library. Other libraries only log warnings and errors.

    Args:
        level: such as ``info``.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("async_oauth1", "photos"):
        logging.getLogger(name).setLevel(level.upper())
