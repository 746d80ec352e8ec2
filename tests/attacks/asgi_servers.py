"""Run ASGI servers that serve `seven_frameworks`, each in its own process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from tests.servers import free_ports, unmeasured_environment, wait_until_it_listens

ROOT = Path(__file__).parents[2]
#: Seconds; a test that hangs fails after this time.
PATIENCE = 60
APPLICATION = "tests.attacks.seven_frameworks:app"
UVICORN = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", APPLICATION]
SERVERS = {
    "uvicorn-httptools": [*UVICORN, "--http", "httptools", "--no-proxy-headers"],
    "uvicorn-h11": [*UVICORN, "--http", "h11", "--no-proxy-headers"],
    "hypercorn": ["-m", "hypercorn", "-b", "127.0.0.1:{port}", APPLICATION],
    "granian": ["-m", "granian", "--interface", "asgi", "--port", "{port}", "--no-access-log", APPLICATION],
}


@contextmanager
def serving(command: list[str], policy: dict[str, Any] | None = None, **environment: str) -> Iterator[int]:
    """Start a server on a free port, without coverage, and stop it at the end.

    Args:
        command: Arguments for Python; ``{port}`` is replaced.
        policy: Keyword arguments for `Policy`.
        environment: Additional environment variables.
    """
    [port] = free_ports(1)
    arguments = [argument.format(port=port) for argument in command]
    variables = {**unmeasured_environment(), "PYTHONPATH": str(ROOT), "POLICY": json.dumps(policy or {}), **environment}
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=variables) as process:
        try:
            wait_until_it_listens(process, port)
            yield port
        finally:
            end(process)


def end(process: subprocess.Popen[Any]) -> None:
    """Stop a server; kill it with its workers if it does not end: granian can hang if the signal comes at its start."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        for one in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
            one.kill()


def read_head(connection: socket.socket) -> bytes:
    """Read up to the end of a response's head; the result may include a part of the body."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65_536)
        assert more, received
        received += more
    return received


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))
