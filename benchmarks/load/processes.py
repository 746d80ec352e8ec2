"""Providers in processes of their own, with their CPU time and memory."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from async_oauth1 import native
from benchmarks.providers.settings import Settings

__all__ = ["IN_PYTHON", "ProviderProcess", "readers"]

ROOT = Path(__file__).resolve().parents[2]
#: Seconds for a provider to start or stop.
PATIENCE = 60.0
THREADS = 8
#: Suffix of a name: the provider does without the native reader.
IN_PYTHON = "+python"


def readers() -> tuple[str, ...]:
    """The readers to measure with; only ``python`` if the extension is missing or turned off."""
    return ("native", "python") if native.IN_USE else ("python",)


class ProviderProcess:
    """A provider on a loopback port, with its worker processes."""

    def __init__(self, name: str, settings: Settings, *, workers: int = 1) -> None:
        """Start the provider and wait until it answers.

        Args:
            name: a name of `benchmarks.providers`, perhaps with `IN_PYTHON`; or ``flask`` for Authlib on Flask under
                gunicorn.
            settings: of the provider.
            workers: number of processes that share the port.

        Raises:
            OSError: the provider does not start.
        """
        self.name = name
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=2_048)
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.log = tempfile.NamedTemporaryFile(prefix="benchmark-", suffix=".log")  # noqa: SIM115 - closed in close
        environment = {**os.environ, **settings.environment(), "AUTHLIB_INSECURE_TRANSPORT": "1"}
        environment["PYTHONPATH"] = str(ROOT)
        environment.pop("COVERAGE_PROCESS_START", None)
        if IN_PYTHON in name:
            environment["ASYNC_OAUTH1_NATIVE"] = "0"
        self._started = [
            subprocess.Popen(
                self._command(self.socket.fileno()),
                cwd=ROOT,
                env=environment,
                pass_fds=[self.socket.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
            )
            for _ in range(workers)
        ]
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.close()
            raise
        self._family = [psutil.Process(process.pid) for process in self._started]
        self._family += [child for parent in self._family for child in parent.children(recursive=True)]

    def _command(self, descriptor: int) -> list[str]:
        if self.name != "flask":
            return [sys.executable, "-m", "benchmarks.providers", self.name, str(descriptor)]
        gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{descriptor}", "--workers", "1"]
        gunicorn += ["--worker-class", "gthread", "--threads", str(THREADS), "--log-level", "warning"]
        # Keep all thousand connections open between requests, so that accepting them is not measured.
        gunicorn += ["--keep-alive", "75", "--worker-connections", "2048", "--no-control-socket"]
        return [*gunicorn, "benchmarks.providers.flask_authlib:create_app()"]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._started):
                break
            connection = http.client.HTTPConnection(self.host, timeout=PATIENCE)
            try:
                connection.request("GET", "/albums")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise OSError(f"the provider {self.name} does not start:\n{self.output()}")

    def output(self) -> str:
        """The output of the provider."""
        return Path(self.log.name).read_text(errors="replace")

    def cpu_seconds(self) -> float:
        """User and system time of all processes so far."""
        times: list[Any] = [process.cpu_times() for process in self._family]
        return float(sum(one.user + one.system for one in times))

    def resident_bytes(self) -> int:
        """Resident memory of all processes."""
        return sum(int(process.memory_info().rss) for process in self._family)

    def settle(self, longest: float = 5.0) -> None:
        """Wait until the provider is idle, so that work left from one burst does not count for the next."""
        deadline = time.monotonic() + longest
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now - before <= 0.011:  # one tick of the kernel's clock, as an idle provider uses
                return
            before = now

    def close(self) -> None:
        """Stop all processes."""
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.socket.close()
        self.log.close()

    def __enter__(self) -> Self:
        """Return the running provider."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop all processes."""
        self.close()
