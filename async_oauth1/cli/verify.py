"""The command ``async-oauth1 verify``: whether a saved request verifies, in one line."""

from __future__ import annotations

import typer

from async_oauth1.explain.report import Marker, verdict

from .console import print_json, print_lines
from .explain import explain_source
from .options import JsonOption
from .request_options import (
    AllowedHostOption,
    AtOption,
    BaseUrlOption,
    EntryOption,
    FormatOption,
    KnownStoreOption,
    NoClientSecret,
    NoTokenSecret,
    PublicKeyOption,
    RequestArgument,
)
from .saved_requests import read_request

__all__ = ["verify_command"]


def verify_command(
    request: RequestArgument = "-",
    fmt: FormatOption = "auto",
    entry: EntryOption = None,
    base_url: BaseUrlOption = None,
    store: KnownStoreOption = None,
    rsa_public_key: PublicKeyOption = None,
    at: AtOption = None,
    allowed_hosts: AllowedHostOption = None,
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say in one line whether a request verifies. Exit status: 0 if it does, 1 if it does not."""
    source = read_request(request, fmt, base_url, entry)
    explanation, _ = explain_source(source, store, rsa_public_key, at, allowed_hosts or [])
    if as_json:
        print_json({"verifies": explanation.verifies, "causes": [cause.code for cause in explanation.causes]})
    else:
        print_lines([verdict(explanation, Marker(colour=False))])
    raise typer.Exit(0 if explanation.verifies else 1)
