"""Stopping the provider: at once, except for requests in flight."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from examples.photos.serving.stopping import QUIET, GracefulStop
from tests.examples.jane import Jane
from tests.examples.running import STOPPED, Photos, photos
from tests.servers import wait_until

IDLE = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = (
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 30\r\n\r\n"
)
WORKERS = pytest.mark.parametrize("arguments", [[], ["--workers", "2"]], ids=["one process", "two"])


@WORKERS
@pytest.mark.parametrize(("number", "to"), [(signal.SIGTERM, os.kill), (signal.SIGINT, os.killpg)], ids=["TERM", "INT"])
def test_a_signal_stops_it(
    tmp_path: Path, arguments: list[str], number: signal.Signals, to: Callable[[int, int], None]
) -> None:
    """The exit status is 0 without output, with open connections; Ctrl-C is sent to the whole process group."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos(*arguments, store=store) as running:
        connections = [running.connect() for _ in range(4)]
        for connection in connections[:2]:
            connection.sendall(IDLE)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connections[2].sendall(b"GET /hea")
        to(running.process.pid, number)
        assert running.ended() == 0
        assert running.output == ("", STOPPED)
        for connection in connections:
            connection.close()
        wait_until(lambda: no_process_is_left(running), "no process is left")


@WORKERS
def test_requests_in_flight_are_finished(tmp_path: Path, arguments: list[str]) -> None:
    """A form that has arrived in part is answered when the rest arrives."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos(*arguments, store=store) as running, running.connect() as connection, Jane(running.url) as jane:
        connection.sendall(FORM + b"username=jane&")
        jane.get("/login")
        running.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(running), "connections are refused")
        connection.sendall(b"password=wonderl")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"</html>" in answer
        assert running.ended() == 0
        assert running.output == ("", STOPPED)


def test_a_stalled_request_does_not_prevent_stopping(tmp_path: Path) -> None:
    """The provider waits for it for a few seconds."""
    store = f"sqlite:///{tmp_path}/photos.db"
    with photos(store=store) as running, running.connect() as connection, Jane(running.url) as jane:
        connection.sendall(FORM + b"username=jane&")
        jane.get("/login")
        assert running.stop() == 0
        assert running.output == ("", STOPPED)


def test_more_signals_change_nothing() -> None:
    """The exit status is still 0."""
    with photos() as running:
        while running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            time.sleep(0.005)
        assert running.ended() == 0
        assert running.output == ("", STOPPED)


async def test_requests_that_arrive_while_the_process_stands_still_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read after the pause, which does not count as the clients' silence."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    statuses: list[int] = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    loop, paused = asyncio.get_running_loop(), 0.0
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + paused)
    graceful = GracefulStop(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        draining = asyncio.ensure_future(graceful.drain(listener.fileno()))
        while not graceful._last_request:
            await asyncio.sleep(0)
        paused = 2 * QUIET
        for _ in range(3):
            await asyncio.sleep(0)
        await graceful({"type": "http", "http_version": "1.1"}, None, send)
        await draining
    assert statuses == [200]


def refuses_connections(running: Photos) -> bool:
    """Whether the provider no longer listens."""
    try:
        running.connect().close()
    except ConnectionError:
        return True
    return False


def no_process_is_left(running: Photos) -> bool:
    """Whether all its processes have ended."""
    try:
        os.killpg(running.process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return False
