"""The recordings in README show what the commands print today."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tools.recordings import FOLDER, RECORDINGS, draw, lines, outdated, shape


def test_the_recordings_are_up_to_date() -> None:
    """But for nonces, tokens, secrets, signatures, times and ports."""
    assert list(outdated()) == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_needs_nothing_from_other_sites(name: str) -> None:
    """It is well-formed, has a title, and no script, link or font of its own: a code host shows it as a picture."""
    tree = ET.fromstring((FOLDER / name).read_text(encoding="utf-8"))
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "title", "style", "rect", "g", "text"}
    assert tree.find("{http://www.w3.org/2000/svg}title") is not None
    assert not any("href" in attribute for element in tree.iter() for attribute in element.attrib)


def test_the_readme_shows_them() -> None:
    """Each with a text for readers that see no pictures."""
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    for name in RECORDINGS:
        assert f"](docs/recordings/{name})" in readme


def test_what_is_different_each_time_does_not_count() -> None:
    """But words, numbers of lines and names do."""
    before = ["   oauth_token = u1AOCSDFbCwxskXzbY2fKTnwDxMDNzfvOFL87He2r5", "address & http%3A%2F%2F127.0.0.1%3A4%2Fx"]
    again = ["   oauth_token = AYneB3hGyNtadad6g4p60ZzU3lTQMq5JXpQsAYneB3", "address & http%3A%2F%2F127.0.0.1%3A51%2Fx"]
    assert shape(before) == shape(again)
    assert shape(before) != shape(before[:1])
    assert shape(["oauth_verifier = 1"]) != shape(["oauth_token = 1"])


def test_text_and_styles_are_drawn() -> None:
    """Escape sequences become colours, and the text can be read back."""
    drawn = draw(["\x1b[1;31mred <b>\x1b[0m \x1b[7mback\x1b[0m\n  next"], "a & b")
    assert shape(lines(drawn)) == ["red<b>back", "next"]
    assert "font-weight:bold" in drawn
    assert "<title>a &amp; b</title>" in drawn
