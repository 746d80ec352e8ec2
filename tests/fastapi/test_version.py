"""A FastAPI below the floor is refused when `async_oauth1.fastapi` is imported."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

IMPORT = "import fastapi; fastapi.__version__ = {version!r}; import async_oauth1.fastapi"


def import_beside(version: str) -> subprocess.CompletedProcess[str]:
    """Import the adapter in another process, beside a FastAPI that says it has this version."""
    command = [sys.executable, "-W", "error", "-c", IMPORT.format(version=version)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_error_names_both_versions() -> None:
    """It is one ImportError. A newer version than those tested is accepted."""
    done = import_beside("0.99.1")
    assert done.returncode == 1
    error = "ImportError: async_oauth1.fastapi needs fastapi 0.121 or newer, and 0.99.1 is installed"
    assert done.stderr.strip().splitlines()[-1].startswith(error)
    assert import_beside("7.0.0").returncode == 0


def test_the_floor_is_that_of_the_extra(repository: Path) -> None:
    """pyproject.toml names the same version."""
    extras = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    assert "fastapi>=0.121" in extras["fastapi"]
