"""Client libraries of other languages, each run as a program of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parent / "programs"
#: Seconds after which a program is given up.
TIMEOUT = 120


def require(reason: str, *, present: bool) -> None:
    """Skip the test if a program is missing on this machine; fail in CI, which installs it."""
    if not present:
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; CI installs it")
        pytest.skip(reason)


def succeeds(command: Sequence[str]) -> bool:
    """Whether a command can be run and ends well."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False).returncode == 0


def install_npm_packages(cache: Path) -> Path:
    """Install what ``package-lock.json`` pins, once for all workers and runs.

    Args:
        cache: a folder that is kept from run to run.

    Returns:
        The folder to run the programs in.
    """
    require("node and npm are not installed", present=bool(shutil.which("node") and shutil.which("npm")))
    lock_file = (PROGRAMS / "package-lock.json").read_bytes()
    folder = cache / hashlib.sha256(lock_file).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PROGRAMS / name, folder)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=4 * TIMEOUT, check=False)
            require(f"npm could not install the client libraries: {done.stderr[-500:]}", present=done.returncode == 0)
            (folder / "installed").touch()
        for program in PROGRAMS.glob("*.js"):
            # In one step: another worker may be about to run the former copy.
            copy = folder / f"{program.name}.new"
            shutil.copy(program, copy)
            copy.replace(folder / program.name)
    return folder


@contextmanager
def started(command: Sequence[str], cwd: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start a program that talks JSON, line by line; it is gone afterwards."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read_line(process: subprocess.Popen[str]) -> Any:
    """The next line that a program prints, as JSON; the test fails with what it says on stderr instead."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    return json.loads(line)
