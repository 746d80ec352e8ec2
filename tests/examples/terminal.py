"""What a program prints on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

from .running import PATIENCE, environment


def on_a_terminal(module: str, *arguments: str, columns: int = 80, **more: str) -> str:
    """Run a module on a terminal; returns what it prints, with its escape sequences."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = environment(TERM="xterm-256color", **more)
    for name in ("COLUMNS", "LINES", "FORCE_COLOR", *({"NO_COLOR"} - more.keys())):
        variables.pop(name, None)
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(command, env=variables, stdin=theirs, stdout=theirs, stderr=theirs) as program:
        os.close(theirs)
        shown = bytearray()
        try:
            while octets := os.read(ours, 65536):
                shown += octets
        except OSError:
            pass  # on Linux, the other end was closed
        assert program.wait(PATIENCE) == 0, shown.decode()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")
