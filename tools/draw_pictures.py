"""Draw the messages between parties: `python -m tools.draw_pictures [--check]` makes docs/pictures/*.svg from *.txt.

A text has a title, the actors from left to right, and one line for each message (``A -> B: what``) or step
(``A: what``). A number in front is shown in a circle. An indented line is a note below the message before it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .imports import ROOT

__all__ = ["Message", "draw", "outdated", "read"]

PICTURES = ROOT / "docs" / "pictures"

_WIDTH, _TOP, _ROW, _NOTE = 860, 60, 40, 20
_MESSAGE = re.compile(r"(?:(\d) )?(.+?)(?: -> (.+?))?: (.+)")
# The picture has a background of its own: a page may be dark while the system is light, and the reverse.
_STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1f2937;text-anchor:middle}.page{fill:#fff}.actor{font-weight:600}"
    ".box{fill:#eef2ff;stroke:#6366f1}.step{fill:#f3f4f6;stroke:#9ca3af}.life{stroke:#9ca3af;stroke-dasharray:4 4}"
    ".arrow{stroke:#4338ca;stroke-width:1.5}.head,.circle{fill:#4338ca}.number{fill:#fff;font-weight:600}.note{fill:#4b5563}"
    ".text,.note{stroke:#fff;stroke-width:5;paint-order:stroke}"
)


@dataclass
class Message:
    """A message, or a step of one actor.

    Attributes:
        number: what is in the circle, or nothing.
        sender: an actor.
        receiver: another one; of a step, the same.
        text: above the arrow.
        note: below it.
    """

    number: str
    sender: str
    receiver: str
    text: str
    note: str = ""


def read(text: str) -> tuple[str, list[str], list[Message]]:
    """The title, the actors and the messages of a text.

    Raises:
        ValueError: a line is no message, or an actor is unknown.
    """
    title, actors, *lines = text.strip().splitlines()
    names = [name.strip() for name in actors.removeprefix("actors:").split("|")]
    messages: list[Message] = []
    for line in lines:
        if line.startswith("  ") and messages:
            messages[-1].note = line.strip()
            continue
        found = _MESSAGE.fullmatch(line)
        if found is None or not {found[2], found[3] or found[2]} <= {*names}:
            raise ValueError(f"not a message between {', '.join(names)}: {line}")
        messages.append(Message(found[1] or "", found[2], found[3] or found[2], found[4]))
    return title.removeprefix("title:").strip(), names, messages


def draw(text: str) -> str:
    """The picture of a text."""
    title, names, messages = read(text)
    places = {name: round(_WIDTH * (number + 0.5) / len(names)) for number, name in enumerate(names)}
    y = _TOP
    drawn: list[str] = []
    for message in messages:
        y += _ROW
        drawn += _message(message, places, y)
        y += _NOTE if message.note else 0
    height = y + _ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    page = f'<rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>'
    parts = [head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>", page]
    return "\n".join([*parts, *_actors(places, height), *drawn, "</svg>", ""])


def _actors(places: dict[str, int], height: int) -> Iterator[str]:
    for name, x in places.items():
        yield f'<line class="life" x1="{x}" y1="60" x2="{x}" y2="{height - 16}"/>'
        yield f'<rect class="box" x="{x - 80}" y="24" width="160" height="36" rx="6"/>'
        yield f'<text class="actor" x="{x}" y="47">{escape(name)}</text>'


def _message(message: Message, places: dict[str, int], y: int) -> Iterator[str]:
    here, there = places[message.sender], places[message.receiver]
    middle = (here + there) // 2
    if here == there:
        width = 8 * len(message.text) + 24
        yield f'<rect class="step" x="{here - width / 2:g}" y="{y - 24}" width="{width}" height="28" rx="4"/>'
    else:
        side = 1 if there > here else -1
        yield f'<line class="arrow" x1="{here}" y1="{y}" x2="{there - 6 * side}" y2="{y}"/>'
        yield f'<path class="head" d="M{there} {y}l{-10 * side} -5v10z"/>'
    yield _text(middle, y - 7, message.text, "in-step" if here == there else "text")
    if message.note:
        yield _text(middle, y + _NOTE, message.note, "note")
    if message.number:
        yield f'<circle class="circle" cx="{here}" cy="{y}" r="11"/>'
        yield f'<text class="number" x="{here}" y="{y + 5}">{message.number}</text>'


def _text(x: int, y: int, text: str, kind: str = "text") -> str:
    """A text with a white edge, so that a line behind it does not cross the letters."""
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def outdated() -> Iterator[Path]:
    """The pictures that do not show what their texts say."""
    for source in sorted(PICTURES.glob("*.txt")):
        picture = source.with_suffix(".svg")
        if not picture.exists() or picture.read_text(encoding="utf-8") != draw(source.read_text(encoding="utf-8")):
            yield picture


def main() -> None:
    """Write the pictures, or name those that are out of date."""
    found = list(outdated())
    if "--check" in sys.argv and found:
        sys.exit(f"{found[0].relative_to(ROOT)} is out of date; run: python -m tools.draw_pictures")
    for picture in found:
        picture.write_text(draw(picture.with_suffix(".txt").read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
