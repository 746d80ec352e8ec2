"""Options that several commands share."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from .console import CommandError, printable

__all__ = ["JsonOption", "NotifyOption", "StoreOption", "parse_seconds"]

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="ASYNC_OAUTH1_STORE",
        metavar="URL",
        help="The provider's store of clients: sqlite:///PATH or postgresql://...",
    ),
]
NotifyOption = Annotated[
    str | None,
    typer.Option(
        "--notify",
        envvar="ASYNC_OAUTH1_NOTIFY",
        metavar="URL",
        help="redis://...: announce the change there, if the provider's caches listen to it.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# A hundred years. A longer time is a typing mistake.
_MAX_SECONDS = 100 * 366 * 86_400


def parse_seconds(option: str, text: str) -> int:
    """Parse a time such as ``90``, ``90s``, ``15m``, ``12h`` or ``30d``.

    Args:
        option: its name, for the error.
        text: its value.

    Returns:
        Seconds, at most a hundred years.

    Raises:
        CommandError: the text is not a time, or too long a one.
    """
    match = re.fullmatch(r"(\d{1,12})([smhd]?)", text, re.ASCII)
    seconds = int(match[1]) * _UNITS[match[2]] if match else -1
    if not 0 <= seconds <= _MAX_SECONDS:
        raise CommandError(f"{option} {printable(text)}: write a time as 90s, 15m, 12h or 30d, at most 100 years")
    return seconds
