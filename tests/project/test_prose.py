"""The check of the prose, which `make lint` runs, finds the habits that it looks for, in prose alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import prose

MODULE = '''"""Return the key, where there is one.

Args:
    token: who signed.
"""

where = "a name; nobody counts SQL such as WHERE id = 1"
# The store, where one is open,
# is closed by nobody. Who closes it?
raise ValueError("key 2 is {0}")  # in `where`
'''

PAGE = """# Where things are

Those who run a provider start here. There is none of it in `where`.

    where --indented

```sh
where nobody
```
"""


def habits(path: Path, text: str) -> list[tuple[str, int]]:
    """The habits that are found in a file of that text, and their lines."""
    path.write_text(text, encoding="utf-8")
    return [(habit, int(place.split(":")[1])) for habit, place in prose.places(path)]


def test_docstrings_and_comments_are_prose(tmp_path: Path) -> None:
    """Names, strings and inline code do not count; each place has its line."""
    expected = [("where", 1), ("where", 8), ("subject", 4), ("subject", 9), ("phrase", 10)]
    assert habits(tmp_path / "module.py", MODULE.format("n" + "one")) == expected


def test_a_page_is_prose_without_its_code(tmp_path: Path) -> None:
    """Code blocks, fenced or indented, do not count."""
    assert habits(tmp_path / "page.md", PAGE) == [("where", 1), ("subject", 3)]


def test_an_area_above_its_limit_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail, and names the worst files first."""
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    monkeypatch.setattr(prose, "AREAS", {"docs": ("*.md",)})
    monkeypatch.setattr(prose, "LIMITS", {"docs": (100, 400, 0)})
    (tmp_path / "one.md").write_text("Ask where it is.", encoding="utf-8")
    (tmp_path / "two.md").write_text("Where, where and where?", encoding="utf-8")
    assert list(prose.violations()) == [
        "docs: where 500.00 per 1,000 words, at most 100; most in two.md (3), one.md (1)"
    ]
