"""A root path of the server, without an external base URL, behind nginx."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.asgi_servers import PATIENCE, read_all, serving
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.sockets import RawAnswer, request_octets
from tests.servers.processes import free_ports

from .test_documented_proxies import ECHO, PREAMBLE, UVICORN, binary, running

SERVERS = {
    "uvicorn": [*UVICORN, ECHO, "--no-proxy-headers", "--root-path", "/v1"],
    "hypercorn": ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "--root-path", "/v1", ECHO],
    "granian": [
        *("-m", "granian", "--interface", "asgi", "--port", "{port}", "--no-access-log"),
        *("--url-path-prefix", "/v1", ECHO),
    ],
}
LOCAL = {"require_https": False}
#: The two proxies: one takes the prefix off the path as it was sent, the other one passes it on.
STRIPS = "rewrite ^ $request_uri; rewrite ^/v1(/.*) $1 break; return 400; proxy_pass http://127.0.0.1:{backend}$uri;"
PASSES = "proxy_pass http://127.0.0.1:{backend};"
SERVER = """
server {{
    listen 127.0.0.1:{port};
    merge_slashes off;
    location / {{ {location} proxy_set_header Host $http_host; }}
}}
"""


@contextmanager
def nginx(folder: Path, backend: int, location: str, port: int = 0) -> Iterator[int]:
    """A proxy in front of a server, on a free port if none is given."""
    port = port or free_ports(1)[0]
    server = SERVER.format(port=port, location=location.format(backend=backend))
    file = folder / "nginx.conf"
    file.write_text(PREAMBLE.format(folder=folder, server=server))
    with running([binary("nginx"), "-p", str(folder), "-c", str(file)], port):
        yield port


def status_of(port: int, target: str) -> int:
    """The status of a request that is signed for the URL that it is sent to."""
    message = sign(JANE, "GET", target, origin=f"http://127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request_octets(message))
        return RawAnswer(read_all(connection)).status


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("location", [STRIPS, PASSES], ids=["strips", "passes"])
def test_what_the_guide_says_of_each_server(server: str, location: str, tmp_path: Path) -> None:
    """uvicorn puts its root path in front of every path, so a proxy has to take it off; for others it has to stay."""
    status = 200 if (server == "uvicorn") == (location == STRIPS) else 401
    with serving(SERVERS[server], LOCAL) as backend, nginx(tmp_path, backend, location) as port:
        for target in ("/v1/photos?a=%2f", "/v1/a%2Fb//c", "/v1/v1"):
            assert status_of(port, target) == status, target


@pytest.mark.parametrize("server", SERVERS)
def test_an_external_base_url_is_right_with_any_server(server: str, tmp_path: Path) -> None:
    """With the prefix in it, and a proxy that takes the prefix off."""
    [port] = free_ports(1)
    policy = {**LOCAL, "external_base_url": f"http://127.0.0.1:{port}/v1"}
    with serving(SERVERS[server], policy) as backend, nginx(tmp_path, backend, STRIPS, port):
        assert status_of(port, "/v1/photos?a=%2f") == 200
        assert status_of(port, "/v1/a%2Fb//c") == 200
