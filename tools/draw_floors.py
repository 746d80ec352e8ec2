"""Draw the floors as a picture: `python -m tools.draw_floors [--check]` writes, or compares, docs/floors.svg."""

from __future__ import annotations

import sys
from html import escape

from .floors import FLOORS, ROOMS, Rows
from .imports import ROOT

__all__ = ["PICTURE", "draw", "is_current"]

PICTURE = ROOT / "docs" / "floors.svg"

_WIDTH, _MARGIN, _LINE, _PADDING = 960, 24, 18, 12
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2937}.name{font-weight:600}.floor{fill:#6b7280}"
    ".room{fill:#f3f4f6;stroke:#9ca3af}"
)


def draw() -> str:
    """The picture: the highest floor on top, each package with its modules, lowest row last."""
    parts, y = [], _MARGIN
    for number, floor in reversed(list(enumerate(FLOORS, 1))):
        height = max(_height(unit) for unit in floor)
        parts.append(f'<text class="floor" x="{_MARGIN}" y="{y + 20}">{number}</text>')
        x, scale = 2.0 * _MARGIN, (_WIDTH - 3 * _MARGIN) / sum(_weight(unit) for unit in floor)
        for unit in floor:
            width = round(scale * _weight(unit))
            parts += _room(unit, x, y, width - _PADDING, height)
            x += width
        y += height + _PADDING
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + _MARGIN}" role="img">'
    title = "<title>Each module imports only from the floors below it, and from lower rows of its own package</title>"
    return "\n".join([head, title, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def is_current() -> bool:
    """Whether the picture in the repository shows today's floors."""
    return PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == draw()


def _lines(unit: str) -> list[str]:
    rows: Rows = ROOMS.get(unit, ())
    return ["  ".join(row) for row in reversed(rows)]


def _weight(unit: str) -> int:
    """How wide a room's text is, in characters."""
    return max(12, *(len(line) for line in [unit, *_lines(unit)]))


def _height(unit: str) -> int:
    return _LINE * (1 + len(_lines(unit))) + _PADDING


def _room(unit: str, x: float, y: float, width: float, height: float) -> list[str]:
    texts = [
        f'<text x="{x + _PADDING:g}" y="{y + 20 + _LINE * (number + 1):g}">{escape(line)}</text>'
        for number, line in enumerate(_lines(unit))
    ]
    return [
        f'<rect class="room" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"/>',
        f'<text class="name" x="{x + _PADDING:g}" y="{y + 20:g}">{escape(unit)}</text>',
        *texts,
    ]


def main() -> None:
    """Write the picture, or say that it is out of date."""
    if "--check" not in sys.argv:
        PICTURE.write_text(draw(), encoding="utf-8")
    elif not is_current():
        sys.exit("docs/floors.svg is out of date; run: python -m tools.draw_floors")


if __name__ == "__main__":
    main()
