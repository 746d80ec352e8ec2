"""Running the command async-oauth1, as a process of its own or in this one."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
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


def run_on_terminal(*arguments: str, columns: int = 80) -> str:
    """The output of the command on a terminal of some width."""
    terminal, other_end = pty.openpty()
    try:
        fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        command = [*COMMAND, *arguments]
        with subprocess.Popen(command, stdin=other_end, stdout=other_end, env=environment) as process:
            os.close(other_end)
            output = read_to_the_end(terminal)
        assert process.returncode == 0
        return output.decode()
    finally:
        os.close(terminal)


def read_to_the_end(terminal: int) -> bytes:
    """What is written to a terminal until its other end is closed: one read returns a part of it."""
    output = bytearray()
    with suppress(OSError):  # Linux raises it at the end
        while more := os.read(terminal, 65_536):
            output += more
    return bytes(output)


def assert_one_line_error(result: subprocess.CompletedProcess[str], reason: str) -> None:
    """The command failed with exit status 2 and one line on stderr that names the reason."""
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("async-oauth1: ")
    assert reason in result.stderr
    assert "hunter2" not in result.stderr
