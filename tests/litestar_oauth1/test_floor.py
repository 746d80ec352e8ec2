"""A version of Litestar that is too old is one error at import, which names both versions."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

PROGRAM = """
import litestar, sys
litestar.__version__ = sys.argv[1]
import async_oauth1.litestar
"""


def test_an_old_version(repository: Path) -> None:
    """The floor is that of ``pyproject.toml``; a version newer than any that was tested is accepted."""
    extras = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    [floor] = [need.partition(">=")[2] for need in extras["litestar"] if need.startswith("litestar>=")]
    for version, status in (("2.17.0", 1), (f"{floor}.0", 0), ("99.0", 0)):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, version], cwd=repository, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
    old = subprocess.run(
        [sys.executable, "-c", PROGRAM, "2.17.0"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert "ImportError" in old.stderr
    assert "2.17.0" in old.stderr
    assert floor in old.stderr
