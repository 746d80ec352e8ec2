"""The wheel, built from the source distribution and installed with only Authlib."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

PROGRAM = """
import importlib.metadata, importlib.resources, sys
import async_oauth1
assert async_oauth1.__file__.startswith(sys.prefix), async_oauth1.__file__
assert importlib.resources.files(async_oauth1).joinpath("py.typed").is_file()
credentials = async_oauth1.SigningKeys("kd94hf93k423kf44", "pfkkdhi9sl3r4s00")
assert async_oauth1.SIGNATURE_METHODS["HMAC-SHA1"].sign("GET&http%3A%2F%2Fphotos.example.net%2Fphotos&", credentials)
print(importlib.metadata.version("async-oauth1"))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """The output of a program; fails with its errors."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def distributions(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source distribution and the wheel that is built from it."""
    target = tmp_path_factory.mktemp("distributions")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, cwd=repository)
    return target


def only(directory: Path, pattern: str) -> Path:
    """The only file that matches the pattern."""
    (path,) = directory.glob(pattern)
    return path


def test_the_wheel_holds_the_two_packages_and_nothing_else(distributions: Path) -> None:
    """Tests, examples and C sources are not in the wheel, but the type markers are."""
    with zipfile.ZipFile(only(distributions, "*.whl")) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"async_oauth1", "flask_compat"}
    assert {"async_oauth1/py.typed", "flask_compat/py.typed"} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    pages = (".html", ".css", ".js", ".svg")  # of `async-oauth1 serve` and of the admin page
    assert all(
        name.endswith((".py", "py.typed", ".abi3.so"))
        or (name.startswith(("async_oauth1/serve/", "async_oauth1/admin/page/")) and name.endswith(pages))
        for name in names
        if ".dist-info/" not in name
    )


def test_the_wheel_registers_the_pytest_plugin(distributions: Path) -> None:
    """pytest finds the fixture `oauth1_server` without configuration, and the pages of the provider are installed."""
    with zipfile.ZipFile(only(distributions, "*.whl")) as wheel:
        (entry_points,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
        assert "[pytest11]\nasync-oauth1 = async_oauth1.testing.plugin" in wheel.read(entry_points).decode()
        assert "async_oauth1/serve/templates/requests.html" in wheel.namelist()


def test_the_source_distribution_can_be_tested(distributions: Path) -> None:
    """The source distribution contains the tests, for packagers of distributions."""
    with tarfile.open(only(distributions, "*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"LICENSE", "Makefile", "README.md", "constraints.txt", "pyproject.toml", "tests/vectors/signatures.json"}
    assert needed <= names
    assert {"hatch_build.py", "async_oauth1/native/extension.c", "async_oauth1/native/reader.h"} <= names
    assert not [name for name in names if name.endswith(".so")]


@pytest.fixture(scope="module")
def clean_python(distributions: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with only the wheel and its requirements."""
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment)
    python = environment / "bin" / "python"
    install = ("install", "--quiet", "--no-compile", "--constraint", repository / "constraints.txt")
    run(sys.executable, "-m", "pip", "--python", python, *install, only(distributions, "*.whl"), cwd=environment)
    return python


def test_the_wheel_works_with_authlib_alone(clean_python: Path, tmp_path: Path) -> None:
    """With its one dependency, the wheel can be imported and can sign."""
    assert run(clean_python, "-I", "-W", "error", "-c", PROGRAM, cwd=tmp_path).strip() == "1.0.0rc1"


def test_the_command_names_its_missing_extra(clean_python: Path, tmp_path: Path) -> None:
    """Without the extra `cli`, the command prints one line of advice, without a traceback."""
    for command in ((clean_python, "-I", "-m", "async_oauth1"), (clean_python.with_name("async-oauth1"),)):
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2, command
        assert "async-oauth1[cli]" in done.stderr
        assert "Traceback" not in done.stderr
