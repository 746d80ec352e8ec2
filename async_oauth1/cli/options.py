"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from async_oauth1.admin.registration import FieldError
from async_oauth1.credentials import NoncePolicy
from async_oauth1.tolerances import check_tolerances

from .console import CommandError, printable

__all__ = [
    "AfterOption",
    "JsonOption",
    "KeyOption",
    "LimitOption",
    "MethodOption",
    "NoncePolicyOption",
    "NotifyOption",
    "QueryOption",
    "SearchOption",
    "StoreOption",
    "TolerateOption",
    "checked_nonce_policy",
    "checked_tolerances",
    "field_errors_as_mistakes",
    "parse_seconds",
]

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
TolerateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tolerate",
        metavar="NAME",
        help="Relax a rule for this client; repeatable. An unknown name lists those there are.",
    ),
]
MethodOption = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        metavar="METHOD",
        help="Signature method; repeatable. Default of a new client: HMAC-SHA1, or RSA-SHA1 with a key.",
    ),
]
KeyOption = Annotated[
    Path | None, typer.Option("--rsa-public-key", metavar="FILE.pem", help="The client's RSA public key in PEM.")
]
QueryOption = Annotated[
    bool | None,
    typer.Option(
        "--callback-query-may-differ/--callback-query-must-match",
        help="Whether a callback may have another query than the registered one.",
    ),
]
NoncePolicyOption = Annotated[
    str | None,
    typer.Option(
        "--nonce-policy",
        metavar="POLICY",
        help='"strict" refuses a repeated nonce; "log-only" logs it, so recorded requests can be sent again.',
    ),
]
SearchOption = Annotated[
    str, typer.Option("--search", metavar="TEXT", help="Only those that contain this; upper and lower case are alike.")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="NUMBER", min=1, max=1000, help="At most so many. Default: all.")
]
AfterOption = Annotated[
    str, typer.Option("--after", metavar="CURSOR", help="The next page: the cursor that the page before printed.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# The options for the values of a new client that are checked together.
_OPTIONS = {"name": "--name", "callbacks": "--callback", "signature_methods": "--method"}
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
# A hundred years. A longer time is a typing mistake.
_MAX_SECONDS = 100 * 366 * 86_400


def checked_tolerances(names: Sequence[str]) -> tuple[str, ...]:
    """The values of ``--tolerate``.

    Raises:
        CommandError: one of them is not the name of a tolerance.
    """
    try:
        return check_tolerances(names, of_client=True)
    except ValueError as error:
        raise CommandError(f"--tolerate: {printable(str(error))}") from error


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


def checked_nonce_policy(name: str) -> NoncePolicy:
    """The value of ``--nonce-policy``.

    Raises:
        CommandError: it is unknown.
    """
    if name not in get_args(NoncePolicy):
        raise CommandError(f"--nonce-policy {printable(name)}: unknown; choose from {', '.join(get_args(NoncePolicy))}")
    return cast("NoncePolicy", name)


@contextmanager
def field_errors_as_mistakes() -> Generator[None]:
    """Turn a `FieldError` into a `CommandError` that names the option."""
    try:
        yield
    except FieldError as error:
        raise CommandError(f"{_OPTIONS[error.field]}: {error.reason}") from error
