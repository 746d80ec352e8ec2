"""The imports between modules, read from the source files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "Import", "dotted_name", "imports", "modules"]

from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
#: The packages that are published.
PACKAGES = ("async_oauth1", "flask_compat")


class Import(NamedTuple):
    """One import of a file.

    Attributes:
        line: its line number.
        target: the absolute name of the module.
    """

    line: int
    target: str


def dotted_name(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """The modules of the published packages, by name."""
    return {dotted_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, also those inside functions."""
    dotted = dotted_name(path)
    package = dotted if path.name == "__init__.py" else dotted.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (Import(node.lineno, _imported(base, alias.name)) for alias in node.names)


def _imported(base: str, name: str) -> str:
    """The module that `from base import name` loads: `base.name` if it is a module, else `base`."""
    candidate = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if candidate.with_suffix(".py").exists() or candidate.is_dir() else base
