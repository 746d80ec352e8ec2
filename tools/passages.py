"""The prose in a file: docstrings and comments in Python, everything but code in Markdown."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Passage", "messages", "prose"]

_INLINE_CODE = re.compile(r"``[^`]+``|`[^`]+`|https?://\S+")
_CODE_BLOCK = re.compile(r"^( *)```.*?^\1```|^    \S[^\n]*$", re.MULTILINE | re.DOTALL)


class Passage(NamedTuple):
    """A docstring, a block of comments, a string or a page, and the line that it begins in."""

    line: int
    text: str


@cache
def prose(path: Path) -> list[Passage]:
    """The passages of a file; code in them counts as one word."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        passages = [*_docstrings(source), *_comments(source)]
    else:
        passages = [Passage(1, _CODE_BLOCK.sub(_one_word, source))]
    return [Passage(line, _INLINE_CODE.sub(_one_word, text)) for line, text in passages]


def messages(path: Path) -> list[Passage]:
    """The strings of a Python file outside of docstrings, error messages among them."""
    if path.suffix != ".py":
        return []
    source = path.read_text(encoding="utf-8")
    docstrings = {line for line, _ in _docstrings(source)}
    constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    strings = (Passage(node.lineno, node.value) for node in constants if isinstance(node.value, str))
    return [string for string in strings if string.line not in docstrings]


def _one_word(code: re.Match[str]) -> str:
    return "X" + "\n" * code.group().count("\n")


def _docstrings(source: str) -> Iterator[Passage]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield Passage(node.body[0].lineno, text)


def _comments(source: str) -> list[Passage]:
    """The comments; those in successive lines are one passage."""
    found: list[Passage] = []
    for token in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__):
        if token.type == tokenize.COMMENT:
            line, text = token.start[0], token.string.lstrip("#: ")
            if found and found[-1].line + found[-1].text.count("\n") + 1 == line:
                line, text = found[-1].line, f"{found.pop().text}\n{text}"
            found.append(Passage(line, text))
    return found
