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


def test_a_missing_wrk_is_a_one_line_error(app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command fails before it starts or writes anything."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["serving", "--output", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.output == "wrk was not found; install it (on Debian: apt-get install wrk)\n"
    assert not (tmp_path / "out").exists()


def test_an_unknown_part_is_refused(app: typer.Typer) -> None:
    """The error names the known parts."""
    result = CliRunner().invoke(app, ["speed"])
    assert result.exit_code == 2
    assert "verify" in result.output
