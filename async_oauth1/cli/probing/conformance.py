"""The command ``async-oauth1 conformance``: what RFC 5849 requires of a server, tried from outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from async_oauth1.explain.report import Marker
from async_oauth1.probing import UnreachableError
from async_oauth1.probing.requirements import NotAProviderError, Result, check_provider, try_requirements

from ..console import CommandError, print_json, print_lines, printable
from ..options import JsonOption
from ..request_options import ClientIdOption, NoClientSecret, NoTokenSecret, PrivateKeyOption, TokenOption
from .sessions import CAFileOption, checked_path, open_session

__all__ = ["conformance_command"]

_MARKS = {True: "met", False: "not met", None: "not tried"}


def conformance_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="The provider's URL.")],
    client_id: ClientIdOption,
    token: TokenOption = None,
    protected: Annotated[
        str, typer.Option("--protected-path", metavar="PATH", help="Below URL: answers a signed GET with 2xx.")
    ] = "/",
    initiate: Annotated[
        str, typer.Option("--initiate-path", metavar="PATH", help="Below URL: issues temporary credentials.")
    ] = "/initiate",
    exchange: Annotated[
        str, typer.Option("--token-path", metavar="PATH", help="Below URL: issues token credentials.")
    ] = "/token",
    rsa_private_key: PrivateKeyOption = None,
    ca_file: CAFileOption = None,
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Try what RFC 5849 requires of a server. Exit status: 0 if each MUST is met, 1 if one is not."""
    checked_path("--initiate-path", initiate)
    checked_path("--token-path", exchange)
    session = open_session(
        url, protected, client_id=client_id, token=token, rsa_private_key=rsa_private_key, ca_file=ca_file
    )
    try:
        check_provider(session)
    except (NotAProviderError, UnreachableError) as error:
        raise CommandError(printable(str(error))) from None
    results = list(try_requirements(session, initiate=initiate, token=exchange))
    conforms = all(result.met is not False for result in results if result.level != "SHOULD")
    if as_json:
        print_json({"conforms": conforms, "requirements": [asdict(result) for result in results]})
    else:
        print_lines(list(_table(results)))
    raise typer.Exit(0 if conforms else 1)


def _table(results: list[Result]) -> Iterable[str]:
    marker = Marker(colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    yield f"{'section':<8} {'level':<9} {'result':<10} requirement"
    for result in results:
        mark = f"{_MARKS[result.met]:<10}"
        shown = marker.good(mark) if result.met else marker.bad(mark) if result.met is False else mark
        detail = "" if result.met else f" {result.detail}"
        yield f"{result.section:<8} {result.level:<9} {shown} {printable(result.text + detail)}"
    yield ""
    broken = [result for result in results if result.met is False]
    musts = sum(result.level != "SHOULD" for result in broken)
    tried = sum(result.met is not None for result in results)
    yield f"Of {tried} requirements that were tried, {musts} (MUST) and {len(broken) - musts} (SHOULD) are not met."
