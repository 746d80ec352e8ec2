"""What every command shares: options, opening stores, printing, and mistakes in one line."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from async_oauth1.stores import Store, TransientStore, open_store
from async_oauth1.stores.caching.store import CachingStore, open_notifier

__all__ = [
    "CommandError",
    "JsonOption",
    "NotifyOption",
    "StoreOption",
    "mistakes",
    "moment",
    "print_json",
    "print_lines",
    "print_once",
    "print_rows",
    "printable",
    "say",
    "seconds",
    "shared_store",
    "with_store",
]

T = TypeVar("T")

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="ASYNC_OAUTH1_STORE",
        metavar="URL",
        help="Where the provider keeps clients: sqlite:///PATH or postgresql://...",
    ),
]
NotifyOption = Annotated[
    str | None,
    typer.Option(
        "--notify",
        envvar="ASYNC_OAUTH1_NOTIFY",
        metavar="URL",
        help="redis://...: whom to tell of the change, where the provider's caches listen there.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# Whatever is longer was a typing mistake: a hundred years.
_MAX_SECONDS = 100 * 366 * 86_400


class CommandError(Exception):
    """What the user reads on stderr, in one line."""


def shared_store(url: str) -> Store | TransientStore:
    """The store of a URL, if another process can see what is done to it.

    Raises:
        CommandError: it cannot.
    """
    store = open_store(url)
    if not store.shared:
        raise CommandError(f"{store.url}: a store in memory is another process's; use sqlite:///PATH")
    return store


def with_store(
    url: str,
    work: Callable[[Store], Coroutine[object, object, T]],
    *,
    migrates: bool = False,
    notify: str | None = None,
) -> T:
    """Do something with an open store.

    Args:
        url: of the store.
        work: what to do.
        migrates: create the store where it is missing.
        notify: URL of whom to tell.

    Raises:
        CommandError: the store keeps no clients.
    """
    opened = shared_store(url)
    if not isinstance(opened, Store):
        raise CommandError(f"{opened.url}: keeps nonces and temporary credentials, no clients; use postgresql://...")
    store: Store = CachingStore(opened, open_notifier(notify)) if notify else opened

    async def run() -> T:
        if migrates:
            await store.migrate()
        async with store:
            return await work(store)

    return asyncio.run(run())


@contextmanager
def mistakes() -> Generator[None]:
    """Say what a store refuses as the user's mistake, which it is here."""
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error)) from error


def seconds(option: str, text: str) -> int:
    """A time: ``90``, ``90s``, ``15m``, ``12h`` or ``30d``.

    Raises:
        CommandError: it is none.
    """
    match = re.fullmatch(r"(\d{1,12})([smhd]?)", text, re.ASCII)
    number = int(match[1]) * _UNITS[match[2]] if match else -1
    if not 0 <= number <= _MAX_SECONDS:
        raise CommandError(f"{option} {printable(text)}: a time is written 90s, 15m, 12h or 30d")
    return number


def moment(timestamp: float | None) -> str:
    """Unix time for people."""
    if timestamp is None:
        return "never"
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):  # in a year that no calendar has
        return f"{timestamp:.0f}"


def print_json(value: object) -> None:
    """One object or array, on one line."""
    print_lines([json.dumps(value)])


def print_once(values: dict[str, Any], *, as_json: bool, lost: str) -> None:
    """Print what is shown this once: labelled lines, or one JSON object.

    Args:
        values: a secret among them.
        as_json: one object, whatever is in it.
        lost: what to say where it cannot be written.

    Raises:
        CommandError: it could not be written.
    """
    try:
        if as_json:
            print_json(values)
        else:
            print_lines([f"{label}: {value}" for label, value in values.items()])
    except OSError as error:
        raise CommandError(lost.format(reason=error.strerror)) from error


def print_lines(lines: Sequence[str]) -> None:
    """Print to stdout, whole or not at all."""
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer would be tried again, and complained about, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], *, piped: int) -> None:
    """A table on a terminal, else one line for each row with tabs between the first columns, as many as are piped."""
    if not sys.stdout.isatty():
        print_lines(["\t".join(printable(value) for value in row[:piped]) for row in rows])
        return
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text("\n".join(printable(line) for line in value.split("\n"))) for value in row))
    Console().print(table)


def printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


def say(message: str) -> None:
    """Something for people, on stderr."""
    Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(message, style="dim")
