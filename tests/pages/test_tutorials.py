"""The tutorials of five minutes, followed as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from .console import Reader


@pytest.mark.parametrize("name", ["quart", "fastapi"])
def test_every_step_does_what_the_page_says(name: str, repository: Path, tmp_path: Path) -> None:
    """From an empty directory to a request that is answered, one that is explained, and a token from a user."""
    page = (repository / "docs" / f"tutorial-{name}.md").read_text(encoding="utf-8")
    reader = Reader(tmp_path)
    try:
        reader.follow(page)
    finally:
        reader.close()
    assert len(reader.commands) == page.count("\n$ ") - 5, "five commands install, and all others were run"
    assert sum("--show curl" in command for command in reader.commands) == 5
