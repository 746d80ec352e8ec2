"""Links between the pages lead to a file, and to a heading of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .blocks import ROOT, pages

PAGES = [*pages(), ROOT / "CHANGELOG.md", ROOT / "CODE_OF_CONDUCT.md"]


def tokens(path: Path) -> Iterator[Token]:
    """Every token of a page, also within paragraphs."""
    for token in MarkdownIt().enable("table").parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links(path: Path) -> list[str]:
    """The addresses of links and pictures."""
    found = [token.attrs.get("href") or token.attrs.get("src") for token in tokens(path)]
    return [unquote(str(address)) for address in found if address]


@cache
def anchors(path: Path) -> set[str]:
    """The names of the headings, as a code host and the site make them, and those that the page sets itself."""
    text = path.read_text(encoding="utf-8")
    parsed = MarkdownIt().parse(text)
    headings = [after.content for token, after in pairwise(parsed) if token.type == "heading_open"]
    found = set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))
    seen: Counter[str] = Counter()
    for heading in headings:
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def broken(path: Path, address: str) -> str:
    """Why a link leads nowhere, or an empty string."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / parts.path).resolve() if parts.path else path
    if not target.exists():
        return f"{address}: there is no such file"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
        return f"{address}: there is no such heading"
    return ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    """To a file of the repository, and, with an anchor, to one of its headings."""
    assert [found for address in links(path) if (found := broken(path, address))] == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    """A missing file, a missing heading of another page and of this one; addresses of other sites are not asked."""
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# One `heading`, twice\n\n# One heading, twice\n")
    page.write_text(
        "[a](other.md#one-heading-twice-1) [b](none.md) [c](other.md#none) [d](#none) [e](https://none.example/)\n\n"
        "| table |\n|---|\n| [f](gone.md) |\n"
    )
    found = [broken(page, address).partition(":")[0] for address in links(page)]
    assert found == ["", "none.md", "other.md#none", "#none", "", "gone.md"]
