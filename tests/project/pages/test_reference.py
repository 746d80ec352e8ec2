"""The pages of the reference are as the code makes them, and each requirement of RFC 5849 has its test."""

from __future__ import annotations

import pytest

from tools.reference import requirements
from tools.reference.__main__ import outdated


def test_the_pages_are_up_to_date() -> None:
    """`make reference` would change nothing."""
    assert list(outdated()) == []


def test_each_must_has_a_test() -> None:
    """And each marker has a requirement."""
    assert list(requirements.violations()) == []


def test_a_missing_test_and_an_unknown_name_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the markers every MUST is named, and so is a marker without a requirement."""
    monkeypatch.setattr(requirements, "marked", lambda: {"9/unknown": ["tests/test_x.py::test_y"]})
    found = list(requirements.violations())
    assert "tests/test_x.py::test_y holds 9/unknown, which tests/rfc5849.toml does not have" in found
    servers = [row for row in requirements.requirements() if row.party == "server"]
    assert {f"no test holds {row.name}: mark one, or write one" for row in servers} <= set(found)


def test_every_section_that_requires_something_is_in_the_table() -> None:
    """The sections of the RFC with a MUST, REQUIRED, SHALL or SHOULD, which were read by hand."""
    sections = "2 2.1 2.2 2.3 3.1 3.2 3.3 3.4.1.1 3.4.1.2 3.4.1.3.1 3.4.2 3.4.3 3.4.4 3.5 3.5.1 3.5.2 3.5.3 3.6 4.13"
    assert {row.section for row in requirements.requirements()} == set(sections.split())
