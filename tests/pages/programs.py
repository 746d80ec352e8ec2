"""The programs of a page, as modules."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def program(name: str, containing: str = "") -> ModuleType:
    """The first program of a page that has a text in it. Programs of a page share nothing."""
    blocks = re.findall(r"```python\n(.*?)```", page(name), re.DOTALL)
    found = next(block for block in blocks if containing in block)
    module = ModuleType(f"program_of_{name.replace('-', '_')}")
    sys.modules[module.__name__] = module  # Tortoise and dataclasses look a module up by its name
    exec(compile(found, f"docs/{name}.md", "exec", dont_inherit=True), vars(module))
    return module
