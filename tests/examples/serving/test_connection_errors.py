"""Small requests on which hypercorn or Quart's router fails log at most one line."""

from __future__ import annotations

import socket

import h2.config
import h2.connection
import pytest

from tests.examples.running import PATIENCE, STOPPED, Photos, photos

GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"localhost"), (b":path", b"/health")]
CONNECT = [(b":method", b"CONNECT"), (b":authority", b"localhost")]
UPGRADE = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%s\r\n"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
SETTINGS = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP\r\n"


def http_2(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The first octets of a connection that sends one request."""
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    connection.send_headers(1, headers)
    return bytes(connection.data_to_send())


FAILING = {
    "CONNECT over HTTP/2": http_2(CONNECT),
    "octets in the path": http_2([*GET[:3], (b":path", b"/\xff")]),
    "octets in the method": http_2([(b":method", b"G\xff"), *GET[1:]]),
    "HTTP2-Settings": b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + SETTINGS + b"\r\n",
    "WebSocket extensions": UPGRADE % (b"/health", b"a", KEY + b"Sec-WebSocket-Extensions: \xff;;\r\n"),
}
REFUSED = {
    "a WebSocket's host": UPGRADE % (b"/health", b"a..b", KEY),
    "a WebSocket's URL": UPGRADE % (b"http://[", b"a", KEY),
    "a WebSocket's query": UPGRADE % (b"?a", b"a", KEY),
}


def send(running: Photos, request: bytes) -> bytes:
    """Send octets, and read until the provider closes the connection."""
    with running.connect() as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("request_octets", FAILING.values(), ids=FAILING)
def test_a_failing_connection_logs_one_line(request_octets: bytes) -> None:
    """The line has less than 200 characters and no data of the client; the provider continues."""
    with photos() as running:
        for _ in range(3):
            send(running, request_octets)
        assert running.talk(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
        assert running.stop() == 0
        lines = running.output[1].removesuffix(STOPPED).splitlines()
        assert len(lines) <= 3
        assert all(
            line.startswith("photos: A connection failed and was closed: ") and len(line) < 200 for line in lines
        )


@pytest.mark.parametrize("request_octets", REFUSED.values(), ids=REFUSED)
def test_a_websocket_that_cannot_be_routed_is_refused(request_octets: bytes) -> None:
    """The answer is 403, and the log has one line about it."""
    with photos() as running:
        with running.connect() as connection:
            connection.sendall(request_octets)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 403")
        assert running.stop() == 0
        (line,) = running.output[1].removesuffix(STOPPED).splitlines()
        assert line.startswith("async_oauth1: Refused websocket ")


def test_data_for_an_answered_stream_logs_one_line() -> None:
    """The client continues to send the body after the response."""
    with photos() as running, running.connect() as connection:
        connection.sendall(http_2(GET))
        received = b""
        while b"ok" not in received:
            more = connection.recv(65_536)
            assert more
            received += more
        data = b"\x00\x00\x01\x00\x00\x00\x00\x00\x01x"
        try:
            while connection.recv(65_536):
                connection.sendall(data)
        except OSError:
            pass
        assert running.stop() == 0
        assert len(running.output[1].removesuffix(STOPPED).splitlines()) <= 1
