"""The command ``async-oauth1 explain``: why the signature of a saved request does not verify."""

from __future__ import annotations

import math
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from async_oauth1.explain import Cause, Explanation, explain
from async_oauth1.explain.readers import FORMATS, MAX_OCTETS, ReadError, Source, read_source
from async_oauth1.explain.report import Marker, report
from async_oauth1.explain.said import explain_said, find_base_string

from .console import CommandError, print_json, print_lines, printable
from .known_secrets import CLIENT_SECRET, TOKEN_SECRET, from_environment, from_store, is_given
from .options import JsonOption

__all__ = ["explain_command"]

_NO_SECRETS_HERE = (
    "other users of this machine can read a command line, so secrets are not taken there: set "
    f"{CLIENT_SECRET} and {TOKEN_SECRET}, answer the prompt, or use --store"
)


def explain_command(
    request: Annotated[
        str,
        typer.Argument(metavar="[REQUEST]", help="A file with the request; - for standard input.", show_default=False),
    ] = "-",
    fmt: Annotated[
        str, typer.Option("--format", metavar="auto|http|curl|har", help="How the request is written.")
    ] = "auto",
    entry: Annotated[int | None, typer.Option("--entry", help="Which entry of a HAR file, from 0.")] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="What the provider believes it is, as external_base_url."),
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Look the secrets up in the provider's store.")
    ] = None,
    rsa_public_key: Annotated[
        Path | None, typer.Option("--rsa-public-key", metavar="FILE", help="The client's public key, for RSA.")
    ] = None,
    at: Annotated[
        float | None, typer.Option("--at", metavar="SECONDS", help="Unix time at which the request arrived.")
    ] = None,
    provider_said: Annotated[
        str | None,
        typer.Option(
            "--provider-said",
            metavar="FILE|TEXT",
            help="The body of another provider's 401, or the base string in it; no secret is needed.",
        ),
    ] = None,
    client_secret: Annotated[str | None, typer.Option("--client-secret", hidden=True)] = None,
    token_secret: Annotated[str | None, typer.Option("--token-secret", hidden=True)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say why the signature of a request does not verify. Exit status: 0 if it does, 1 if it does not."""
    if client_secret is not None or token_secret is not None:
        raise CommandError(_NO_SECRETS_HERE)
    if at is not None and not math.isfinite(at):
        raise CommandError("--at: write the seconds since 1970")
    said = None if provider_said is None else _base_string_in(provider_said)
    source = _read(request, fmt, base_url, entry)
    now = at if at is not None else source.at
    if said is not None:
        explanation, notes = _explain_said(source, said, store, rsa_public_key)
    else:
        explanation, notes = _explain(source, store, rsa_public_key, now)
    _print(explanation, notes, as_json=as_json)
    raise typer.Exit(0 if explanation.verifies else 1)


def _explain(
    source: Source, store: str | None, rsa_public_key: Path | None, now: float | None
) -> tuple[Explanation, tuple[str, ...]]:
    request = source.request
    known = from_environment(request, rsa_public_key) if store is None else from_store(store, request)
    explanation = explain(source.request, known.secrets, policy=known.policy, now=now)
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
            text = _bounded(file.read(MAX_OCTETS + 1)).decode("utf-8", "replace")
    except (OSError, ValueError):  # it is no file, but the text itself
        text = said
    found = find_base_string(text)
    if found is None:
        raise CommandError("--provider-said: there is no signature base string (METHOD&http...&...oauth_...) in it")
    return found


def _read(request: str, fmt: str, base_url: str | None, entry: int | None) -> Source:
    if fmt not in FORMATS:
        raise CommandError(f"--format {printable(fmt)}: write auto, http, curl or har")
    try:
        return read_source(_octets(request), kind=fmt, base_url=base_url, entry=entry)
    except ReadError as error:
        raise CommandError(str(error)) from None


def _octets(request: str) -> bytes:
    try:
        if request == "-":
            return _bounded(sys.stdin.buffer.read(MAX_OCTETS + 1))
        with Path(request).open("rb") as file:
            return _bounded(file.read(MAX_OCTETS + 1))
    except OSError as error:
        raise CommandError(f"{printable(request)}: {error.strerror}") from None
    except ValueError:
        raise CommandError(f"{printable(request)}: no file can have this name") from None


def _bounded(octets: bytes) -> bytes:
    if len(octets) > MAX_OCTETS:
        raise CommandError(f"the input is larger than {MAX_OCTETS // 1024**2} MiB")
    return octets


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
