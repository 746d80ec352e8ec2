"""Habits that make prose hard to read, per 1,000 words: `python -m tools.prose [FILE ...]`.

Without arguments the figures of each area are printed; with files, each place in them.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .imports import ROOT
from .passages import messages, prose

__all__ = ["AREAS", "HABITS", "LIMITS", "figures", "places", "violations"]

HABITS = {
    # For a condition, write "if" or "when".
    "where": re.compile(r"\bwhere\b", re.IGNORECASE),
    # Name the client, the server, the caller or the user. Questions are fine.
    "subject": re.compile(
        r"\b(?:nobody|somebody|whoever|everybody|(?:those|for|to|of|by|with|from|than)\s+who)\b"
        r"|(?:\A|[.:;(]\s+|\n\s*\n\W*)who\b(?![^.?]*\?)",
        re.IGNORECASE,
    ),
    # These have plainer words, in messages too.
    "phrase": re.compile(
        r"\b(?:(?<!there )(?:is|are|be|was)\s+none\b(?!\s+of)|in\s+vain\b|g[eo]ts?\s+about\b|for\s+who\b"
        r"|fills?\s+no\s+\w+|sa(?:ys?|id)\s+goodbye|language\s+of\s+who)"
    ),
}
AREAS = {
    "async_oauth1": ("async_oauth1/**/*.py",),
    "flask_compat": ("flask_compat/**/*.py",),
    "tests": ("tests/**/*.py",),
    "programs": ("benchmarks/**/*.py", "examples/**/*.py", "tools/**/*.py"),
    "docs": ("docs/*.md", "README.md", "CONTRIBUTING.md"),
}
#: How often each habit of HABITS may occur in each area, per 1,000 words.
LIMITS = {
    "async_oauth1": (1.5, 0.1, 0.0),
    "flask_compat": (2.0, 0.1, 0.0),
    "tests": (2.5, 0.2, 0.0),
    "programs": (1.5, 0.2, 0.0),
    "docs": (1.5, 0.1, 0.0),
}
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


def violations() -> Iterator[str]:
    """Areas that have too much of a habit, each with its worst files."""
    for area, limits in LIMITS.items():
        words, by_habit = figures(area)
        for (habit, by_file), limit in zip(by_habit.items(), limits, strict=True):
            if (rate := by_file.total() * 1000 / words) > limit:
                worst = ", ".join(f"{path.relative_to(ROOT)} ({count})" for path, count in by_file.most_common(5))
                yield f"{area}: {habit} {rate:.2f} per 1,000 words, at most {limit}; most in {worst}"


def figures(area: str) -> tuple[int, dict[str, Counter[Path]]]:
    """The words of an area, and for each habit how often each file has it."""
    paths = [path for pattern in AREAS[area] for path in ROOT.glob(pattern)]
    words = sum(len(_WORD.findall(text)) for path in paths for _, text in prose(path))
    found = [(habit, path) for path in paths for habit, _ in places(path)]
    return words, {habit: Counter(path for its_habit, path in found if its_habit == habit) for habit in HABITS}


def places(path: Path) -> Iterator[tuple[str, str]]:
    """The habits in a file, each with its line and the words around it."""
    for habit, pattern in HABITS.items():
        for line, text in [*prose(path), *(messages(path) if habit == "phrase" else ())]:
            for match in pattern.finditer(text):
                around = " ".join(text[max(0, match.start() - 30) : match.end() + 30].split())
                yield habit, f"{path}:{line + text.count(chr(10), 0, match.start())}: {around}"


def main() -> None:
    """Print the places in the files that are named, or the figures of every area."""
    for name in sys.argv[1:]:
        print(*(f"{place} [{habit}]" for habit, place in places(Path(name))), sep="\n")
    for area in AREAS if not sys.argv[1:] else ():
        words, by_habit = figures(area)
        rates = (f"{habit} {by_file.total() * 1000 / words:.2f}" for habit, by_file in by_habit.items())
        print(f"{area}: {words} words", *rates, sep=", ")


if __name__ == "__main__":
    main()
