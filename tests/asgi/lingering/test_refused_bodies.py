"""A client that is still sending a refused body reads the answer, and does not take the server's time from others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import LingeringMiddleware, OAuth1Middleware
from async_oauth1.stores import MemoryStore
from tests.asgi.serving import SERVERS, serving

PATIENCE = 60.0
SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": []}
PIECE = b"x" * 65_536


def post(path: str, body: bytes, *lines: str) -> bytes:
    """The octets of a request."""
    head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


def exchange(port: int, request: bytes) -> bytes:
    """Send a whole request before anything is read, and return what the server sends until the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while b"}" not in received:
            octets = connection.recv(65_536)
            if not octets:
                return received
            received += octets
        return received


@pytest.mark.parametrize("server", SERVERS)
async def test_a_client_that_reads_late_gets_the_400(server: str) -> None:
    """A form of a million octets and 500,000 parameters is refused, and the client, which reads last, is told."""
    protector = ResourceProtector()
    protector.register_hooks(MemoryStore())

    async def unreachable(*_: Any) -> None:
        raise AssertionError("the application was called")

    app = LingeringMiddleware(OAuth1Middleware(unreachable, protector, ["/photos"]))

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)

    request = post("/photos", b"a&" * 500_000, "Content-Type: application/x-www-form-urlencoded")
    async with serving(without_lifespan, server) as port:
        answer = await asyncio.to_thread(exchange, port, request)
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b"more than 1000 parameters" in answer


class Connection:
    """A client that sends pieces of a body, and a server that records what it sends and when."""

    def __init__(self, pieces: int, *, more: bool) -> None:
        """Send a number of pieces, and perhaps nothing after them although there is more."""
        self.left = pieces
        self.more = more
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        """The next piece, at once; nothing after the last."""
        if not self.left:
            await asyncio.Event().wait()
        self.left -= 1
        return {"type": "http.request", "body": PIECE, "more_body": self.more or self.left > 0}

    async def send(self, message: dict[str, Any]) -> None:
        """Record a message, with the number of pieces that are left."""
        self.sent.append({**message, "left": self.left})


async def refuse(_: Any, receive: Any, send: Any) -> None:
    """Answer at once, and drop the body meanwhile, as frameworks do."""

    async def drop() -> None:
        while (await receive())["more_body"]:
            pass

    task = asyncio.ensure_future(drop())
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too large"})
    task.cancel()


async def served(connection: Connection, **options: Any) -> list[dict[str, Any]]:
    """What is sent to a client."""
    async with asyncio.timeout(PATIENCE):
        await LingeringMiddleware(refuse, **options)(SCOPE, connection.receive, connection.send)
    return connection.sent


async def test_the_answer_is_sent_at_once_and_ends_after_the_body() -> None:
    """The first part of the response is sent before the body was dropped, and the last part once it has ended."""
    _, first, last = await served(Connection(20, more=False), pause=PATIENCE / 1_000)
    assert (first["body"], first["more_body"]) == (b"too large", True)
    assert first["left"] == 20
    assert "more_body" not in last
    assert last["left"] == 0


@pytest.mark.parametrize("pieces", [0, 3])
async def test_the_answer_ends_once_nothing_arrives(pieces: int) -> None:
    """A client that stops sending does not keep the response open."""
    *_, last = await served(Connection(pieces, more=True), pause=0.01, longest=10 * PATIENCE)
    assert "more_body" not in last


async def test_the_answer_ends_although_the_body_goes_on() -> None:
    """A client that sends for ever is left after the longest time, with most of its body unread."""
    connection = Connection(10**9, more=True)
    *_, last = await served(connection, pause=10 * PATIENCE, longest=0.01)
    assert "more_body" not in last
    assert last["left"] > 10**9 - 10


async def test_a_refused_body_is_received_at_a_limited_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each 256 KiB there is a break for other requests. A body that is not refused is received without one."""
    breaks: list[float] = []
    sleep = asyncio.sleep

    async def take_break(seconds: float) -> None:
        breaks.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", take_break)
    await served(Connection(12, more=False), pause=1.0)
    assert breaks == [0.1, 0.1]

    async def read(_: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    breaks.clear()
    connection = Connection(12, more=False)
    await LingeringMiddleware(read)(SCOPE, connection.receive, connection.send)
    assert not breaks


def messages_of_client_that_leaves() -> Iterator[dict[str, Any]]:
    """A piece, and then no connection."""
    yield {"type": "http.request", "body": PIECE, "more_body": True}
    yield {"type": "http.disconnect"}


async def test_a_client_that_leaves_ends_the_answer() -> None:
    """After the client has left nothing is waited for."""
    waiting, sent = messages_of_client_that_leaves(), list[dict[str, Any]]()

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer(_: Any, receive: Any, send: Any) -> None:
        task = asyncio.ensure_future(receive_twice(receive))
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"too large"})
        await task

    async with asyncio.timeout(PATIENCE):
        await LingeringMiddleware(answer, pause=10 * PATIENCE, longest=10 * PATIENCE)(SCOPE, receive, send)
    assert len(sent) == 3


async def receive_twice(receive: Any) -> None:
    """Receive two messages."""
    await receive()
    await receive()
