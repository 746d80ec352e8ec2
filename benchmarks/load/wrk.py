"""Load by wrk: bursts of requests that are signed beforehand, and their cost for the provider."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .processes import ProviderProcess
from .signing import QUERY_STRING, Signer

__all__ = ["Burst", "MissingToolError", "Pace", "RanOutError", "burst", "status_of", "wrk_path", "wrk_version"]

SCRIPT = Path(__file__).with_name("wrk.lua")
#: Seconds after which wrk gives up a request, and seconds that it may run longer than told.
TIMEOUT, LEEWAY = 10, 60
#: Requests per second: more than any of the providers answers.
FASTEST = 8_000
#: From this number of connections on, the figures leave out the time for accepting them.
MANY = 256


class MissingToolError(Exception):
    """A required program is not installed."""


class RanOutError(Exception):
    """wrk needed more signed requests than there were."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A slower pace than as fast as possible.

    Attributes:
        think: mean milliseconds that each connection waits before a request.
        quiet: seconds before the first request, for opening the connections.
    """

    think: float
    quiet: int = 0


@dataclass(frozen=True, slots=True)
class Burst:
    """The figures of one burst.

    Attributes:
        requests: number of answered requests.
        seconds: length, without the quiet seconds before it.
        p50: milliseconds.
        p99: milliseconds.
        not_ok: number of answers with a status of 400 or more.
        socket_errors: number of errors in connecting, reading and writing, and of time-outs.
        cpu: microseconds of the provider's user and system time per request.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    not_ok: int
    socket_errors: int
    cpu: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def as_json(self) -> dict[str, Any]:
        """The figures and the rate, rounded."""
        return {name: round(value, 3) for name, value in {**asdict(self), "rate": self.rate}.items()}


def wrk_path() -> str:
    """The path of wrk.

    Raises:
        MissingToolError: wrk is not installed.
    """
    path = shutil.which("wrk")
    if path is None:
        raise MissingToolError("wrk was not found; install it (on Debian: apt-get install wrk)")
    return path


def wrk_version() -> str:
    """The version of wrk."""
    done = subprocess.run([wrk_path(), "-v"], capture_output=True, text=True, check=False)
    return done.stdout.split("[")[0].replace("wrk", "").strip()


def status_of(provider: ProviderProcess, requests: Signer | bytes) -> int:
    """The status of one answer; wrk only counts those of 400 and above."""
    if isinstance(requests, Signer):
        [header] = requests.headers(1)
        requests.spend(1)
        lines = [f"GET {requests.path}?{QUERY_STRING} HTTP/1.1", f"Host: {provider.host}", f"Authorization: {header}"]
        requests = "\r\n".join([*lines, "", ""]).encode()
    address, port = provider.host.split(":")
    with socket.create_connection((address, int(port)), timeout=TIMEOUT) as connection:
        connection.sendall(requests)
        return int(connection.recv(12).split()[1])


def burst(
    provider: ProviderProcess,
    requests: Signer | bytes,
    *,
    connections: int,
    seconds: int,
    pace: Pace | None = None,
    expected: float = FASTEST,
    settle: bool = True,
) -> Burst:
    """Send one burst and wait until the provider is idle again.

    Args:
        provider: the provider to send requests to.
        requests: signs the requests; or one whole request that is sent again and again.
        connections: number of open connections.
        seconds: length, without the quiet seconds of the pace.
        pace: ``None`` for as fast as possible.
        expected: requests per second; one and a half times as many are signed.
        settle: wait until the provider is idle.

    Raises:
        RanOutError: the provider answered more requests than were signed.
    """
    pace = pace or Pace(0, quiet=1 if connections >= MANY else 0)
    with tempfile.NamedTemporaryFile("wb", prefix="benchmark-") as file:
        if isinstance(requests, bytes):
            mode, path = "whole", ""
            file.write(requests)
        else:
            mode, path = "lines", requests.path
            count = int(expected * seconds * 1.5) + 2 * connections + 100
            file.writelines(f"{header}\n".encode() for header in requests.headers(count))
        file.flush()
        script = [mode, file.name, provider.host, f"{path}?{QUERY_STRING}", pace.think, pace.quiet * 1000, connections]
        said, used = _measured(provider, connections, seconds, pace.quiet, [str(item) for item in script])
    if isinstance(requests, Signer):
        requests.spend(said["sent"])
    if settle:
        provider.settle()
    return Burst(
        requests=said["requests"],
        seconds=said["microseconds"] / 1e6 - pace.quiet,
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
        not_ok=said["not_ok"],
        socket_errors=said["socket_errors"] + said["timeouts"],
        cpu=used * 1e6 / max(said["requests"], 1),
    )


def _measured(
    provider: ProviderProcess, connections: int, seconds: int, quiet: int, script: list[str]
) -> tuple[dict[str, Any], float]:
    """The output of wrk, and the provider's CPU seconds, without those for accepting connections in a quiet second."""
    command = [wrk_path(), "-t", "1", "-c", str(connections), "-d", f"{seconds + quiet}s", "--timeout", f"{TIMEOUT}s"]
    command += ["-s", str(SCRIPT), f"http://{provider.host}/", "--", *script]
    before = provider.cpu_seconds()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as wrk:
        try:
            if quiet:
                time.sleep(quiet * 0.9)
                before = provider.cpu_seconds()
            output, errors = wrk.communicate(timeout=seconds + quiet + LEEWAY)
        except BaseException:
            wrk.kill()
            raise
    used = provider.cpu_seconds() - before
    if wrk.returncode == 3:
        raise RanOutError(f"{errors.strip()} ({provider.name})")
    if wrk.returncode != 0:
        raise OSError(f"wrk failed: {errors.strip() or output.strip()}")
    answer: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return answer, used
