"""What a program prints on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

from .imports import ROOT

__all__ = ["on_a_terminal"]

_PATIENCE = 60


def on_a_terminal(
    module: str, *arguments: str, cwd: Path = ROOT, columns: int = 80, may_fail: bool = False, **more: str
) -> str:
    """Run a module on a terminal.

    Args:
        module: to run as `python -m`.
        arguments: of the command line.
        cwd: the working directory.
        columns: the width of the terminal.
        may_fail: whether another exit status than 0 is an answer, too.
        more: variables of the environment.

    Returns:
        What it prints, with its escape sequences.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    dropped = {"COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("PHOTOS_", "ASYNC_OAUTH1_"))
    }
    variables = {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **more}
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(command, cwd=cwd, env=variables, stdin=theirs, stdout=theirs, stderr=theirs) as program:
        os.close(theirs)
        shown = bytearray()
        with suppress(OSError):  # on Linux, the end of the output is an error
            while octets := os.read(ours, 65536):
                shown += octets
        status = program.wait(_PATIENCE)
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    if status and not may_fail:
        raise RuntimeError(f"{module} ended with {status}: {text}")
    return text
