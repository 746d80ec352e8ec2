"""Which reader is used: the extension if it is there and right, otherwise Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from async_oauth1 import native

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from async_oauth1 import OAuth1Request, native
assert native.__file__.startswith(sys.argv[1]), native.__file__
OAuth1Request("GET", scheme="https", host="a.example", raw_path=b"/", raw_query=b"a=b")
print(native.IN_USE)
"""


@pytest.fixture
def package(repository: Path, tmp_path: Path) -> Path:
    """A copy of the package without the extension."""
    shutil.copytree(
        repository / "async_oauth1", tmp_path / "async_oauth1", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    return tmp_path


def run(package: Path, environment: dict[str, str], **more: str) -> tuple[str, list[str]]:
    """Import the copy: whether the extension is used, and what is written to the log."""
    command = (sys.executable, "-W", "error", "-c", PROGRAM, str(package))
    inherited = {name: value for name, value in environment.items() if name != "ASYNC_OAUTH1_NATIVE"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=package, env={**inherited, **more})
    return done.stdout.strip(), done.stderr.splitlines()


def test_without_the_extension_nothing_is_said(package: Path, unmeasured_environment: dict[str, str]) -> None:
    """A pure installation is nothing to warn of."""
    assert run(package, unmeasured_environment) == ("False", [])


@pytest.mark.parametrize("content", [b"", b"\x7fELF, but no library", b"#!/bin/sh\n"])
def test_a_broken_file_is_one_warning(package: Path, unmeasured_environment: dict[str, str], content: bytes) -> None:
    """A file that cannot be loaded is logged in one line, and requests are read in Python."""
    (package / "async_oauth1/native/extension.abi3.so").write_bytes(content)
    used, log = run(package, unmeasured_environment)
    assert used == "False"
    assert len(log) == 1
    assert "The native reader is not used: it cannot be loaded" in log[0]


@pytest.mark.parametrize("source", ["INTERFACE = 0\ndef read(*_): ...\ndef read_scope(*_): ...", "INTERFACE = 1", ""])
def test_a_foreign_module_is_one_warning(package: Path, unmeasured_environment: dict[str, str], source: str) -> None:
    """An extension of another release, or of something else, is not used."""
    (package / "async_oauth1/native/extension.py").write_text(source, encoding="utf-8")
    used, log = run(package, unmeasured_environment)
    assert used == "False"
    assert len(log) == 1
    assert f"this release needs {native.INTERFACE}" in log[0]


@pytest.mark.usefixtures("native_reader")
def test_the_environment_turns_it_off(package: Path, repository: Path, unmeasured_environment: dict[str, str]) -> None:
    """ASYNC_OAUTH1_NATIVE=0 does without an extension that is there."""
    (built,) = (repository / "async_oauth1/native").glob("extension*.so")
    shutil.copy(built, package / "async_oauth1/native")
    assert run(package, unmeasured_environment) == ("True", [])
    assert run(package, unmeasured_environment, ASYNC_OAUTH1_NATIVE="0") == ("False", [])


def test_the_module_says_which_reader_is_used(unmeasured_environment: dict[str, str], repository: Path) -> None:
    """python -m async_oauth1.native prints one sentence about it."""
    command = (sys.executable, "-m", "async_oauth1.native")
    for more, expected in (({}, native.STATE), ({"ASYNC_OAUTH1_NATIVE": "0"}, "turned off by ASYNC_OAUTH1_NATIVE=0")):
        environment = {**unmeasured_environment, **more}
        said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=repository)
        assert expected in said.stdout
        assert said.stdout.count("\n") == 1


def test_the_numbers_of_the_interface_agree(repository: Path) -> None:
    """The extension and its Python side have the same number."""
    source = (repository / "async_oauth1/native/extension.c").read_text(encoding="utf-8")
    assert f"INTERFACE = {native.INTERFACE} }};" in source
    assert os.environ.get("ASYNC_OAUTH1_NATIVE") != "0" or not native.IN_USE
