"""The command ``async-oauth1 explain``: why the signature of a saved request does not verify."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from async_oauth1.explain import Cause, Explanation, explain
from async_oauth1.explain.readers import MAX_OCTETS, Source
from async_oauth1.explain.report import Marker, report
from async_oauth1.explain.said import explain_said, find_base_string

from .console import CommandError, print_json, print_lines, printable
from .known_secrets import from_environment, from_store, is_given
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
from .saved_requests import bounded, read_request

__all__ = ["explain_command", "explain_source"]


def explain_command(
    request: RequestArgument = "-",
    fmt: FormatOption = "auto",
    entry: EntryOption = None,
    base_url: BaseUrlOption = None,
    store: KnownStoreOption = None,
    rsa_public_key: PublicKeyOption = None,
    at: AtOption = None,
    provider_said: Annotated[
        str | None,
        typer.Option(
            "--provider-said",
            metavar="FILE|TEXT",
            help="The body of another provider's 401, or the base string in it; no secret is needed.",
        ),
    ] = None,
    allowed_hosts: AllowedHostOption = None,
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say why the signature of a request does not verify. Exit status: 0 if it does, 1 if it does not."""
    said = None if provider_said is None else _base_string_in(provider_said)
    source = read_request(request, fmt, base_url, entry)
    if said is not None:
        explanation, notes = _explain_said(source, said, store, rsa_public_key)
    else:
        explanation, notes = explain_source(source, store, rsa_public_key, at, allowed_hosts or [])
    _print(explanation, notes, as_json=as_json)
    raise typer.Exit(0 if explanation.verifies else 1)


def explain_source(
    source: Source, store: str | None, rsa_public_key: Path | None, at: float | None, allowed_hosts: list[str]
) -> tuple[Explanation, tuple[str, ...]]:
    """Explain a saved request, with the secrets of the environment, a prompt or a store.

    Args:
        source: the request.
        store: URL of the provider's store.
        rsa_public_key: file with the client's key.
        at: Unix time of the request's arrival; ``None`` for that of the source. Without either, no clock is judged.
        allowed_hosts: as in the provider's policy.

    Returns:
        The explanation, and sentences about what was assumed.

    Raises:
        CommandError: no secret is known, or an option cannot be used.
    """
    request, now = source.request, source.at if at is None else at
    known = from_environment(request, rsa_public_key) if store is None else from_store(store, request)
    try:
        policy = replace(known.policy, allowed_hosts=tuple(allowed_hosts))
    except ValueError as error:
        raise CommandError(f"--allowed-host: {printable(str(error))}") from None
    explanation = explain(request, known.secrets, policy=policy, now=now)
    explanation = _with_credentials(explanation, known.causes)
    return explanation, known.notes if now is not None else (*known.notes, *_age(source))


def _with_credentials(explanation: Explanation, causes: tuple[Cause, ...]) -> Explanation:
    """The explanation with what is wrong with the credentials in front; a signature of other secrets proves nothing."""
    if not causes:
        return explanation
    together = explanation.signed is not None and bool(explanation.causes)
    every = (*causes, *explanation.causes)
    return replace(explanation, verifies=False, causes=tuple(replace(cause, together=together) for cause in every))


def _explain_said(
    source: Source, said: str, store: str | None, rsa_public_key: Path | None
) -> tuple[Explanation, tuple[str, ...]]:
    if store is not None:
        known = from_store(store, source.request)
    elif is_given(rsa_public_key):
        known = from_environment(source.request, rsa_public_key)
    else:
        return explain_said(source.request, said), ()
    return explain_said(source.request, said, known.secrets), known.notes


def _base_string_in(said: str) -> str:
    """The base string in a file or in a text."""
    try:
        with Path(said).open("rb") as file:
            text = bounded(file.read(MAX_OCTETS + 1)).decode("utf-8", "replace")
    except (OSError, ValueError):  # it is no file, but the text itself
        text = said
    found = find_base_string(text)
    if found is None:
        raise CommandError("--provider-said: there is no signature base string (METHOD&http...&...oauth_...) in it")
    return found


def _age(source: Source) -> tuple[str, ...]:
    timestamp = source.request.protocol.get("oauth_timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        return ()
    seconds = int(time.time()) - int(timestamp)
    age = f"{seconds} seconds old" if seconds >= 0 else f"{-seconds} seconds in the future"
    return (f"The clock was not judged; the timestamp is {age}. Use --at to judge it.",)


def _print(explanation: Explanation, notes: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(explanation), "causes": [_as_json(cause) for cause in explanation.causes]})
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print_lines(list(report(explanation, marker=Marker(colour=colour), notes=notes)))


def _as_json(cause: Cause) -> dict[str, object]:
    shown: dict[str, object] = {"code": cause.code, "text": cause.text, "fix": cause.fix}
    return {**shown, "together": True} if cause.together else shown
