"""What protection costs under uvicorn and granian, beside Authlib's and oauthlib's verifiers in a middleware.

    python -m benchmarks.frameworks

One worker of the server answers wrk. The routes take turns, so that all of them run under the same conditions; the
figures are the server's CPU time for a request. `benchmarks.providers.on_frameworks` has the applications.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from statistics import median
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console

from .load.processes import ROOT, ProviderProcess
from .load.signing import Signer
from .load.wrk import burst, status_of
from .providers.on_frameworks import APPLICATIONS
from .reporting.markdown import markdown_table

__all__ = ["SERVERS", "Served", "main", "row"]

#: Requests per second, more than any of them answers.
FASTEST = 50_000
SERVERS = {
    "uvicorn": ["uvicorn", "--factory", "--log-level", "critical", "--no-proxy-headers", "--port", "{port}", "{app}"],
    "granian": ["granian", "--factory", "--interface", "asgi", "--no-log", "--port", "{port}", "{app}"],
}
_COLUMNS = (
    "server",
    "application",
    "unprotected, us",
    "protected, us",
    "unprotected / protected",
    "dependency, us",
    "added by Authlib / by ours",
    "added by oauthlib / by ours",
)


class Served(ProviderProcess):
    """An application under one of `SERVERS`."""

    def __init__(self, server: str, application: str) -> None:
        """Start the server, and wait until it answers.

        Args:
            server: a name in `SERVERS`.
            application: a name in `APPLICATIONS`.

        Raises:
            OSError: it does not start.
        """
        self.name = f"{application} under {server}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.socket, port = free, free.getsockname()[1]
        self.host = f"127.0.0.1:{port}"
        self.log = tempfile.NamedTemporaryFile(prefix="benchmark-", suffix=".log")  # noqa: SIM115 - closed in close
        app = f"benchmarks.providers.on_frameworks:{APPLICATIONS[application]}"
        command = [part.format(port=port, app=app) for part in SERVERS[server]]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTHLIB_INSECURE_TRANSPORT": "1"}
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


def measure(served: Served, paths: list[str], rounds: int) -> dict[str, float]:
    """The server's microseconds for a request of each route: the median of some bursts of one second.

    Raises:
        OSError: a request was refused.
    """
    signers = {path: Signer(served.host, path) for path in paths}
    for path, signer in signers.items():
        if (status := status_of(served, signer)) != 200:
            raise OSError(f"{path} answers {status}: {served.output()}")
    figures: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(rounds):
        for path, signer in signers.items():
            done = burst(served, signer, connections=16, seconds=1, expected=FASTEST)
            if done.not_ok:
                raise OSError(f"{path} refused {done.not_ok} requests")
            figures[path].append(done.cpu)
    return {path: median(values) for path, values in figures.items()}


def row(server: str, application: str, cpu: dict[str, float]) -> list[Any]:
    """A row of the table.

    Args:
        server: its name.
        application: its name.
        cpu: of each path.
    """
    nothing, ours = cpu["/albums"], cpu["/photos"]
    added = max(ours - nothing, 0.1)
    peers = [(cpu[path] - nothing) / added for path in ("/authlib", "/oauthlib")]
    return [server, application, nothing, ours, nothing / ours, cpu.get("/secured"), *peers]


def rows(rounds: int) -> Iterator[list[Any]]:
    """Measure every application under every server."""
    for server in SERVERS:
        for application in APPLICATIONS:
            paths = ["/albums", "/photos", "/authlib", "/oauthlib"] + ["/secured"] * (application == "FastAPI")
            with Served(server, application) as served:
                yield row(server, application, measure(served, paths, rounds))


def main(rounds: Annotated[int, typer.Option(help="Bursts of one second for each route.")] = 7) -> None:
    """Measure, and print the table."""
    Console(highlight=False, soft_wrap=True).print(markdown_table(_COLUMNS, rows(rounds)), markup=False)


if __name__ == "__main__":
    typer.run(main)
