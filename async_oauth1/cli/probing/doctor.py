"""The command ``async-oauth1 doctor``: try a running provider from outside, and say what is misconfigured."""

from __future__ import annotations

import os
import ssl
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from async_oauth1.explain.readers import ReadError, split_url
from async_oauth1.explain.report import Marker
from async_oauth1.probing import PROBES, Connections, Finding, Session, Target, UnreachableError, examine
from async_oauth1.probing.connection import address_of
from async_oauth1.probing.signing import Credentials
from async_oauth1.protocol.hosts import normalize_host

from ..console import CommandError, print_json, print_lines, printable
from ..known_secrets import signing_keys
from ..options import JsonOption
from ..request_options import ClientIdOption, NoClientSecret, NoTokenSecret, PrivateKeyOption, TokenOption

__all__ = ["doctor_command", "protected_path", "provider_url", "trusted_certificates"]


def doctor_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="The provider's URL, as external_base_url.")],
    client_id: ClientIdOption,
    token: TokenOption = None,
    protected: Annotated[
        str,
        typer.Option(
            "--protected-path",
            metavar="PATH",
            help="Below URL: answers a signed GET with 2xx. Best: a route for all methods and any path below.",
        ),
    ] = "/",
    rsa_private_key: PrivateKeyOption = None,
    upstream: Annotated[
        list[str] | None,
        typer.Option("--upstream", metavar="HOST:PORT", help="By which the proxy calls the provider; repeatable."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="Certificates to trust besides the system's.")
    ] = None,
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Try a running provider with a test client. Exit status: 0 if all is well, 1 if something is wrong."""
    scheme, host, prefix = provider_url(url)
    path, query = protected_path(prefix, protected)
    tls = trusted_certificates(ca_file)
    keys = signing_keys(rsa_private_key, has_token=token is not None)
    if not keys.client_secret and not keys.rsa_key:
        raise CommandError("the client secret is empty, so nothing can be signed; use a client with a secret or a key")
    target = Target(
        scheme=scheme,
        host=host,
        prefix=prefix,
        path=path,
        query=query,
        credentials=Credentials(client_id=client_id, keys=keys, token=token),
        upstreams=tuple(_checked_host("--upstream", name, scheme) for name in upstream or ()),
    )
    session = Session(target, Connections(scheme, host, tls))
    try:
        session.connections.reach()
    except UnreachableError as error:
        raise CommandError(printable(str(error))) from None
    findings = list(examine(session, PROBES))
    is_well = all(finding.level != "wrong" for finding in findings)
    if as_json:
        print_json({"well": is_well, "requests": session.connections.sent, "findings": [asdict(f) for f in findings]})
    else:
        print_lines(list(_report(findings, session)))
    raise typer.Exit(0 if is_well else 1)


def provider_url(url: str) -> tuple[str, str, str]:
    """The scheme, host and path prefix of a provider's URL.

    Raises:
        CommandError: it is no absolute URL, or has more parts.
    """
    try:
        scheme, host, path, query, fragment = split_url(url)
    except ReadError:
        raise CommandError("URL: write an absolute http or https URL") from None
    if query or fragment is not None or "@" in url.partition("://")[2].partition("/")[0]:
        raise CommandError("URL: leave user, query and fragment out; --protected-path may have a query")
    return scheme, _checked_host("URL", host, scheme), path.decode().rstrip("/")


def _checked_host(option: str, host: str, scheme: str) -> str:
    from async_oauth1.errors import OAuth1Error

    try:
        address_of(host, scheme)
        return normalize_host(host, scheme)
    except (ValueError, OAuth1Error):
        raise CommandError(f"{option}: {printable(host[:80])!r} is not a host with an optional port") from None


def protected_path(prefix: str, protected: str) -> tuple[str, str]:
    """The path and the query of ``--protected-path``.

    Raises:
        CommandError: it is no path.
    """
    path, _, query = protected.partition("?")
    if not path.startswith("/") or not (protected.isascii() and protected.isprintable()) or set(" #") & set(protected):
        raise CommandError("--protected-path: write a path that begins with a slash, percent-encoded")
    return prefix + path, query


def trusted_certificates(ca_file: Path | None) -> ssl.SSLContext:
    """What TLS connections trust.

    Raises:
        CommandError: the file cannot be read.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            reason = "is no file of certificates in PEM" if isinstance(error, ssl.SSLError) else "cannot be read"
            raise CommandError(f"--ca-file {printable(str(ca_file))}: {reason}") from None
    return context


def _report(findings: Iterable[Finding], session: Session) -> Iterable[str]:
    marker = Marker(colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    wrong = 0
    for finding in findings:
        mark = {"ok": marker.good, "wrong": marker.bad}.get(finding.level, str)
        wrong += finding.level == "wrong"
        lines = textwrap.wrap(printable(f"{finding.probe}: {finding.text}"), 100, subsequent_indent=" " * 9)
        yield f"{mark(f'{finding.level:<8}')} {lines[0]}"
        yield from lines[1:]
        if finding.fix:
            indent = " " * 11
            yield from textwrap.wrap(
                printable(f"To do: {finding.fix}"), 100, initial_indent=indent, subsequent_indent=indent
            )
    yield ""
    sent = f"{session.connections.sent} requests were sent."
    yield (
        f"Nothing is wrong. {sent}"
        if not wrong
        else f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong. {sent}"
    )
