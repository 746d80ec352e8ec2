"""The command ``async-oauth1 explain``: why the signature of a saved request does not verify."""

from __future__ import annotations

import getpass
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from async_oauth1.credentials import Client
from async_oauth1.explain import Cause, Explanation, Secrets, explain
from async_oauth1.explain.readers import Format, ReadError, Source, read_source
from async_oauth1.explain.report import Marker, report
from async_oauth1.policy import Policy
from async_oauth1.protocol.rsa_keys import public_key
from async_oauth1.protocol.signature import SIGNATURE_METHODS
from async_oauth1.stores import Store

from .console import CommandError, print_json, print_lines, printable
from .options import JsonOption
from .store_access import with_store

__all__ = ["explain_command"]

_CLIENT_SECRET = "ASYNC_OAUTH1_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_TOKEN_SECRET = "ASYNC_OAUTH1_TOKEN_SECRET"  # noqa: S105 - the name of a variable
_NO_SECRETS_HERE = (
    "other users of this machine can read a command line, so secrets are not taken there: set "
    f"{_CLIENT_SECRET} and {_TOKEN_SECRET}, answer the prompt, or use --store"
)


def explain_command(  # noqa: PLR0913 - one parameter for each option
    request: Annotated[
        str, typer.Argument(metavar="[REQUEST]", help="A file with the request; - for standard input.", show_default=False)
    ] = "-",
    fmt: Annotated[str, typer.Option("--format", metavar="auto|http|curl|har", help="How the request is written.")] = "auto",
    entry: Annotated[int | None, typer.Option("--entry", help="Which entry of a HAR file, from 0.")] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="What the provider believes it is, as external_base_url.")
    ] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="Look the secrets up in the provider's store.")
    ] = None,
    rsa_public_key: Annotated[
        Path | None, typer.Option("--rsa-public-key", metavar="FILE", help="The client's public key, for RSA.")
    ] = None,
    at: Annotated[float | None, typer.Option("--at", metavar="SECONDS", help="Unix time at which the request arrived.")] = None,
    client_secret: Annotated[str | None, typer.Option("--client-secret", hidden=True)] = None,
    token_secret: Annotated[str | None, typer.Option("--token-secret", hidden=True)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say why the signature of a request does not verify. Exit status: 0 if it does, 1 if it does not."""
    if client_secret is not None or token_secret is not None:
        raise CommandError(_NO_SECRETS_HERE)
    source = _read(request, fmt, base_url, entry)
    now = at if at is not None else source.at
    notes: list[str] = []
    if store is not None:
        keys, policy, causes = _from_store(store, source)
    else:
        keys, policy, causes = _from_environment(source, rsa_public_key, notes), _every_method(), ()
    explanation = explain(source.request, keys, policy=policy, now=now)
    if causes:
        explanation = replace(explanation, verifies=False, causes=(*causes, *explanation.causes))
    if now is None:
        notes.append(_age(source))
    _print(explanation, tuple(filter(None, notes)), as_json=as_json)
    raise typer.Exit(0 if explanation.verifies else 1)


def _read(request: str, fmt: str, base_url: str | None, entry: int | None) -> Source:
    if fmt not in ("auto", "http", "curl", "har"):
        raise CommandError(f"--format {printable(fmt)}: write auto, http, curl or har")
    try:
        octets = sys.stdin.buffer.read() if request == "-" else Path(request).read_bytes()
    except OSError as error:
        raise CommandError(f"{printable(request)}: {error.strerror}") from None
    kind: Format = fmt  # type: ignore[assignment]  # checked above
    try:
        return read_source(octets, format=kind, base_url=base_url, entry=entry)
    except ReadError as error:
        raise CommandError(str(error)) from None


def _every_method() -> Policy:
    return Policy(signature_methods=tuple(SIGNATURE_METHODS), require_https=False)


def _from_environment(source: Source, rsa_public_key: Path | None, notes: list[str]) -> Secrets:
    key = None if rsa_public_key is None else _rsa_key(rsa_public_key)
    client_secret = os.environ.get(_CLIENT_SECRET)
    token_secret = os.environ.get(_TOKEN_SECRET)
    asks = sys.stdin.isatty()
    if client_secret is None and key is None:
        if not asks:
            raise CommandError(
                f"no secret is known: set {_CLIENT_SECRET} (and {_TOKEN_SECRET}), or use --store or --rsa-public-key"
            )
        client_secret = getpass.getpass("Client secret: ")
    if token_secret is None and source.request.protocol.get("oauth_token"):
        if asks:
            token_secret = getpass.getpass("Token secret (empty if there is none): ")
        elif key is None:
            notes.append(f"The token secret was taken for empty; set {_TOKEN_SECRET} to give it.")
    return Secrets(
        client_secrets=() if client_secret is None else (client_secret,),
        token_secret=token_secret or "",
        rsa_public_key=key,
    )


def _rsa_key(path: Path) -> str:
    try:
        pem = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not PEM"
        raise CommandError(f"{path}: {reason}") from None
    if public_key(pem) is None:
        raise CommandError(f"{path}: it is not an RSA public key in PEM of at least 1,024 bits")
    return pem


def _from_store(url: str, source: Source) -> tuple[Secrets, Policy, tuple[Cause, ...]]:
    """The secrets of the request's client and token, also those that have ended."""
    sent = source.request.protocol
    client_id, token = sent.get("oauth_consumer_key", ""), sent.get("oauth_token", "")

    async def work(opened: Store) -> tuple[Secrets, Policy, tuple[Cause, ...]]:
        client = next((each for each in await opened.list_clients() if each.client_id == client_id), None)
        tokens = await opened.list_token_credentials()
        credential = next((each for each in tokens if each.oauth_token == token), None) if token else None
        temporary = await opened.get_temporary_credential(token) if token and credential is None else None
        found = credential or temporary
        causes = tuple(_credential_causes(client, found, client_id, token))
        secret = found.oauth_token_secret if found is not None else ""
        return _client_secrets(client, secret), _policy_of(client), causes

    return with_store(url, work)


def _client_secrets(client: Client | None, token_secret: str) -> Secrets:
    if client is None:
        return Secrets(token_secret=token_secret)
    now = time.time()
    ends = client.overlaps_end_at or (None,) * len(client.overlapping_secrets)
    pairs = list(zip(client.overlapping_secrets, ends, strict=True))
    current = tuple(secret for secret, end in pairs if end is None or end > now)
    return Secrets(
        client_secrets=(*((client.client_secret,) if client.client_secret else ()), *current),
        token_secret=token_secret,
        rsa_public_key=client.rsa_public_key,
        former=tuple(("client", secret) for secret, end in pairs if end is not None and end <= now),
    )


def _policy_of(client: Client | None) -> Policy:
    methods = client.get_signature_methods() if client is not None else None
    return Policy(signature_methods=methods or tuple(SIGNATURE_METHODS), require_https=False)


def _credential_causes(client: Client | None, found: object, client_id: str, token: str) -> list[Cause]:
    if client is None:
        text = f"The store has no client {printable(client_id[:80])!r}."
        return [Cause("credentials", text, "Register the client, or correct oauth_consumer_key.")]
    if token and found is None:
        text = f"The store has no token {printable(token[:80])!r}: it is unknown, revoked, exchanged or expired."
        return [Cause("credentials", text, "Let the client ask for a new token.")]
    if found is not None and getattr(found, "client_id", client_id) != client_id:
        return [Cause("credentials", "The token belongs to another client.", "Use the token of this client.")]
    return []


def _age(source: Source) -> str:
    timestamp = source.request.protocol.get("oauth_timestamp", "")
    if not timestamp.isdigit() or len(timestamp) > 12:
        return ""
    return f"The clock was not judged; the timestamp is {int(time.time()) - int(timestamp)} seconds old. Use --at to judge it."


def _print(explanation: Explanation, notes: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(explanation), "causes": [_cause_as_json(cause) for cause in explanation.causes]})
        return
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print_lines([_safe(line) for line in report(explanation, marker=Marker(colour=colour), notes=notes)])


def _safe(line: str) -> str:
    return "".join(character if character.isprintable() or character == "\x1b" else "?" for character in line)


def _cause_as_json(cause: Cause) -> dict[str, object]:
    shown = {"code": cause.code, "text": cause.text, "fix": cause.fix}
    return {**shown, "together": True} if cause.together else shown
