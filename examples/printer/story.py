"""The flow for people: a short screen for each step, with the base string as it is built."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qsl

import httpx2
from rich.text import Text

from async_oauth1 import SIGNATURE_METHODS, OAuth1Request, SigningKeys

from .wire import Heading, Wire

#: How many steps the flow has.
STEPS = 8
#: Columns, at most; a screen has 24 lines of 80.
WIDTH = 80
_LABELS = 16
_CUT = re.compile(r"(?<=[ &])|(?=%)")
_TITLE = re.compile(r"<title>(.*?)</title>")


class Story(Wire):
    """Tell the flow in short steps, and show what is signed."""

    def __init__(self, *, colored: bool = True) -> None:
        """Print to standard output, in colours if it is a terminal."""
        super().__init__(colored=colored)
        self.console.width = min(WIDTH, self.console.width)

    def step(self, heading: Heading, answer: Heading | None = None) -> None:
        """Begin a step: its title, and what happens in it."""
        self.steps += 1
        self.answer = answer
        self.console.print()
        title = Text(f"Step {self.steps} of {STEPS}: {heading.title}", style="bold")
        self.console.rule(title, align="left", characters="-", style="dim")
        self.console.print(textwrap.fill(heading.text, self.console.width))
        self.console.print()

    def print_photo(self, text: str) -> None:
        """Say that the photo is there: its members were shown when it arrived."""
        self.tell("The printer has the photo.")

    def tell(self, text: str) -> None:
        """Print a remark."""
        self.console.print(Text(f"\n{text}", style="bold green"))

    def show(self, octets: bytes, direction: str, url: httpx2.URL) -> None:
        """Show what matters of a message."""
        head, _, body = octets.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        if not direction.startswith("sent"):
            self._show_response(int(first.split()[1]), dict(headers), body.decode("utf-8", "replace"))
            return
        method, target, _ = first.split()
        if "authorization" not in dict(headers):
            self._line(f"-> {method} {target}", "cyan")
        elif self.answer is None:
            self._line(f"-> {method} {target}", "cyan")
            self._rows(_signed(dict(headers)["authorization"]), "cyan")
        else:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
            self._show_signing(method, target.encode(), raw, url, body)

    def _show_signing(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], url: httpx2.URL, body: bytes
    ) -> None:
        """The base string, part by part, and the signature.

        Raises:
            ValueError: the request that was sent has another signature.
        """
        path, _, query = target.partition(b"?")
        host = url.netloc.decode()
        request = OAuth1Request(
            method, scheme=url.scheme, host=host, raw_path=path, raw_query=query, headers=headers, body=body
        )
        text = request.signature_base_string
        if SIGNATURE_METHODS["HMAC-SHA1"].sign(text, SigningKeys(*self.secrets)) != request.signature:
            raise ValueError("the base string that is shown is not the one that was signed")
        verb, address, parameters = text.split("&")
        self._row("  method", verb, "green")
        self._row("  address     &", address, "yellow")
        self._row("  parameters  &", parameters.replace("%26", "\n%26"), "cyan")
        self.console.print()
        self._row("  key", "&".join(self.secrets), "red")
        self._row("  signature", f"HMAC-SHA1(key, base string) = {request.signature}", "bold magenta")

    def _show_response(self, status: int, headers: dict[str, str], body: str) -> None:
        """The status, and the fields of a form, the members of JSON, the address of a redirect or a page's title."""
        target = headers.get("location", "")
        line = f"<- {status} {HTTPStatus(status).phrase}"
        kind = headers.get("content-type", "")
        if target.startswith("http"):
            address, _, query = target.partition("?")
            self._line(f"{line}, to {address}", "magenta")
            self._rows(parse_qsl(query), "magenta")
        elif target:
            self._line(f"{line}, to {target}", "magenta")
        elif title := _TITLE.search(body):
            self._line(f"{line}, a page: {title[1]}", "magenta")
        else:
            self._line(line, "magenta" if status < 400 else "bold red")
            self._rows(_members(body) if "json" in kind else parse_qsl(body), "magenta")

    def _rows(self, fields: Iterable[tuple[str, str]], style: str) -> None:
        for name, value in fields:
            label = f"   {name}:" if name.startswith('"') else f"   {name} ="
            self._row(label, value, style)

    def _row(self, label: str, value: str, style: str) -> None:
        """A label, and a value in lines of its own width."""
        indent = max(_LABELS, len(label) + 1)
        for number, line in enumerate(_folded(value, self.console.width - indent)):
            start = (label if number == 0 else "").ljust(indent)
            self.console.print(Text.assemble((start, "dim"), (line, style)), soft_wrap=True)

    def _line(self, text: str, style: str) -> None:
        """A line, cut at the width of the screen."""
        width = self.console.width
        self.console.print(Text(text if len(text) <= width else f"{text[: width - 3]}...", style=style), soft_wrap=True)


def _signed(header: str) -> Iterable[tuple[str, str]]:
    """The parameters of an Authorization header that are new in this step."""
    parameters: list[tuple[str, str]] = re.findall(r'(\w+)="([^"]*)"', header)
    return [(name, value) for name, value in parameters if name in ("oauth_token", "oauth_verifier", "oauth_signature")]


def _members(body: str) -> Iterable[tuple[str, str]]:
    """The members of a JSON object, as they are written there."""
    return ((json.dumps(name), json.dumps(value)) for name, value in json.loads(body).items())


def _folded(value: str, width: int) -> list[str]:
    """The lines of a value. Those that are too long are cut at a space, behind ``&`` or before an escape."""
    lines = []
    for line in value.split("\n"):
        rest = line
        while len(rest) > width:
            cuts = [found.start() for found in _CUT.finditer(rest, 1, width + 1) if found.start() <= width]
            cut = cuts[-1] if cuts else width
            lines.append(rest[:cut].rstrip())
            rest = rest[cut:]
        lines.append(rest)
    return lines
