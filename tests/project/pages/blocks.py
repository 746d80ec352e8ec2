"""The code blocks of README and the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Block:
    """A block of code: the page, its line, its language (empty if it is indented), and the text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """The page and the line."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README, and every page of the documentation that is written in Markdown."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def blocks() -> list[Block]:
    """Every block, without Sphinx's directives: Sphinx runs those."""
    parser = MarkdownIt().disable("inline")  # half of the time; every worker collects the blocks
    return [
        Block(path.relative_to(ROOT).as_posix(), token.map[0] + 1, token.info.strip(), token.content)
        for path in pages()
        for token in parser.parse(path.read_text(encoding="utf-8"))
        if token.type in ("fence", "code_block") and token.map and not token.info.startswith("{")
    ]


def blocks_of(*languages: str) -> list[Block]:
    """The blocks in one of these languages."""
    return [block for block in blocks() if block.language in languages]
