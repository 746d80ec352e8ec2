"""The command ``async-oauth1 doctor``: try a running provider from outside, and say what is misconfigured."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from async_oauth1.explain.report import Marker
from async_oauth1.probing import PROBES, Finding, Session, UnreachableError, examine

from ..console import CommandError, print_json, print_lines, printable
from ..options import JsonOption
from ..request_options import ClientIdOption, NoClientSecret, NoTokenSecret, PrivateKeyOption, TokenOption
from .sessions import CAFileOption, open_session

__all__ = ["doctor_command"]


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
    ca_file: CAFileOption = None,
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Try a running provider with a test client. Exit status: 0 if all is well, 1 if something is wrong."""
    session = open_session(
        url,
        protected,
        client_id=client_id,
        token=token,
        rsa_private_key=rsa_private_key,
        ca_file=ca_file,
        upstreams=upstream or (),
    )
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
