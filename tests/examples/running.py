"""Running photos as a process."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from tests.cli import command
from tests.servers.processes import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
#: The provider as users start it, for tests of sign-ins that take their time.
REAL_HASHES = "examples.photos"
#: The same provider, with password hashes that take no time.
CHEAP_HASHES = "tests.examples.cheap_hashes"
#: What it writes to stderr if it is stopped by a signal, without times.
STOPPED = "photos: stopping\nphotos: stopped\n"
#: Python's options for a server: each warning is an error, except for one. Quart opens a static file in a thread. If
#: the browser has left meanwhile, only the garbage collector closes the file.
STRICT = ("-bb", "-W", "error", "-W", "ignore:unclosed file <_io.BufferedReader:ResourceWarning")
_TIME_AND_LEVEL = re.compile(r"^[0-9-]{10} [0-9:,]{12} [A-Z]+ ", re.MULTILINE)
ANNOUNCEMENT = re.compile(r"photos: listening on (http://(?:\[[0-9a-f:]+\]|[a-z0-9.]+):([0-9]+))\n")


def without_times(log: str) -> str:
    """The lines of the log without their times and levels."""
    return _TIME_AND_LEVEL.sub("", log)


def environment(**more: str) -> dict[str, str]:
    """The environment for a process, without variables that configure the packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHOTOS_", "ASYNC_OAUTH1_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def run(module: str, *arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end."""
    return subprocess.run(
        [sys.executable, "-bb", "-W", "error", "-m", module, *arguments],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Photos:
    """A running provider.

    Attributes:
        process: the leader of its own process group.
        url: the URL on which it listens.
        port: the port of the URL.
        errors: stderr, a file; a pipe that is not read would block the provider when it is full.
        output: stdout and stderr, after it has stopped.
    """

    process: subprocess.Popen[str]
    errors: IO[str]
    url: str
    port: int
    store: str = ""
    output: tuple[str, str] = field(default=("", ""))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and wait until it has stopped; returns its exit status."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has stopped; returns its exit status."""
        if self.process.stdout is not None and not self.process.stdout.closed:
            output, _ = self.process.communicate(timeout=PATIENCE)
            self.errors.seek(0)
            self.output = output, without_times(self.errors.read())
            self.errors.close()
        return self.process.returncode

    def next_error(self) -> str:
        """Wait for the next line on stderr, and return it without its time and level."""
        line = ""

        def arrived() -> bool:
            nonlocal line
            line += self.errors.readline()
            return line.endswith("\n")

        wait_until(arrived, "photos writes a line on stderr")
        return without_times(line)

    def connect(self) -> socket.socket:
        """Open a connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def talk(self, *pieces: bytes) -> bytes:
        """Send octets, each piece in a packet of its own, and read until the provider closes the connection."""
        answer = bytearray()
        with self.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connection.sendall(piece)
            while received := connection.recv(65_536):
                answer += received
        return bytes(answer)


@contextmanager
def photos(
    *arguments: str,
    store: str = "memory://",
    cwd: Path | None = None,
    limit_descriptors: int | None = None,
    module: str = CHEAP_HASHES,
    **more: str,
) -> Iterator[Photos]:
    """Start the provider on a free port, and end it and all its processes afterwards.

    Args:
        arguments: its command line.
        store: URL of its store.
        cwd: its working directory.
        limit_descriptors: the hard limit of its descriptors.
        module: what is run, such as `REAL_HASHES`.
        more: additional environment variables.

    Raises:
        AssertionError: it did not start, or it wrote a traceback.
    """
    with tempfile.NamedTemporaryFile("a", encoding="utf-8") as written:
        errors = Path(written.name).open(encoding="utf-8")  # noqa: SIM115 - `ended` closes it
        command = [sys.executable, *STRICT, "-m", module, "--port", "0", "--store", store, *arguments]
        process = _start(command, cwd, written, limit_descriptors, more)
    running = Photos(process, errors, "", 0, store)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        announced = ANNOUNCEMENT.fullmatch(line)
        if announced is None:
            process.terminate()
            running.ended()
        assert announced, (line, *running.output)
        running.url, running.port = announced[1], int(announced[2])
        yield running
        if process.returncode is None:
            running.stop()
        assert "Traceback" not in running.output[1], running.output[1]
    finally:
        kill_group(process)
        running.ended()


def _start(
    command: list[str],
    cwd: Path | None,
    errors: IO[str],
    limit_descriptors: int | None,
    more: dict[str, str],
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
        preexec_fn=limit_descriptors and partial(_limit_descriptors, limit_descriptors),  # noqa: PLW1509 - one system call
    )


def _limit_descriptors(number: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process and all processes that it has started."""
    with suppress(ProcessLookupError, PermissionError):  # macOS raises the latter for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)


def add_client(store: str, *arguments: str, name: str = "Another printer") -> dict[str, str]:
    """Register a client with ``async-oauth1 client add``."""
    added = command.run("client", "add", "--store", store, "--name", name, "--json", *arguments)
    assert added.returncode == 0, added.stderr
    credentials: dict[str, str] = json.loads(added.stdout)
    return credentials
