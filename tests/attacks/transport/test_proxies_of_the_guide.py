"""The blocks for nginx and Caddy in ``docs/deploying.md``: they load, and pass nothing on that a client made up."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.asgi_servers import APPLICATION, PATIENCE, ROOT, read_all, serving
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.sockets import RawAnswer, request_octets
from tests.servers import wait_until

GUIDE = (ROOT / "docs" / "deploying.md").read_text()
FORGED = [
    (b"forwarded", b"for=10.0.0.1;proto=https;host=evil.example"),
    (b"x-forwarded-for", b"10.0.0.1"),
    (b"x-forwarded-host", b"evil.example"),
    (b"x-forwarded-port", b"8443"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-protocol", b"ssl"),
    (b"x-forwarded-ssl", b"on"),
]
PREAMBLE = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


def block(language: str) -> str:
    """The guide's only block in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def binary(name: str) -> str:
    """Return the path of a proxy; without it, skip the test, or fail in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/opt/homebrew/bin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed"
    return found


@contextmanager
def nginx(folder: Path, port: int, backend: int) -> Iterator[None]:
    """The guide's nginx in clear text, since certificates are not what is shown here."""
    server = block("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace(":8000", f":{backend}")
    file = folder / "nginx.conf"
    file.write_text(PREAMBLE.format(folder=folder, server=server))
    with running([binary("nginx"), "-p", str(folder), "-c", str(file)], port):
        yield


@contextmanager
def caddy(folder: Path, port: int, backend: int) -> Iterator[None]:
    """The guide's Caddy, in clear text, too."""
    site = block("caddyfile").replace("api.example.com", f"http://api.example.com:{port}")
    file = folder / "Caddyfile"
    file.write_text("{\n    admin off\n}\n" + site.replace(":8000", f":{backend}"))
    with running([binary("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"], port, HOME=str(folder)):
        yield


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """A proxy that listens."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            wait_until(lambda: process.poll() is not None or listens(port), f"{command[0]} listens")
            assert process.poll() is None, f"{command[0]} has ended"
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def listens(port: int) -> bool:
    """Whether a connection is accepted."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("proxy", [nginx, caddy])
@pytest.mark.parametrize("flags", [["--no-proxy-headers"], []], ids=["as the guide says", "uvicorn as it is"])
def test_a_proxy_as_the_guide_has_it(proxy: object, flags: list[str], tmp_path: Path) -> None:
    """Signatures over unusual paths verify, large heads pass, and no header of a client's making arrives."""
    command = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning", APPLICATION, *flags]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base_url = "https://api.example.com"
    with (
        serving(command, {"external_base_url": base_url}) as backend,
        proxy(tmp_path, port, backend),  # type: ignore[operator]
    ):
        headers = [*FORGED, (b"x-large", b"x" * 60_000)]
        target = "/starlette/echo?a=%2f%7E&b=//"
        message = sign(JANE, "GET", target, origin=base_url, headers=headers)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request_octets(message))
            answer = RawAnswer(read_all(connection))
        body = answer.octets[answer.octets.index(b"{") : answer.octets.rindex(b"}") + 1]
        assert answer.status == 200, answer
    for name, value in FORGED:
        assert f'["{name.decode()}","{value.decode()}"]' not in body.decode()
    assert b'"scheme":"http"' in body
    assert b"10.0.0.1" not in body
