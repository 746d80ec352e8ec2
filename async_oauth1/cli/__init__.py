"""The command ``async-oauth1``: who runs a provider looks after its credentials with it.

What scripts read goes to stdout and is never folded; everything else goes to stderr. Any failure is one line there and
exit status 2. Secrets are printed when they are made, and never again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import typer

from async_oauth1.errors import OAuth1Error
from async_oauth1.stores import StoreError
from async_oauth1.stores.encryption import new_key

from . import clients as _clients
from . import tokens as _tokens
from .console import (
    CommandError,
    JsonOption,
    StoreOption,
    print_json,
    print_lines,
    printable,
    say,
    shared_store,
    with_store,
)

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    help="Runs an OAuth 1.0 provider's store.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,  # a URL with its password among them; older releases of typer show them
)
app.add_typer(_clients.app, name="client")
app.add_typer(_tokens.app, name="token")


@app.callback()
def _root() -> None:
    """Runs an OAuth 1.0 provider's store."""


@app.command("migrate")
def migrate(store: StoreOption, *, as_json: JsonOption = False) -> None:
    """Create the store's tables, or bring them up to date; to be run before a new release is."""
    opened = shared_store(store)
    asyncio.run(opened.migrate())
    if as_json:
        print_json({"store": opened.url, "up_to_date": True})
    else:
        say(f"{opened.url}: up to date.")


@app.command("keygen")
def keygen(*, as_json: JsonOption = False) -> None:
    """Print a new key to encrypt secrets with, for the front of ASYNC_OAUTH1_KEYS."""
    key = new_key()
    if as_json:
        print_json({"key": key})
    else:
        print_lines([key])


@app.command("reencrypt")
def reencrypt(store: StoreOption, *, as_json: JsonOption = False) -> None:
    """Encrypt every secret under the first of the keys in ASYNC_OAUTH1_KEYS; the provider may run meanwhile."""
    count = with_store(store, lambda opened: opened.reencrypt())
    if as_json:
        print_json({"reencrypted": count})
    else:
        say(f"Encrypted {count} record{'' if count == 1 else 's'}; all are under the newest key.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; ``None`` for those of the process.

    Returns:
        The exit status: 0, 2 for any failure, 130 when interrupted.
    """
    try:
        status = app(list(sys.argv[1:] if arguments is None else arguments), "async-oauth1", standalone_mode=False)
    except KeyboardInterrupt:
        status = _INTERRUPTED
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        return _failed(reason)
    if status == _INTERRUPTED:  # typer turns the exception into this number
        return _failed("interrupted", _INTERRUPTED)
    return status if isinstance(status, int) else 0


def _reason(error: Exception) -> str | None:
    """What the user reads; ``None`` for a defect of this program."""
    if isinstance(error, OAuth1Error):  # StoreUnavailableError: the store broke while it was in use
        return str(error.description or error.error)
    if isinstance(error, (CommandError, StoreError)):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # Which of click's exceptions typer raises depends on its version; all of them can format themselves.
    format_message = getattr(error, "format_message", None)
    return str(format_message()) if callable(format_message) else None


def _failed(message: str, status: int = 2) -> int:
    line = printable(" ".join(message.split()))
    try:
        sys.stderr.write(f"async-oauth1: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # the reader of our output is gone
    return status
