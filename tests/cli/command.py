"""Running the command async-oauth1, as a process of its own or in this one."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any
from unittest.mock import patch

from async_oauth1.cli import main

COMMAND = (sys.executable, "-m", "async_oauth1")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a thread of this process, for tests that run in an event loop: it has its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run_in_process, *arguments, **environment).result(timeout=60)


def run_in_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, which takes a fraction of the time of a new one."""
    stdout, stderr = StringIO(), StringIO()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASYNC_OAUTH1_")}
    with patch.dict(os.environ, {**kept, **environment}, clear=True), redirect_stdout(stdout), redirect_stderr(stderr):
        status = main(arguments)
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


def run_json(*arguments: str, **environment: str) -> Any:
    """The value that the command prints with --json: one line on stdout, and nothing on stderr."""
    result = run(*arguments, "--json", **environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def run_on_terminal(*arguments: str) -> str:
    """The output of the command on a terminal."""
    terminal, other_end = pty.openpty()
    try:
        subprocess.run([*COMMAND, *arguments], stdout=other_end, timeout=60, check=True)
        return os.read(terminal, 100_000).decode()
    finally:
        os.close(terminal)
        os.close(other_end)


def assert_one_line_error(result: subprocess.CompletedProcess[str], reason: str) -> None:
    """The command failed with exit status 2 and one line on stderr that names the reason."""
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("async-oauth1: ")
    assert reason in result.stderr
    assert "hunter2" not in result.stderr
