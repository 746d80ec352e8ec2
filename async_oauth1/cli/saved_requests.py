"""Reading the saved request that `explain` and `verify` take."""

from __future__ import annotations

import sys
from pathlib import Path

from async_oauth1.explain.readers import FORMATS, MAX_OCTETS, ReadError, Source, read_source

from .console import CommandError, printable

__all__ = ["bounded", "read_octets", "read_request"]


def read_request(request: str, fmt: str, base_url: str | None, entry: int | None) -> Source:
    """Read a saved request.

    Args:
        request: a file; ``-`` for standard input.
        fmt: how it is written.
        base_url: what the provider believes it is.
        entry: of a HAR file.

    Raises:
        CommandError: it cannot be read.
    """
    if fmt not in FORMATS:
        raise CommandError(f"--format {printable(fmt)}: write auto, http, curl or har")
    try:
        return read_source(read_octets(request), kind=fmt, base_url=base_url, entry=entry)
    except ReadError as error:
        raise CommandError(str(error)) from None


def read_octets(request: str) -> bytes:
    """The octets of a file, or of standard input.

    Raises:
        CommandError: they cannot be read, or are too many.
    """
    try:
        if request == "-":
            return bounded(sys.stdin.buffer.read(MAX_OCTETS + 1))
        with Path(request).open("rb") as file:
            return bounded(file.read(MAX_OCTETS + 1))
    except OSError as error:
        raise CommandError(f"{printable(request)}: {error.strerror}") from None
    except ValueError:
        raise CommandError(f"{printable(request)}: no file can have this name") from None


def bounded(octets: bytes) -> bytes:
    """Refuse too large an input.

    Raises:
        CommandError: it is too large.
    """
    if len(octets) > MAX_OCTETS:
        raise CommandError(f"the input is larger than {MAX_OCTETS // 1024**2} MiB")
    return octets
