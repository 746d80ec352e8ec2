"""The page and the pictures, made from made-up results."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.__main__ import write
from benchmarks.contestants import IN_PYTHON
from benchmarks.reporting.figures import Goal, number, ratios, spread
from benchmarks.reporting.goals import checks
from benchmarks.reporting.markdown import markdown_table, render
from benchmarks.reporting.plots import draw_all
from benchmarks.serving import WITH_GOALS, duels

from .made_up import results


def test_every_goal_of_the_results_is_checked() -> None:
    """The median of the ratios, pair by pair, is compared with each goal."""
    verdicts = {check.what: check.verdict for check in checks(results())}
    assert verdicts["Authlib's time over ours: the header"] == "yes"
    assert verdicts["oauthlib's time over ours: the header"] == "**no**"
    assert verdicts["CPU time, unprotected twin over protected: memory store"] == "**no**"
    assert verdicts["our time over the bare HMAC's: the header"] == ""
    assert verdicts["rows and keys left behind by signature requests"] == "yes"
    assert verdicts["CPU time, unprotected over protected: bare ASGI under uvicorn"] == "yes"
    assert verdicts["CPU time that Authlib adds, over ours: bare ASGI under uvicorn"] == "**no**"
    assert verdicts["CPU time that oauthlib adds, over ours: bare ASGI under uvicorn"] == "yes"
    assert verdicts["the same, without the native reader"] == "**no**"
    assert len(verdicts) == 23


def test_duels_with_a_goal_have_enough_pairs() -> None:
    """At 64 connections, which the goals are for, 11 pairs or more."""
    pairs = {duel.key: size.pairs for duel in duels() for size in duel.sizes if size.connections == 64}
    assert WITH_GOALS - {"memory-warm-python"} <= pairs.keys()
    assert all(pairs[key] >= 11 for key in WITH_GOALS & pairs.keys())


def test_both_readers_have_goals() -> None:
    """Results with the native reader and without it are compared with a goal each."""
    made = results()
    for case in made["verify"]["results"]:
        case["microseconds"][IN_PYTHON] = [7.5 for _ in case["microseconds"]["Authlib"]]
    verdicts = {check.what: check.verdict for check in checks(made)}
    assert verdicts["Authlib's time over ours: the header"] == "**no**"
    assert verdicts["Authlib's time over ours in Python: the header"] == "yes"
    assert verdicts["our time over the bare HMAC's: the header"] == "**no**"


def test_the_page_has_every_part_and_a_table_for_each() -> None:
    """Each row of a table has as many cells as its head."""
    of_native = {"native": {"unprotected": 800_000, "added": 120_000}, "native, middleware": {"added": 130_000}}
    counted = {"3.11.7 x86_64": of_native}
    page = render(results(), ["verify.svg", "rate.svg", "cpu.svg"], counted)
    for heading in ("Goals", "Verification", "Instructions", "End to end", "Other servers and frameworks", "Growth"):
        assert f"\n## {heading}\n" in page
    assert page.count("](verify.svg)") == 1
    assert "2 cores, imagined" in page
    assert "| 3.11.7 x86_64 | native | 800,000 | 120,000 | 15% |" in page
    assert "| 3.11.7 x86_64 | native, middleware |  | 130,000 |  |" in page
    assert "**Failed**: Starlette: no." in page
    for block in page.split("\n\n"):
        widths = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1, block


def test_parts_that_were_not_run_are_left_out() -> None:
    """A page can be made from a single part."""
    page = render({"growth": results()["growth"]})
    assert "Live nonces" in page
    assert "Goals" not in page


def test_parts_from_different_machines_name_them() -> None:
    """A part that was run later may have other versions, so the page lists them per part."""
    made = results()
    made["growth"] = {**made["growth"], "environment": {"CPU": "another"}}
    assert "For verify, serving, frameworks: CPU 2 cores, imagined" in render(made)


def test_pictures_are_the_same_for_the_same_numbers(tmp_path: Path) -> None:
    """Pictures are well-formed, contain no date, and are reproducible."""
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        assert draw_all(results(), tmp_path / folder) == ["verify.svg", "rate.svg", "cpu.svg"]
    for picture in (tmp_path / "first").iterdir():
        text = picture.read_text(encoding="utf-8")
        assert ET.fromstring(text).tag.endswith("svg")
        assert "dc:date" not in text
        assert text == (tmp_path / "second" / picture.name).read_text(encoding="utf-8")


def test_everything_is_written_to_one_folder(tmp_path: Path) -> None:
    """The folder holds the page, the pictures and the samples."""
    write(results(), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == results()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "README.md",
        "cpu.svg",
        "rate.svg",
        "results.json",
        "verify.svg",
    }


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1.234, "1.23"), (12.34, "12.3"), (12345.6, "12,346")])
def test_numbers_have_three_significant_digits(value: float, text: str) -> None:
    """Further digits would be noise."""
    assert number(value) == text


def test_a_spread_has_its_quartiles() -> None:
    """A spread is printed with its quartiles, unless there is only one sample."""
    assert str(spread([1.0, 2.0, 3.0, 4.0, 5.0])) == "3.00 (2.00 to 4.00)"
    assert str(spread([2.5])) == "2.50"
    with pytest.raises(ValueError, match="no samples"):
        spread([])


def test_ratios_need_samples_in_pairs() -> None:
    """Sequences of different lengths are refused."""
    assert ratios([4.0, 9.0], [2.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [])


def test_a_figure_at_the_limit_reaches_the_goal() -> None:
    """This holds for goals of both kinds."""
    assert Goal("at least", 3.0).reached(3.0)
    assert Goal("at most", 0.0).reached(0.0)
    assert not Goal("at most", 1.3).reached(1.31)


def test_a_cell_without_a_value_is_empty() -> None:
    """``None`` is an empty cell, and an integer has no decimals."""
    assert markdown_table(["a", "b"], [[None, 1_000]]).splitlines()[-1] == "|  | 1,000 |"
