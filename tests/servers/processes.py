"""A server process in a temporary folder, and waiting for it."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

#: Seconds that a server may take to start, to stop or to agree with the others; far more than it needs.
PATIENCE = 30.0


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask again and again until something holds.

    Raises:
        TimeoutError: it did not.
    """
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out waiting until {what}")
        time.sleep(0.02)


def unmeasured_environment() -> dict[str, str]:
    """Return the environment without the variables by which coverage measures child processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def wait_until_it_listens(process: subprocess.Popen[Any], port: int) -> None:
    """Return once a program accepts connections on a port of this machine.

    Raises:
        ChildProcessError: it ended.
        TimeoutError: it did not accept any.
    """

    def listens() -> bool:
        if process.poll() is not None:
            raise ChildProcessError(f"{process.args!r} has ended")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    wait_until(listens, f"{process.args!r} listens")


def free_ports(count: int) -> list[int]:
    """Ports that are free.

    Below those that outgoing connections take, on Linux from 32,768 on, and so is a cluster's bus (port + 10,000). Two
    runs that start together have neighbouring numbers, and begin to look far from each other.
    """
    sockets = []
    try:
        for port in range(10_000 + os.getpid() * 7_919 % 9_000, 20_000):
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                candidate.close()
                continue
            sockets.append((port, candidate))
            if len(sockets) == count:
                return [port for port, _ in sockets]
    finally:
        for _, taken in sockets:
            taken.close()
    raise OSError("no free port")


class Server:
    """A process with a folder of its own."""

    def __init__(self) -> None:
        """Make the folder; the server is started by the subclass."""
        # Not below pytest's: its path is too long for a socket, and another user's server could not reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="oauth1-"))
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it can be used."""
        raise NotImplementedError

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run a command in the folder, with its output in ``log``."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self) -> None:
        """Start, or start again on the same folder, and wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        self.process = self.launch(self.command())
        while not self.answers():
            if self.process.poll() is not None:  # a port or a lock of the process before may still be held
                time.sleep(0.1)
                self.process = self.launch(self.command())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.command()[0]} does not start:\n{self.log()}")
            time.sleep(0.02)

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL: nothing is written down any more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Stop the process: connections stay open, and nothing is answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)
