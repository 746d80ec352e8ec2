"""What protection costs under uvicorn and granian, beside Authlib's and oauthlib's verifiers in a middleware.

    python -m benchmarks frameworks

One worker of the server answers wrk. The routes take turns, so that all of them run under the same conditions; the
figures are the server's CPU time for a request. `benchmarks.providers.on_frameworks` has the applications.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from .load.duels import PROTECTED, TWIN, Opponent, Side, Size
from .load.processes import ROOT, ProviderProcess, readers
from .load.wrk import wrk_path
from .providers.on_frameworks import APPLICATIONS
from .serving import recording_failures

__all__ = ["SERVERS", "Line", "Served", "lines", "run"]

#: Requests per second that are expected before the first burst; if there are more, it is repeated.
EXPECTED = 8_000
CONNECTIONS = 16
SERVERS = {
    "uvicorn": ["uvicorn", "--factory", "--log-level", "critical", "--no-proxy-headers", "--port", "{port}", "{app}"],
    "granian": ["granian", "--factory", "--interface", "asgi", "--no-log", "--port", "{port}", "{app}"],
}
PEERS = ("/authlib", "/oauthlib")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Attributes:
        server: a name in `SERVERS`.
        application: a name in `APPLICATIONS`.
        reader: ``native`` or ``python``.
        rounds: bursts of one second for each route.
    """

    server: str
    application: str
    reader: str
    rounds: int

    @property
    def paths(self) -> list[str]:
        """The routes to measure; the peers do not use our reader, so once is enough for them."""
        secured = ["/secured"] * (self.application == "FastAPI")
        return [TWIN, PROTECTED, *secured, *(PEERS if self.reader == readers()[0] else ())]


class Served(ProviderProcess):
    """An application under one of `SERVERS`."""

    def __init__(self, line: Line) -> None:
        """Start the server, and wait until it answers.

        Raises:
            OSError: it does not start.
        """
        self.name = f"{line.application} under {line.server}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.socket, port = free, free.getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        self.log = tempfile.NamedTemporaryFile(prefix="benchmark-", suffix=".log")  # noqa: SIM115 - closed in close
        app = f"benchmarks.providers.on_frameworks:{APPLICATIONS[line.application]}"
        command = [part.format(port=port, app=app) for part in SERVERS[line.server]]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTHLIB_INSECURE_TRANSPORT": "1"}
        if line.reader == "python":
            environment["ASYNC_OAUTH1_NATIVE"] = "0"
        self._started = [
            subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=self.log, stderr=self.log
            )
        ]
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.close()
            raise
        parent = psutil.Process(self._started[0].pid)
        self._family = [parent, *parent.children(recursive=True)]


def lines(*, quick: bool = False) -> Iterator[Line]:
    """The lines of the table; those with a goal get the most bursts."""
    for server in SERVERS:
        for application in APPLICATIONS:
            for reader in readers():
                rounds = 11 if reader == "native" else 3
                yield Line(server, application, reader, 1 if quick else rounds)


def measure(line: Line) -> dict[str, list[float]]:
    """The server's microseconds for a request of each route, one for each round.

    Raises:
        AssertionError: a request was refused.
        OSError: the server does not start.
        RanOutError: the server answered more requests than were signed.
    """
    size = Size(CONNECTIONS, line.rounds, 1)
    with Served(line) as served:
        opponents = [Opponent(Side(f"{served.name}: {path}", served.name, path), served, 0) for path in line.paths]
        for opponent in opponents:
            opponent.probe()
            opponent.fastest = EXPECTED
            opponent.fastest = opponent.burst(size).rate  # warms up, and measures how many requests to sign
        rounds = [[round(opponent.burst(size).cpu, 3) for opponent in opponents] for _ in range(size.pairs)]
    return dict(zip(line.paths, map(list, zip(*rounds, strict=True)), strict=True))


def run(say: Callable[[str], None], *, quick: bool = False) -> dict[str, Any]:
    """Measure every application under every server, with each reader.

    Args:
        say: prints progress.
        quick: one burst of each, to check that everything works.
    """
    wrk_path()
    results: dict[str, Any] = {"lines": [], "failed": []}
    for line in lines(quick=quick):
        title = f"{line.application} under {line.server}, {line.reader}"
        say(f"frameworks: {title}")
        with recording_failures(results, title, say):
            found = {"server": line.server, "application": line.application, "reader": line.reader}
            results["lines"].append({**found, "cpu": measure(line)})
    return results
