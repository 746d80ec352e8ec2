"""Large bodies with a hash do not fill the memory: the server and the client are two processes."""

from __future__ import annotations

import hashlib
import http.client
import os
from base64 import b64encode
from contextlib import closing

import psutil
import pytest

from tests.attacks.asgi_servers import serving
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, sign
from tests.stress import STRESS

MEGABYTE = 2**20
#: `LARGE_BODY` in megabytes overrides it.
SIZE = int(os.environ.get("LARGE_BODY", "300")) if STRESS else 60
PIECE = bytes(range(256)) * 4096
SERVERS = {
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning"],
    "hypercorn": ["-m", "hypercorn", "-b", "127.0.0.1:{port}"],
}
OTHERS = [("uvicorn", "1"), ("hypercorn", "")]
#: Both servers and both modes; outside of `make stress`, each of the four once.
MODES = [
    pytest.param("uvicorn", "", id="uvicorn-default"),
    pytest.param("hypercorn", "1", id="hypercorn-early"),
    *(pytest.param(server, early, marks=pytest.mark.stress) for server, early in OTHERS if STRESS),
]


def put(port: int, message: Message, last: bytes) -> tuple[int, bytes]:
    """Send a body of `SIZE` megabytes, with another last piece, and return status and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with closing(connection):
        connection.putrequest(message.method, message.target.decode(), skip_host=True, skip_accept_encoding=True)
        for name, value in message.headers:
            connection.putheader(name.decode(), value.decode())
        connection.putheader("Content-Length", str(SIZE * MEGABYTE))
        connection.endheaders()
        for number in range(SIZE):
            connection.send(PIECE if number < SIZE - 1 else last)
        response = connection.getresponse()
        return response.status, response.read()


@pytest.mark.parametrize(("server", "early"), MODES)
def test_memory_grows_by_less_than_50_megabytes(server: str, early: str) -> None:
    """The application counts the octets, and a forged end is a 401 in both modes."""
    digest = hashlib.sha1(usedforsecurity=False)
    for _ in range(SIZE):
        digest.update(PIECE)
    claimed = b64encode(digest.digest()).decode()
    with serving([*SERVERS[server], "tests.asgi.bodies.counting:app"], EARLY=early) as port:
        process = next(
            process
            for process in psutil.Process().children(recursive=True)
            for found in process.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr.port == port
        )
        before = process.memory_info().rss
        for last, expected in ((PIECE, 200), (b"x" * MEGABYTE, 401)):
            origin = f"http://127.0.0.1:{port}"
            message = sign(JANE, "PUT", "/", origin=origin, content_type=None, oauth={"body_hash": claimed})
            status, answer = put(port, message, last)
            assert status == expected, answer
            grown = process.memory_info().rss - before
            assert grown < 50 * MEGABYTE, f"{grown / MEGABYTE:.0f} MB"
            if expected == 200:
                assert int(answer) == SIZE * MEGABYTE
