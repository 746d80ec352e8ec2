"""Real proxies in front of photos, configured well or badly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.attacks.transport.test_documented_proxies import PREAMBLE, binary, running
from tests.cli.command import run_in_process
from tests.examples.jane import PRINTER

REMOVED = "\n".join(
    f'proxy_set_header {name} "";'
    for name in (
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
        "X-Forwarded-Protocol", "X-Forwarded-Ssl",
    )
)  # fmt: skip
#: What the guide has: large headers, no merged slashes, Host passed on, forwarding headers removed.
GOOD = "large_client_header_buffers 4 128k; merge_slashes off;"
PASSED = f"proxy_http_version 1.1; proxy_set_header Host $http_host; {REMOVED}"


@contextmanager
def nginx(folder: Path, port: int, server: str, *, certificate: Path | None = None) -> Iterator[None]:
    """An nginx with the given lines in its ``server``."""
    listen = f"127.0.0.1:{port}"
    if certificate:
        listen += f" ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate}"
    file = folder / "nginx.conf"
    file.write_text(PREAMBLE.format(folder=folder, server=f"server {{ listen {listen}; {server} }}"))
    with running([binary("nginx"), "-p", str(folder), "-c", str(file)], port):
        yield


@contextmanager
def caddy(folder: Path, port: int, site: str) -> Iterator[None]:
    """A Caddy with the given lines in its site."""
    file = folder / "Caddyfile"
    file.write_text(f"{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n{site}\n}}\n")
    with running([binary("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"], port, HOME=str(folder)):
        yield


def doctor(url: str, *arguments: str, path: str = "/signed", **environment: str) -> tuple[int, dict[str, Any]]:
    """Run the command; returns its exit status and its JSON."""
    known = {"ASYNC_OAUTH1_CLIENT_ID": PRINTER[0], "ASYNC_OAUTH1_CLIENT_SECRET": PRINTER[1], **environment}
    result = run_in_process("doctor", url, "--protected-path", path, "--json", *arguments, **known)
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def wrong(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong: probe, text and what to do."""
    return [(f["probe"], f["text"], f["fix"]) for f in report["findings"] if f["level"] == "wrong"]


@contextmanager
def photos_with_a_clock(behind: int) -> Iterator[str]:
    """Photos whose clock is off; yields its URL."""
    program = (
        f"import sys, time; right = time.time; time.time = lambda: right() - {behind};"
        "from examples.photos.command import main; sys.exit(main(['--port', '0', '--store', 'memory://']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().rpartition(" ")[2].strip()
        finally:
            process.terminate()
