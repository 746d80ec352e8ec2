"""The pages of the reference are as the code makes them, and each requirement of RFC 5849 has its test."""

from __future__ import annotations

import pytest

from tools.reference import configuration, errors, requirements
from tools.reference.__main__ import outdated, violations


def test_the_pages_are_up_to_date() -> None:
    """`make reference` would change nothing."""
    assert list(outdated()) == []


def test_the_tables_are_complete() -> None:
    """Each MUST has a test, each key that is read has a row, and each code has its causes."""
    assert list(violations()) == []


def test_a_key_and_a_code_without_a_row_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the packages read, and a code that the package raises."""
    monkeypatch.delitem(configuration._KEYS, "OAUTH1_TOKEN_LENGTH")
    assert any("OAUTH1_TOKEN_LENGTH" in found for found in configuration.violations())
    monkeypatch.setattr(errors, "_NOT_RAISED", set())
    assert list(errors.violations()) != []


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
