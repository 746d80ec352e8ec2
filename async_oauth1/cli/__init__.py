"""The command ``async-oauth1``, with which operators manage the credentials in a provider's store.

Results go to stdout, in lines that are never folded; messages go to stderr. A failure is one line on stderr and exit
status 2. A secret is printed when it is made, and never again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer

from async_oauth1.errors import OAuth1Error
from async_oauth1.stores import Store, StoreError, TransientStore
from async_oauth1.stores.administration.interface import HasSchema
from async_oauth1.stores.encryption import new_key

from . import audit as _audit
from . import clients as _clients
from . import tokens as _tokens
from .console import CommandError, print_json, print_lines, printable, report
from .explain import explain_command
from .options import JsonOption, StoreOption
from .probing import conformance_command, doctor_command
from .serve import serve_command
from .sign import sign_command
from .store_access import shared_store, with_store
from .verify import verify_command

__all__ = ["app", "main"]

_INTERRUPTED = 130

app = typer.Typer(
    help="Manage the credentials in an OAuth 1.0 provider's store.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,  # they include URLs with passwords; older releases of typer show them
)
app.add_typer(_clients.app, name="client")
app.add_typer(_tokens.app, name="token")
app.add_typer(_audit.app, name="audit")
app.command("explain")(explain_command)
app.command("serve")(serve_command)
app.command("verify")(verify_command)
app.command("sign")(sign_command)
app.command("doctor")(doctor_command)
app.command("conformance")(conformance_command)


def _print_version(is_given: bool) -> None:  # noqa: FBT001 - called by typer
    if is_given:
        print_lines([f"async-oauth1 {version('async-oauth1')}"])
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Manage the credentials in an OAuth 1.0 provider's store."""


@app.command("migrate")
def migrate(
    store: StoreOption,
    *,
    status: Annotated[
        bool, typer.Option("--status", help="Only say whether it is necessary; then the exit status is 1.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create or upgrade the store's tables. Run this before you start a new release of the provider."""
    opened = shared_store(store)
    if status:
        _print_status(opened, as_json=as_json)
        return
    asyncio.run(opened.migrate())
    report({"store": opened.url, "up_to_date": True}, f"{opened.url}: up to date.", as_json=as_json)


def _print_status(store: Store | TransientStore, *, as_json: bool) -> None:
    """Print the versions of the tables.

    Raises:
        Exit: with status 1, if they must be migrated.
    """
    if not isinstance(store, HasSchema):
        report({"store": store.url, "up_to_date": True}, f"{store.url}: has no tables.", as_json=as_json)
        return
    version, needed = asyncio.run(store.schema_versions())
    result = {"store": store.url, "version": version, "needs": needed, "up_to_date": version == needed}
    state = "up to date" if version == needed else _difference(version, needed)
    report(result, f"{store.url}: {state}.", as_json=as_json)
    if version != needed:
        raise typer.Exit(1)


def _difference(version: int, needed: int) -> str:
    has = f"has schema version {version}" if version else "has no tables yet"
    advice = "made by a newer release" if version > needed else "run async-oauth1 migrate"
    return f"{has}, this release needs {needed}; {advice}"


@app.command("keygen")
def keygen(*, as_json: JsonOption = False) -> None:
    """Print a new encryption key. Put it first in ASYNC_OAUTH1_KEYS."""
    key = new_key()
    if as_json:
        print_json({"key": key})
    else:
        print_lines([key])


@app.command("reencrypt")
def reencrypt(store: StoreOption, *, as_json: JsonOption = False) -> None:
    """Encrypt every secret with the first key in ASYNC_OAUTH1_KEYS. The provider can keep running."""
    count = with_store(store, lambda opened: opened.reencrypt())
    message = f"Encrypted {count} record{'' if count == 1 else 's'}; all are under the newest key."
    report({"reencrypted": count}, message, as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; ``None`` for those of the process.

    Returns:
        The exit status: 0, 2 for any failure, 130 when interrupted.
    """
    if not _prepare_output():  # before anything is changed: a new secret would be lost
        return _failed("standard output is closed")
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


def _prepare_output() -> bool:
    """Let stdout escape what its encoding lacks, as stderr does; false if it is closed."""
    stdout: object = sys.stdout  # None if the caller has closed it
    if isinstance(stdout, TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")
    return stdout is not None


def _reason(error: Exception) -> str | None:
    """The message for the user; ``None`` for a defect of this program."""
    if isinstance(error, OAuth1Error):  # StoreUnavailableError: the store failed while it was open
        return str(error.description or error.error)
    if isinstance(error, (CommandError, StoreError)):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # The version of typer decides which exception of click's it raises. All of them have this method.
    format_message = getattr(error, "format_message", None)
    return str(format_message()) if callable(format_message) else None


def _failed(message: str, status: int = 2) -> int:
    line = printable(" ".join(message.split()))
    try:
        sys.stderr.write(f"async-oauth1: {line}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # stderr is closed
    return status
