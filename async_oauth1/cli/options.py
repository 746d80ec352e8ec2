"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from async_oauth1.credentials import RSA_METHODS, NoncePolicy
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.callbacks import check_callback_syntax
from async_oauth1.protocol.signature import SIGNATURE_METHODS
from async_oauth1.tolerances import check_tolerances

from .console import CommandError, printable

__all__ = [
    "DEFAULT_METHOD",
    "DEFAULT_RSA_METHOD",
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
    "checked_callbacks",
    "checked_methods",
    "checked_name",
    "checked_nonce_policy",
    "checked_tolerances",
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

#: The signature method of a client without a key, and of one with a key.
DEFAULT_METHOD, DEFAULT_RSA_METHOD = "HMAC-SHA1", "RSA-SHA1"
_MAX_NAME_LENGTH = 200
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


def checked_name(name: str) -> str:
    """The value of ``--name``.

    Raises:
        CommandError: it is empty or too long, or cannot be shown.
    """
    if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME_LENGTH:
        raise CommandError(f"--name must be 1 to {_MAX_NAME_LENGTH} printable characters on one line")
    return name.strip()


def checked_callbacks(callbacks: Sequence[str]) -> tuple[str, ...]:
    """The values of ``--callback``.

    Raises:
        CommandError: the first step would refuse one of them.
    """
    for callback in callbacks:
        try:
            check_callback_syntax(callback)
        except OAuth1Error as error:
            reason = str(error.description).replace('Invalid "oauth_callback" value: it ', "")
            raise CommandError(f"--callback {printable(callback)}: {reason}") from error
    return tuple(dict.fromkeys(callbacks))


def checked_methods(names: Sequence[str], *, has_key: bool) -> tuple[str, ...]:
    """The values of ``--method``, or the default.

    Raises:
        CommandError: one is unknown, or does not go with the key.
    """
    for name in names:
        if name not in SIGNATURE_METHODS:
            raise CommandError(f"--method {printable(name)}: unknown; choose from {', '.join(SIGNATURE_METHODS)}")
    methods = tuple(dict.fromkeys(names)) or ((DEFAULT_RSA_METHOD,) if has_key else (DEFAULT_METHOD,))
    rsa = [name for name in methods if name in RSA_METHODS]
    if rsa and not has_key:
        raise CommandError(f"--method {rsa[0]} needs --rsa-public-key")
    if has_key and not rsa:
        raise CommandError("--rsa-public-key needs a --method that uses it, such as RSA-SHA256")
    return methods
