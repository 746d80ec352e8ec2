"""The benchmarks measure real servers: a small part in `make test`, and everything in `make stress`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from async_oauth1 import native
from benchmarks.frameworks import Line, Served
from benchmarks.load.processes import ProviderProcess, readers
from benchmarks.providers.settings import Settings
from tests.stress import STRESS

#: Seeds PostgreSQL, Valkey and SQLite, and compares two routes over the memory store, with each reader.
SMALL = ["serving", "--only", "memory-warm", "--tokens", "200"]


@pytest.mark.stress
def test_a_quick_run_measures_everything(
    repository: Path, unmeasured_environment: dict[str, str], tmp_path: Path
) -> None:
    """The command ends without a failure, and writes the page, the pictures and the samples of all parts."""
    if shutil.which("wrk") is None and not os.environ.get("CI"):
        pytest.skip("wrk is not installed here")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path), *([] if STRESS else SMALL)]
    done = subprocess.run(
        command, cwd=repository, env=unmeasured_environment, capture_output=True, text=True, check=False, timeout=1_200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    duels = {duel["key"] for duel in results["serving"]["results"]["duels"]}
    assert duels >= {"memory-warm", "memory-warm-python"} if native.IN_USE else {"memory-warm"}
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| CPU time, unprotected twin over protected: memory store | at least 0.94 |" in page
    assert "| unprotected | memory, warm |" in page
    if STRESS:
        assert set(results) == {"verify", "serving", "frameworks", "growth"}
        assert len(results["frameworks"]["results"]["lines"]) == 6 * len(readers())


@pytest.mark.parametrize(("name", "turned_off"), [("ours-memory", False), ("ours-memory+python", True)])
def test_a_provider_in_python_leaves_the_native_reader_out(
    name: str, turned_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suffix of the name turns it off in the provider's process."""
    monkeypatch.delenv("ASYNC_OAUTH1_NATIVE", raising=False)
    with ProviderProcess(name, Settings(tokens=16)) as provider:
        (process,) = provider._family
        assert (process.environ().get("ASYNC_OAUTH1_NATIVE") == "0") is turned_off


@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_a_server_in_python_leaves_the_native_reader_out(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This also holds for the workers that a server starts."""
    monkeypatch.delenv("ASYNC_OAUTH1_NATIVE", raising=False)
    with Served(Line(server, "bare ASGI", "python", 1)) as served:
        assert {process.environ().get("ASYNC_OAUTH1_NATIVE") for process in served._family} == {"0"}
