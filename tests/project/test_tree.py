"""Forbidden content, sizes, and the tables of CONTRIBUTING.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import sizes
from tools.__main__ import guide_violations

ROOT = Path(__file__).resolve().parent.parent.parent
MADE = re.compile(r"\.git|\.venv.*|\..*_cache|\.hypothesis|__pycache__|build|dist|htmlcov|.*\.egg-info")
BINARY = {".png", ".pyc", ".so", ".db", ".db-shm", ".db-wal"}

FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~-])/(?:work|farm|root|tmp)/[A-Za-z]"),
    "the name of a package index": re.compile(r"//[a-z.]*(?:p[y]pi|pythonh[o]sted|n[p]mjs)\."),
    "an unresolved conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
    "a reminder": re.compile(r"\b(?:TO[D]O|FIX[M]E|X{3})\b"),
    "a document that is not in this tree": re.compile(r"\.\./sh[a]red|PEER_D[E]FECTS|EXAMPLE_PR[O]VIDER|DESI[G]N\.md"),
}


def tree(directory: Path = ROOT) -> Iterator[Path]:
    """Every file that is not generated."""
    for path in sorted(directory.iterdir()):
        if MADE.fullmatch(path.name) or path.suffix in BINARY:
            continue
        if path.is_dir():
            yield from tree(path)
        elif not path.name.startswith(".coverage"):
            yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_tree_is_free_of(what: str) -> None:
    """The tree contains nothing that depends on the machine on which it was written."""
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path in tree()
        for text in [path.read_text(encoding="utf-8")]
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert not found


def test_functions_modules_and_directories_are_small() -> None:
    """Sizes keep to the limits of tools/sizes.py."""
    assert list(sizes.violations()) == []


def test_the_guide_is_up_to_date() -> None:
    """The paths in CONTRIBUTING.md exist, and each dependency has its reason."""
    assert list(guide_violations()) == []
