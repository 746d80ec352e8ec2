"""The log on standard error: lines with time and level."""

from __future__ import annotations

import logging

__all__ = ["configure_logs"]


def configure_logs(level: str) -> None:
    """Switch the loggers of this provider and of the library on.

    Other libraries only log warnings and errors.

    Args:
        level: such as ``info``.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("async_oauth1", "photos"):
        logging.getLogger(name).setLevel(level.upper())
