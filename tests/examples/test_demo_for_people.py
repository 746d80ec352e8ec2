"""The demo tells the flow in eight short steps, each on one screen."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import pytest

from tools.terminal import on_a_terminal

from .running import run

STEP = re.compile(r"^Step (\d) of 8: (.*?) -+$", re.MULTILINE)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def story() -> str:
    """What the demo prints into a pipe."""
    told = run("examples.demo")
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


@pytest.fixture(scope="module")
def colored() -> str:
    """What the demo prints on a terminal."""
    return on_a_terminal("examples.demo")


def screens(text: str) -> list[str]:
    """The steps, each with its title."""
    starts = [found.start() for found in STEP.finditer(text)]
    ends = [*starts[1:], text.index("photos: stopped")]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def part(screen: str, label: str, end: str) -> str:
    """What stands behind a label, without the indentation of its lines."""
    return re.sub(r"\n +", "", screen.partition(label)[2].partition(end)[0]).strip()


def test_there_are_eight_steps_of_one_screen_each(story: str) -> None:
    """24 lines of 80 columns, without a blank at the end of a line."""
    assert [number for number, _ in STEP.findall(story)] == list("12345678")
    for screen in screens(story):
        lines = screen.split("\n")
        assert 4 <= len(lines) <= 24
        assert all(len(line) <= 80 and line == line.rstrip() for line in lines), screen


@pytest.mark.parametrize("step", [1, 6])
def test_the_base_string_is_shown_as_it_is_built(story: str, step: int) -> None:
    """Its three parts and the key give the signature that is shown with them."""
    screen = screens(story)[step - 1]
    parts = [
        part(screen, "method ", "\n"),
        part(screen, "address     & ", "\n"),
        part(screen, "parameters  & ", "\n\n"),
    ]
    key, signature = part(screen, "key ", "\n  signature"), part(screen, "base string) = ", "\n")
    mac = hmac.new(key.encode(), "&".join(parts).encode(), hashlib.sha1).digest()
    assert base64.b64encode(mac).decode() == signature


def test_lines_are_cut_where_a_part_ends(story: str) -> None:
    """No line begins in the middle of a name or of an escape."""
    for screen in (screens(story)[0], screens(story)[5]):
        begins = re.findall(r"^ {16}(\S+)", screen, re.MULTILINE)
        assert all(line.startswith("%") for line in begins[:-1])
        assert "%252Fready" in begins


def test_it_has_colors_on_a_terminal(colored: str, story: str) -> None:
    """The parts of the base string have different ones; without them, the text is that of a pipe."""
    colors = {
        re.search(rf"\x1b\[([0-9;]+)m{text}", colored)[1] for text in ("POST\x1b", "http%3A", "oauth_callback%3D")
    }  # type: ignore[index]
    assert len(colors) == 3
    plain = ESCAPE.sub("", colored)
    assert STEP.findall(plain) == STEP.findall(story)
    assert all(len(line) <= 80 for line in plain.split("\n"))


@pytest.mark.parametrize(("arguments", "variables"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})])
def test_colors_can_be_switched_off(arguments: list[str], variables: dict[str, str]) -> None:
    """By the option, and by the variable that many programs know."""
    told = on_a_terminal("examples.demo", *arguments, **variables)
    assert "\x1b" not in told
    assert len(STEP.findall(told)) == 8


def test_every_octet_is_shown_if_wanted() -> None:
    """Each message as it is sent, below the same steps."""
    told = run("examples.demo", "--wire")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.findall(r"^== (\d)\. ", told.stdout, re.MULTILINE) == list("12345678")
    assert re.search(r"^Authorization: OAuth \S.{200,}$", told.stdout, re.MULTILINE)
    assert told.stdout.count(" HTTP/1.1\n") == told.stdout.count("\nHTTP/1.1 ") == 9
