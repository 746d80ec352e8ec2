"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["MADE", "cell", "table"]

#: The first line of each page.
MADE = "<!-- Made by `make reference`. Change the code, or the table that the page names, and run it again. -->\n"


def cell(text: str) -> str:
    """Text as it can stand in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; an empty string if it has no rows."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines, ""]) if lines else ""
