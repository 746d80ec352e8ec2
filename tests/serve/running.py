"""Running `async-oauth1 serve` as a process, and sending it requests over octets."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.attacks.signer import Keys, Message, sign
from tests.servers import wait_until

#: Seconds after which a test fails.
PATIENCE = 60


class Served:
    """The running command; its output is in files, so that it never waits for a reader.

    Attributes:
        started: what its first line of JSON says.
        url: without a slash at the end.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process, self.folder = process, folder
        wait_until(lambda: "\n" in self.output() or process.poll() is not None, "it listens", PATIENCE)
        assert process.poll() is None, self.errors()
        self.started: dict[str, Any] = json.loads(self.output().splitlines()[0])
        self.url: str = self.started["url"]
        self.port = int((folder / "port").read_text()) if (folder / "port").exists() else 0

    def output(self) -> str:
        return (self.folder / "stdout").read_text()

    def errors(self) -> str:
        return (self.folder / "stderr").read_text()

    def events(self, count: int) -> list[dict[str, Any]]:
        """Wait for as many recorded requests, and return them."""
        wait_until(lambda: self.output().count("\n") > count, f"{count} requests are logged", PATIENCE)
        return [json.loads(line) for line in self.output().splitlines()[1:]]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start the command with its output in files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASYNC_OAUTH1_")}
    with (folder / "stdout").open("wb") as output, (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-bb", "-W", "error", "-m", "async_oauth1", "serve", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**kept, **environment},
        )


@contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    """Run the command with --json-log until the test ends."""
    process = start(folder, "--json-log", "--port-file", str(folder / "port"), *arguments, **environment)
    try:
        running = Served(process, folder)
        yield running
        if process.poll() is None:
            assert running.stop() == 0, running.errors()
        assert "Traceback" not in running.errors()
    finally:
        process.kill()
        process.wait()


def send(url: str, message: Message) -> tuple[int, dict[str, str], bytes]:
    """Send a signed request; returns status, header fields and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.putrequest(message.method, message.target.decode(), skip_host=True, skip_accept_encoding=True)
        for name, value in message.headers:
            connection.putheader(name.decode(), value)
        connection.endheaders(message.body or None)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def call(url: str, keys: Keys, method: str, target: str, **options: Any) -> tuple[int, dict[str, str], bytes]:
    """Sign a request and send it."""
    return send(url, sign(keys, method, target, origin=url, **options))
