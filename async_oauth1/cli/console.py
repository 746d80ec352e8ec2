"""What the commands print: results on stdout, messages on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = [
    "CommandError",
    "format_time",
    "print_json",
    "print_lines",
    "print_listing",
    "print_new_secret",
    "printable",
    "report",
    "say",
]


class CommandError(Exception):
    """A mistake of the user's, or a failure; the message is printed on stderr as one line."""


def report(result: Mapping[str, object], message: str, *, as_json: bool) -> None:
    """Print the result of a command: JSON on stdout, or a message on stderr."""
    if as_json:
        print_json(result)
    else:
        say(message)


def print_new_secret(
    credentials: Mapping[str, object],
    *,
    details: Mapping[str, object] | None = None,
    note: str = "",
    lost: str,
    as_json: bool,
) -> None:
    """Print new credentials, as labelled lines or as one JSON object.

    Args:
        credentials: an identifier and its secret.
        details: printed with ``as_json`` only.
        note: printed on stderr without ``as_json``.
        lost: the error if stdout cannot be written; ``{reason}`` in it is replaced.
        as_json: print JSON.

    Raises:
        CommandError: stdout could not be written.
    """
    try:
        if as_json:
            print_json({**credentials, **(details or {})})
        else:
            print_lines([f"{label}: {value}" for label, value in credentials.items()])
    except OSError as error:
        raise CommandError(lost.format(reason=error.strerror)) from error
    if not as_json:
        say(f"The secret is not shown again. {note}".rstrip())


def print_listing(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    records: Sequence[Mapping[str, object]],
    as_json: bool,
    piped: int | None = None,
) -> None:
    """Print records: a JSON array, a table on a terminal, or else lines with tabs between the columns.

    Args:
        columns: titles of the table.
        rows: a value for each column; a value may have several lines.
        records: the same as JSON objects.
        as_json: print the JSON array.
        piped: how many columns the lines have; ``None`` for all.
    """
    if as_json:
        print_json(records)
        return
    if not sys.stdout.isatty():
        print_lines(["\t".join(printable(value) for value in row[:piped]) for row in rows])
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text("\n".join(printable(line) for line in value.split("\n"))) for value in row))
    Console().print(table)


def print_json(value: object) -> None:
    """Print an object or array as JSON on one line of stdout."""
    print_lines([json.dumps(value)])


def print_lines(lines: Sequence[str]) -> None:
    """Print lines to stdout.

    Raises:
        OSError: stdout cannot be written.
    """
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # Otherwise the interpreter would try to write the rest of the buffer at exit, and print a second error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def printable(text: str) -> str:
    """The text with a question mark for each control character, which a terminal would interpret."""
    return "".join(char if char.isprintable() else "?" for char in text)


def say(message: str) -> None:
    """Print a message on stderr."""
    Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(message, style="dim")


def format_time(timestamp: float | None) -> str:
    """Unix time as a date and a time in UTC; "never" for ``None``."""
    if timestamp is None:
        return "never"
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):  # after the year 9999
        return f"{timestamp:.0f}"
