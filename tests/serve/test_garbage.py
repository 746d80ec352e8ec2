"""Requests that make no sense: never a 500, never a silent provider, and no line of the log is forged."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from async_oauth1.cli.serve_log import request_lines
from async_oauth1.serve.presets import PRESETS
from async_oauth1.testing import OAuth1Server
from tests.attacks.signer import Keys
from tests.stress import sample

from .running import PATIENCE, call

FORM = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HEADS = (
    b"GET /echo HTTP/1.1\r\nConnection: close\r\nHost: %s\r\nAuthorization: %s\r\n\r\n",
    b"POST /initiate HTTP/1.1\r\nConnection: close\r\nHost: %s\r\nAuthorization: %s\r\nContent-Length: 0\r\n\r\n",
    b"GET /authorize?oauth_token=%%FE HTTP/1.1\r\nConnection: close\r\nHost: %s\r\nAuthorization: %s\r\n\r\n",
    b"GET /-/requests?after=%%FE HTTP/1.1\r\nConnection: close\r\nHost: %s\r\nAuthorization: %s\r\n\r\n",
)
PIECES = (
    b"OAuth ", b"oauth_signature=", b'"', b",", b"=", b"%", b"%FE", b"%00", b"\\", b"realm=", b"oauth_nonce",
    b"oauth_consumer_key=", b"oauth_token=", b"\x80\xff", b"oauth_signature_method=RSA-SHA1", b" ", b"\t", b"&",
    b"oauth_body_hash=x", b"oauth_timestamp=99999999999999999999", b"oauth_version=1.0A", b"Bearer x", b"\xc3\xa4",
)  # fmt: skip


def exchange(url: str, octets: bytes, *, leaves: bool = False) -> bytes:
    """The answer to some octets; ``leaves`` closes the client's half of the connection, as a client that has gone."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE) as connection:
        connection.sendall(octets)
        if leaves:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65_536)


@pytest.fixture(scope="module", params=[None, *PRESETS])
def server(request: pytest.FixtureRequest) -> Iterator[OAuth1Server]:
    """One provider for all of them."""
    with OAuth1Server(like=request.param) as running:
        yield running


@pytest.mark.parametrize("seed", sample(range(40), 4))
def test_any_header(server: OAuth1Server, seed: int) -> None:
    """A header of random pieces is refused by a 4xx, and the provider goes on."""
    choose = random.Random(seed)
    host = server.url.partition("://")[2].encode()
    for _ in range(15):
        header = b"".join(choose.choices(PIECES, k=choose.randrange(12)))
        status = exchange(server.url, choose.choice(HEADS) % (host, header))[9:12]
        assert status[:1] == b"4" or status in (b"200", b""), (header, status)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%2e%2e/%00 HTTP/1.1\r\nHost: a..b\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
        b"GET /-/../x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /-/requests?after=-1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /authorize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
        b"POST /authorize" + FORM + b"Content-Length: 9\r\n\r\n%FE=\x80&a&b",
        b"POST /authorize" + FORM + b"Content-Length: 99999999\r\n\r\nx",
        b"POST /echo" + FORM + b"Content-Length: 50\r\n\r\noauth_signature=%80",
    ],
)
def test_any_request(octets: bytes) -> None:
    """Targets, hosts and bodies that no client sends."""
    with OAuth1Server() as server:
        status = exchange(server.url, octets, leaves=True)[9:12]
        assert status[:1] == b"4" or status == b"", status
        assert call(server.url, Keys(client_id="x"), "GET", "/signed")[0] in (400, 401)


def test_no_line_of_the_log_is_forged() -> None:
    """Line ends, escapes of a terminal and markup are shown as text."""
    with OAuth1Server() as server:
        keys = Keys(client_id="x\r\n12:00:00 GET /forged 200\x1b[2J\u2028")
        call(
            server.url,
            keys,
            "GET",
            "/signed?a=%0A%1B[31m&b=\xe4".encode("latin-1").decode("latin-1").replace("\xe4", "%E4"),
        )
        lines = list(request_lines(server.requests[-1], colour=False))
    assert all(line.isprintable() for line in lines), lines
    assert not any(line.startswith("12:00:00") for line in lines)


def test_each_of_many_refusals_is_recorded() -> None:
    """A wrong secret takes the longest search; the answers do not wait for it."""
    with OAuth1Server() as server:
        client = server.client()
        keys = Keys(client_id=client.client_id, client_secret="wrong")
        for _ in range(8):
            assert call(server.url, keys, "GET", "/signed")[0] == 401
        assert len(server.requests) == 8
