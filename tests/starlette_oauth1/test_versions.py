"""A version of Starlette that is too old is one error at import, and a newer one than was tested is accepted."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FLOOR = "0.49"


def import_beside(version: str) -> str:
    """Import the adapter in a new process, beside this version, and return the last line of the error."""
    program = f"import starlette; starlette.__version__ = {version!r}; import async_oauth1.starlette"
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    return done.stderr.strip().rpartition("\n")[2]


def test_too_old() -> None:
    """The error names both versions, and what to do."""
    assert import_beside("0.48.1") == (
        f"ImportError: async_oauth1.starlette needs starlette {FLOOR} or newer, and 0.48.1 is installed: "
        'pip install --upgrade "async-oauth1[starlette]"'
    )


@pytest.mark.parametrize("version", [FLOOR, "0.49.1rc1", "99.0", "1.10.dev3"])
def test_new_enough(version: str) -> None:
    """The floor itself, and versions that did not exist when this was tested."""
    assert import_beside(version) == ""


def test_the_floor_is_that_of_the_package(repository: Path) -> None:
    """The extra demands the same version."""
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["starlette"] == [f"starlette>={FLOOR}"]
