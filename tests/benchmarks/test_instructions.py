"""The comparison of instruction counts; valgrind counts them in CI."""

from __future__ import annotations

import json

from benchmarks.instructions import BASELINE, MACHINES, TOLERANCE, grown


def test_growth_beyond_the_tolerance_is_reported() -> None:
    """Beyond both tolerances. Only what protection adds counts, and only for readers that were counted before."""
    before = {"python": {"unprotected": 800_000, "added": 100_000}}
    most = int(100_000 * (1 + TOLERANCE + MACHINES))
    assert grown({"python": {"unprotected": 900_000, "added": most}}, before) == []
    assert grown({"native": {"unprotected": 800_000, "added": 999_999}}, before) == []
    assert grown({"python": {"unprotected": 700_000, "added": most + 1}}, before) == [
        "python: 105,501 instructions instead of 100,000"
    ]


def test_there_are_figures_to_compare_with() -> None:
    """For at least one Python, with both readers; the native one takes fewer instructions."""
    known = json.loads(BASELINE.read_text(encoding="utf-8"))
    rows = {"native", "native, middleware", "python", "python, middleware"}
    assert any(rows <= counted.keys() for counted in known.values())
    for counted in known.values():
        assert counted["native"]["added"] < counted["python"]["added"]
