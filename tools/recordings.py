"""Record what commands print, as pictures: `python -m tools.recordings` writes docs/recordings."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote

from rich.color import ColorType
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from async_oauth1 import SIGNATURE_METHODS, OAuth1Request, SigningKeys

from .imports import ROOT
from .terminal import on_a_terminal

__all__ = ["FOLDER", "RECORDINGS", "demo", "draw", "explain", "lines", "outdated", "shape"]

FOLDER = ROOT / "docs" / "recordings"

#: Seconds for which each screen is shown.
_SECONDS = 7
_CELL, _LINE, _SIZE, _MARGIN = 8.4, 19, 14, 16
_INK, _PAPER, _FAINT = "#e6edf3", "#0d1117", "#9198a1"
#: The colours of a terminal, from red to cyan.
_COLORS = ("#ff7b72", "#7ee787", "#f2cc60", "#79c0ff", "#d2a8ff", "#76e3ea")
_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_STEP = re.compile(r"^(?=[^\n]*Step \d of \d)", re.MULTILINE)
_VALUE = re.compile(r"(=|%3D)[\w+/=%.-]{20,}|^\w{40,}$")
_TEXT = re.compile(r'<text [^>]*y="([0-9]+)"[^>]*>(.*?)</text>')

#: A request that was signed for https, as a provider behind a proxy receives it.
_HEADER = (
    'OAuth oauth_consumer_key="printer", oauth_token="8f2c", oauth_signature_method="HMAC-SHA1", '
    'oauth_timestamp="1700000000", oauth_nonce="7d8f3e4a", oauth_signature="{}"'
)
_SECRETS = SigningKeys("client secret", "token secret")


def demo() -> list[str]:
    """The screens of `make demo`."""
    _, *steps = _STEP.split(on_a_terminal("examples.demo"))
    return [f"$ make demo\n\n{step.rstrip()}" for step in steps]


def explain() -> list[str]:
    """The screen of `async-oauth1 explain`."""
    signed = OAuth1Request(
        "GET",
        scheme="https",
        host="photos.example.net",
        raw_path=b"/photos",
        raw_query=b"size=large",
        headers=[(b"authorization", _HEADER.format("").encode())],
    )
    signature = SIGNATURE_METHODS["HMAC-SHA1"].sign(signed.signature_base_string, _SECRETS)
    head = (
        f"GET /photos?size=large HTTP/1.1\nHost: photos.example.net\nAuthorization: {_HEADER.format(quote(signature))}"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "request.http").write_text(f"{head}\n\n", encoding="utf-8")
        shown = on_a_terminal(
            *("async_oauth1", "explain", "request.http", "--at", "1700000000"),
            cwd=Path(folder),
            may_fail=True,
            ASYNC_OAUTH1_CLIENT_SECRET=_SECRETS.client_secret,
            ASYNC_OAUTH1_TOKEN_SECRET=_SECRETS.token_secret,
        )
    return [f"$ async-oauth1 explain request.http\n{shown.rstrip()}"]


RECORDINGS = {"demo.svg": demo, "explain.svg": explain}


def draw(screens: list[str], title: str) -> str:
    """A picture that shows one screen after the other."""
    drawn = [Text.from_ansi(screen) for screen in screens]
    columns = max(len(line) for text in drawn for line in text.plain.split("\n"))
    rows = max(text.plain.count("\n") + 1 for text in drawn)
    width, height = round(columns * _CELL + 2 * _MARGIN), rows * _LINE + 2 * _MARGIN
    frames = []
    for number, text in enumerate(drawn):
        inner = "".join(_line(line, row) for row, line in enumerate(text.split("\n")))
        frames.append(f'<g class="f" style="animation-delay:{number * _SECONDS}s">\n{inner}</g>\n')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{_style(len(screens))}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{_PAPER}"/>\n{"".join(frames)}</svg>\n'
    )


def _style(screens: int) -> str:
    """The font, and each screen in its turn; all are still if the reader wants no movement, and the first is shown."""
    style = f"text{{font:{_SIZE}px {_FONT};white-space:pre}}"
    if screens == 1:
        return style
    end = 100 / screens
    return (
        f"{style}.f{{opacity:0;animation:f {screens * _SECONDS}s step-end infinite}}.f:nth-of-type(1){{opacity:1}}"
        f"@keyframes f{{0%{{opacity:1}}{end:g}%{{opacity:0}}100%{{opacity:0}}}}"
        "@media(prefers-reduced-motion:reduce){.f{animation:none}}"
    )


def _line(line: Text, row: int) -> str:
    """The runs of one style in a line, each at its column."""
    drawn, column = [], 0
    y = _MARGIN + row * _LINE + _SIZE
    for run in _runs(line):
        if run.text.strip():
            drawn.append(_run(run, _MARGIN + column * _CELL, y))
        column += len(run.text)
    return "".join(drawn)


def _runs(line: Text) -> Iterable[Segment]:
    return Segment.simplify(segment for segment in line.render(Console(color_system="truecolor"), end=""))


def _run(run: Segment, x: float, y: int) -> str:
    style = run.style or Style.null()
    ink, more = _color(style), ""
    width = len(run.text) * _CELL
    if style.reverse:
        more = f'<rect x="{x:g}" y="{y - _SIZE + 1}" width="{width:g}" height="{_LINE - 2}" fill="{ink}"/>\n'
        ink = _PAPER
    weight = ' style="font-weight:bold"' if style.bold else ""
    place = f'x="{x:g}" y="{y}" textLength="{width:g}"'
    return f'{more}<text {place} fill="{ink}"{weight} xml:space="preserve">{escape(run.text)}</text>\n'


def _color(style: Style) -> str:
    if style.color is not None and style.color.type is ColorType.STANDARD and style.color.number:
        return _COLORS[(style.color.number - 1) % len(_COLORS)]
    return _FAINT if style.dim else _INK


def lines(picture: str) -> list[str]:
    """The lines of text in a picture."""
    found: list[str] = []
    before = ""
    for y, text in _TEXT.findall(picture):
        if y != before:
            found.append("")
        found[-1] += unescape(text)
        before = y
    return found


def shape(text: list[str]) -> list[str]:
    """Lines without blanks, numbers and long values: tokens, secrets, signatures and times differ each time."""
    bare = ["".join(line.split()) for line in text]
    return [re.sub(r"\d+", "N", _VALUE.sub(r"\1R", line)) for line in bare]


def outdated() -> Iterator[str]:
    """The pictures in which a command says something else than it does today."""
    for name, record in RECORDINGS.items():
        path = FOLDER / name
        shown = lines(path.read_text(encoding="utf-8")) if path.exists() else []
        if shape(shown) != shape(lines(draw(record(), ""))):
            yield f"docs/recordings/{name} is out of date; run: python -m tools.recordings"


def main() -> None:
    """Record, or with ``--check`` name the pictures that are out of date."""
    if "--check" in sys.argv:
        problems = list(outdated())
        print("\n".join(problems) or "The recordings are up to date.")
        sys.exit(bool(problems))
    FOLDER.mkdir(exist_ok=True)
    for name, record in RECORDINGS.items():
        (FOLDER / name).write_text(draw(record(), name.partition(".")[0]), encoding="utf-8")


if __name__ == "__main__":
    main()
