"""Type checkers know what users work with: mypy and pyright, both strict, over small programs.

In the programs, the comment behind `reveal_type(...)` is the type that both must reveal. Both must report an error in
each line that ends in `# refused`, and in no other line.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROGRAMS = Path(__file__).parent / "typed_programs"

_MYPY_LINE = re.compile(r"(.+?):(\d+): (error|note): (.*)")
_MYPY_REVEALED = re.compile(r'Revealed type is "(.*)"')
_PYRIGHT_REVEALED = re.compile(r'Type of ".*" is "(.*)"', re.DOTALL)
_REVEAL = re.compile(r"reveal_type\(.*\)  # (.*)")


class Report(NamedTuple):
    """What a checker says about the programs, by file name and line."""

    errors: dict[tuple[str, int], str]
    revealed: dict[tuple[str, int], str]


@pytest.fixture(scope="module")
def mypy_report(repository: Path) -> Report:
    """The report of mypy. It is as strict as in `make lint`, so that it can use what that has found of the packages."""
    output = _run(repository, "mypy", "--show-absolute-path", str(PROGRAMS))
    report = Report({}, {})
    for path, line, kind, message in _MYPY_LINE.findall(output):
        place = Path(path).name, int(line)
        if kind == "error":
            report.errors[place] = message
        elif match := _MYPY_REVEALED.fullmatch(message):
            report.revealed[place] = _plain(match[1])
    return report


@pytest.fixture(scope="module")
def pyright_report(repository: Path) -> Report:
    """The report of pyright. The programs themselves ask for strict checks."""
    output = _run(repository, "pyright", f"--pythonpath={sys.executable}", "--outputjson", str(PROGRAMS))
    report = Report({}, {})
    for found in json.loads(output)["generalDiagnostics"]:
        place = Path(found["file"]).name, found["range"]["start"]["line"] + 1
        if found["severity"] == "error":
            report.errors[place] = found["message"]
        elif match := _PYRIGHT_REVEALED.fullmatch(found["message"]):
            report.revealed[place] = _plain(match[1])
    return report


def test_mypy_refuses_mistakes_and_nothing_else(mypy_report: Report) -> None:
    """A wrong store, a misspelt attribute and a wrong argument are errors under mypy --strict."""
    assert mypy_report.errors.keys() == _refused(), mypy_report.errors


def test_pyright_refuses_mistakes_and_nothing_else(pyright_report: Report) -> None:
    """A wrong store, a misspelt attribute and a wrong argument are errors under strict pyright."""
    assert pyright_report.errors.keys() == _refused(), pyright_report.errors


def test_mypy_reveals_the_types(mypy_report: Report) -> None:
    """mypy knows proxies, models and the signatures of protected views."""
    assert mypy_report.revealed == _expected()


def test_pyright_reveals_the_types(pyright_report: Report) -> None:
    """pyright knows proxies, models and the signatures of protected views."""
    assert pyright_report.revealed == _expected()


def _run(repository: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], check=False, capture_output=True, text=True, cwd=repository)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: errors were found
    return done.stdout


def _plain(revealed: str) -> str:
    """A type without module names, and written alike for both checkers."""
    return re.sub(r"\b(?:\w+\.)+(?=[A-Za-z_])", "", revealed.removeprefix("def ")).replace("builtins.", "")


def _lines() -> dict[tuple[str, int], str]:
    return {
        (path.name, number): line
        for path in PROGRAMS.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    }


def _refused() -> set[tuple[str, int]]:
    return {place for place, line in _lines().items() if line.endswith("# refused")}


def _expected() -> dict[tuple[str, int], str]:
    return {place: match[1] for place, line in _lines().items() if (match := _REVEAL.search(line))}
