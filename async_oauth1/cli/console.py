"""What the commands print: results on stdout, messages on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
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
    "print_page",
    "printable",
    "report",
    "say",
]


# Columns whose values are the arguments of other commands.
_IDENTIFIERS = ("oauth_token", "client_id")
# Characters of a word that stays whole in other columns, also on a narrow terminal.
_LONGEST_WORD = 16
# Blanks between two columns.
_GAP = 2


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
    cells = [["\n".join(printable(line) for line in value.split("\n")) for value in row] for row in rows]
    Console(width=max(Console().width, _least_width(columns, cells))).print(_table(columns, cells))


def print_page(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    records: Sequence[Mapping[str, object]],
    cursor: str | int | None,
    is_page: bool,
    as_json: bool,
    piped: int | None = None,
) -> None:
    """Print a page of records: as `print_listing`, and the cursor of the next page.

    Args:
        columns: as for `print_listing`, like the other arguments of that name.
        rows: as above.
        records: as above.
        cursor: of the next page; ``None`` if there is none.
        is_page: whether a page was asked for; then JSON is an object with ``items`` and ``next``.
        as_json: print JSON.
        piped: as above.
    """
    if as_json and is_page:
        print_json({"items": list(records), "next": cursor})
        return
    print_listing(columns, rows, records=records, as_json=as_json, piped=piped)
    if cursor is not None and not as_json:
        say(f"There are more: --after {cursor}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table that folds long values and never cuts one, except for those that `_least_width` makes room for."""
    table = Table(box=None, pad_edge=False)
    for title in columns:
        table.add_column(title, no_wrap=title in _IDENTIFIERS, overflow="fold")
    for row in rows:
        table.add_row(*(Text(value, overflow="fold") for value in row))
    return table


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The width at which no identifier is cut or folded, and other columns have room for most words."""
    return sum(
        max((cell_len if title in _IDENTIFIERS else _longest_word)(row[number]) for row in (columns, *rows)) + _GAP
        for number, title in enumerate(columns)
    )


def _longest_word(value: str) -> int:
    return min(_LONGEST_WORD, max((cell_len(word) for word in value.split()), default=0))


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
