"""Server processes in temporary folders, and functions that wait for them."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count, islice
from pathlib import Path
from typing import Any

#: Seconds that a server may take to start, to stop or to join a cluster; much more than it needs.
PATIENCE = 120.0
#: The variable with the folder of the empty databases that servers copy; tests/conftest.py sets it for all workers.
TEMPLATES = "OAUTH1_TEST_TEMPLATES"


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Poll until a condition is true.

    Raises:
        TimeoutError: The condition was not true in time.
    """
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out waiting until {what}")
        time.sleep(0.02)


def patient(url: str) -> str:
    """Return the URL of a store that waits for its server, which a busy machine may keep from answering."""
    return f"{url}{'&' if '?' in url else '?'}timeout={PATIENCE:g}"


def unmeasured_environment() -> dict[str, str]:
    """Return the environment without the variables by which coverage measures child processes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def wait_until_it_listens(process: subprocess.Popen[Any], port: int) -> None:
    """Wait until a program accepts connections on a local port.

    Raises:
        ChildProcessError: The program ended.
        TimeoutError: The program did not accept a connection in time.
    """

    def listens() -> bool:
        if process.poll() is not None:
            output = process.communicate()[0] if process.stdout else None
            raise ChildProcessError(f"{process.args!r} has ended: {output!r}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    wait_until(listens, f"{process.args!r} listens")


def free_ports(count: int) -> list[int]:
    """Find free ports.

    They, and the ports of a cluster's bus (port + 10,000), are below those of outgoing connections and those that the
    system chooses for a server, which start at 32,768 on Linux: nothing else takes them before the server listens.
    A port is not returned twice, unless a process has had all of them.
    """
    sockets = []
    try:
        for port in islice(_candidates(os.getpid()), 10_000):
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


@cache
def _candidates(process: int) -> Iterator[int]:
    """The ports from 10,000 to 19,999, again and again. Where they begin differs from process to process."""
    return (10_000 + (process * 7_919 + number) % 10_000 for number in count())


class Server:
    """A process with a temporary folder."""

    def __init__(self) -> None:
        """Create the folder; the subclass starts the server."""
        # Not in pytest's folder: its path is too long for a socket, and another user's server could not access it.
        self.folder = Path(tempfile.mkdtemp(prefix="oauth1-"))
        self.process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def command(self) -> list[str]:
        """The command that runs the server."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Return whether the server can be used."""
        raise NotImplementedError

    def launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Run a command in the folder, with its output in ``log``."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def install(self, command: Sequence[str]) -> None:
        """Create the folder ``data`` with a command, or copy what it created for another server of this test run.

        Raises:
            OSError: The command failed.
        """
        if TEMPLATES not in os.environ:
            self._create(command)
            return
        data, template = self.folder / "data", Path(os.environ[TEMPLATES]) / type(self).__name__
        with template.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not template.exists():
                self._create(command)
                _copy(data, template.with_suffix(".new"))
                template.with_suffix(".new").rename(template)
                return
        _copy(template, data)

    def _create(self, command: Sequence[str]) -> None:
        created = self.launch(command)
        if created.wait() != 0:
            raise OSError(f"{command[0]} ended with {created.returncode}:\n{self.log()}")

    def start(self) -> None:
        """Start the server, or start it again in the same folder, and wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        self.process = self.launch(self.command())
        while not self.answers():
            if self.process.poll() is not None:  # the previous process may still hold a port or a lock
                time.sleep(0.1)
                self.process = self.launch(self.command())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.command()[0]} does not start:\n{self.log()}")
            time.sleep(0.02)

    def log(self) -> str:
        """The output of the server."""
        return (self.folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """Send SIGKILL, so that the server cannot write anything more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Send SIGSTOP: connections stay open, and are not answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners, modes and times."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
