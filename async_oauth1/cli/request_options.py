"""Options of the commands about requests: `explain`, `verify`, `sign` and `doctor`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from .console import CommandError

__all__ = [
    "CLIENT_SECRET",
    "TOKEN_SECRET",
    "AllowedHostOption",
    "AtOption",
    "BaseUrlOption",
    "ClientIdOption",
    "EntryOption",
    "FormatOption",
    "KnownStoreOption",
    "NoClientSecret",
    "NoTokenSecret",
    "PrivateKeyOption",
    "PublicKeyOption",
    "RequestArgument",
    "TokenOption",
]

CLIENT_SECRET = "ASYNC_OAUTH1_CLIENT_SECRET"
TOKEN_SECRET = "ASYNC_OAUTH1_TOKEN_SECRET"


def _refuse(value: str | None) -> str | None:
    """Refuse a secret on the command line."""
    if value is not None:
        raise CommandError(
            "other users of this machine can read a command line, so secrets are not taken there: set "
            f"{CLIENT_SECRET} and {TOKEN_SECRET}, or answer the prompt; explain and verify also take --store"
        )
    return None


def _check_time(value: float | None) -> float | None:
    """Refuse a time that is infinite or not a number."""
    if value is not None and not math.isfinite(value):
        raise CommandError(f"--at {value}: write the seconds since 1970")
    return value


NoClientSecret = Annotated[
    str | None, typer.Option("--client-secret", "--consumer-secret", hidden=True, callback=_refuse)
]
NoTokenSecret = Annotated[str | None, typer.Option("--token-secret", hidden=True, callback=_refuse)]

RequestArgument = Annotated[
    str,
    typer.Argument(metavar="[REQUEST]", help="A file with the request; - for standard input.", show_default=False),
]
FormatOption = Annotated[
    str, typer.Option("--format", metavar="auto|http|curl|har", help="How the request is written.")
]
EntryOption = Annotated[int | None, typer.Option("--entry", help="Which entry of a HAR file, from 0.")]
BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="What the provider believes it is, as external_base_url."),
]
KnownStoreOption = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Look the secrets up in the provider's store.")
]
PublicKeyOption = Annotated[
    Path | None, typer.Option("--rsa-public-key", metavar="FILE", help="The client's public key, for RSA.")
]
AtOption = Annotated[
    float | None,
    typer.Option("--at", metavar="SECONDS", callback=_check_time, help="Unix time at which the request arrived."),
]
AllowedHostOption = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", metavar="HOST", help="A host of the provider, as in allowed_hosts; repeatable."),
]
ClientIdOption = Annotated[
    str,
    typer.Option("--client-id", envvar="ASYNC_OAUTH1_CLIENT_ID", metavar="ID", help="Sent as oauth_consumer_key."),
]
TokenOption = Annotated[
    str | None, typer.Option("--token", envvar="ASYNC_OAUTH1_TOKEN", metavar="TOKEN", help="Sent as oauth_token.")
]
PrivateKeyOption = Annotated[
    Path | None, typer.Option("--rsa-private-key", metavar="FILE", help="The client's private key, for RSA.")
]
