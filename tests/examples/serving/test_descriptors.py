"""More half-sent forms than the process may have descriptors."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack

import httpx2
import pytest

from examples.photos.serving.connections import DESCRIPTORS, raise_descriptor_limit
from tests.examples.jane import Jane
from tests.examples.running import PATIENCE, photos

HALF_SENT = 1_300
FORM = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
FORM += b"Content-Length: 1000\r\n\r\nusername="


@pytest.fixture
def descriptors() -> None:
    """Enough descriptors for the test's own connections."""
    assert raise_descriptor_limit() > HALF_SENT + 200


@pytest.mark.usefixtures("descriptors")
def test_half_sent_forms_leave_room_for_others() -> None:
    """Silent connections are closed in favour of new ones, and the log stays small."""
    with photos(limit_descriptors=1_024) as running, ExitStack() as stack:
        for _ in range(HALF_SENT):
            connection = stack.enter_context(running.connect())
            connection.sendall(FORM)
        for _ in range(10):
            assert httpx2.get(f"{running.url}/health", timeout=PATIENCE).status_code == 200
        with Jane(running.url) as jane:
            assert jane.sign_in().status_code == 302
    assert len(running.output[1]) < 10_000
    assert "connections are open" in running.output[1]


def test_the_soft_limit_is_raised() -> None:
    """It is raised up to `DESCRIPTORS`, if the hard limit allows it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with photos() as running:
        raised, _ = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
    assert raised >= min(DESCRIPTORS, hard)


def test_an_active_connection_stays_open() -> None:
    """Of too many connections, an active one is not closed."""
    limits = httpx2.Limits(keepalive_expiry=None)
    with (
        photos(limit_descriptors=256) as running,
        ExitStack() as stack,
        httpx2.Client(base_url=running.url, limits=limits) as client,
    ):
        kept: set[object] = set()
        for _ in range(300):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE))
            connection.sendall(FORM)
            answer = client.get("/health")
            assert answer.status_code == 200
            kept.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(kept) == 1
