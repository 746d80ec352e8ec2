"""Each page is a tutorial, a how-to guide, reference or explanation, and can be found."""

from __future__ import annotations

import re
from collections import Counter

from .programs import DOCS, page

KINDS = ("tutorials", "how-to", "reference", "explanation")
_LIST = re.compile(r"```\{toctree\}\n(?::\w+:[^\n]*\n)*\n(.*?)\n```", re.DOTALL)


def listed(name: str) -> list[str]:
    """The pages that a page lists."""
    return [entry for block in _LIST.findall(page(name)) for entry in block.split("\n")]


def test_each_page_is_of_one_kind() -> None:
    """No page is missing, and none is in two lists."""
    found = Counter(entry for name in ("index", *KINDS) for entry in listed(name))
    pages = {path.stem for suffix in ("md", "rst") for path in DOCS.glob(f"*.{suffix}")} - {"index"}
    assert found.keys() == pages | {"benchmarks/README"}
    assert set(found.values()) == {1}


def test_the_first_page_shows_each_framework() -> None:
    """In tabs."""
    tabs = re.findall(r"^:::\{tab-item\} (\w+)$", page("index"), re.MULTILINE)
    assert tabs == ["Quart", "FastAPI", "Starlette", "Litestar", "Flask", "Django"]
