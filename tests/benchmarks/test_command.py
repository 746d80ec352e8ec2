"""The command that `make bench` runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.__main__ import main


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(main)
    return app


def test_without_wrk_it_says_so_in_one_line(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is started or written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["serving", "--output", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.output == "wrk is needed for the load, and was not found; on Debian: apt-get install wrk\n"
    assert not (tmp_path / "out").exists()


def test_a_part_that_does_not_exist_is_refused(app: typer.Typer) -> None:
    """The parts are named."""
    result = CliRunner().invoke(app, ["speed"])
    assert result.exit_code == 2
    assert "verify" in result.output
