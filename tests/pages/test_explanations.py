"""What the pages of explanation claim is in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.draw_pictures import draw, outdated, read

from .programs import page

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_each_defence_names_a_test_that_exists(repository: Path) -> None:
    """Every row of the threat model has one, and no function of this name is missing."""
    rows = [row for row in page("threat-model").splitlines() if row.startswith("| ") and not row.startswith("| threat")]
    assert len(rows) > 30
    for row in rows:
        found = _TEST.findall(row)
        assert len(found) == 1, row
        path, name = found[0]
        source = (repository / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), row


def test_pictures_show_what_their_texts_say() -> None:
    """They are drawn from the texts beside them: `python -m tools.draw_pictures`."""
    assert list(outdated()) == []


def test_a_picture_has_every_message() -> None:
    """Escaped, between its actors."""
    text = "title: T\nactors: A | B\n1 A -> B: ask <it>\n  a note\nB: think\nB -> A: answer"
    title, names, messages = read(text)
    assert (title, names) == ("T", ["A", "B"])
    assert [(message.sender, message.receiver, message.note) for message in messages] == [
        ("A", "B", "a note"),
        ("B", "B", ""),
        ("B", "A", ""),
    ]
    drawn = draw(text)
    assert "ask &lt;it&gt;" in drawn
    assert drawn.count('class="arrow"') == 2


@pytest.mark.parametrize("line", ["A -> C: what", "nothing"])
def test_a_line_that_is_no_message_is_named(line: str) -> None:
    """With the actors that there are."""
    with pytest.raises(ValueError, match="not a message between A, B"):
        read(f"title: T\nactors: A | B\n{line}")
