"""Spellings of a path that a framework would route to a protected prefix: the middleware refuses each of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from async_oauth1.asgi import LingeringMiddleware, OAuth1Middleware
from tests.attacks.provider import JANE, make_provider
from tests.attacks.routers import (
    PREFIXES,
    SECRET,
    SITES,
    UNSEEN_MOUNTS,
    App,
    Gate,
    make_files,
    reaches,
    reaches_by_uvicorn,
    started,
)
from tests.attacks.signer import Message, sign
from tests.attacks.sockets import request_octets, talk, talk_h2
from tests.attacks.wire import PATIENCE

HOST = (b"host", b"provider.example")
SPELLINGS = [
    b"/photos",
    b"/photos/",
    b"/photos%0A",
    b"/photos%0a%0d",
    b"/photos%00",
    b"/photos%20",
    b"/%09photos",
    b"/photos%C2%A0",
    b"/photos%E2%80%8B",
    b"/photos%FF",
    b"/photos%85",
    b"/photos;x",
    b"/photos%3Bx",
    b"/photos%3Fx",
    b"/photos%23x",
    b"/;x/photos",
    b"/PHOTOS",
    b"/photo%C5%BF",
    b"/%EF%BC%B0hotos",
    b"/p%68otos",
    b"/p%2568otos",
    b"//photos",
    b"//host/photos",
    b"/%2Fphotos",
    b"/%5Cphotos",
    b"/\\photos",
    b"/./photos",
    b"/%2e/photos",
    b"/photos/.",
    b"/photos.",
    b"/x/../photos",
    b"/x/%2e%2e/photos",
    b"/x%2F..%2Fphotos",
    b"/x/%252e%252e/photos",
    b"/x//../photos",
    b"/x/..;/photos",
    b"/x\\..\\photos",
    b"/photos/../photos",
    b"/static/private/a.txt",
    b"/static/x/../private/a.txt",
    b"/static/./private/a.txt",
    b"/static/%2e/private/a.txt",
    b"/static//private/a.txt",
    b"/static/x/..%2Fprivate%2Fa.txt",
    b"/static/%252e/private/a.txt",
    b"/staticprivate/a.txt",
    b"/in/static/x/../private/a.txt",
    b"/in/static/%2e/private/a.txt",
    b"/mount",
    b"/mount/x",
]
#: Targets that no framework routes to a protected prefix.
OPEN = [
    b"/photostream",
    b"/photostream/photos",
    b"/open/photos",
    b"/photos.json",
    b"/photos-of-mine",
    b"/my%20photos",
    b"/static/open.txt",
    b"/static/x/open.txt",
    b"/static/privates/a.txt",
    b"/open;photos",
    b"/wiki/photos%3F",
    b"/",
    b"/%",
    b"/%zz",
    b"/%FF",
    b"/mountain/x",
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence the frameworks, which log an error for some of the paths."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def guard(app: App, prefixes: Any = PREFIXES, **how: Any) -> OAuth1Middleware:
    """Put the middleware in front of an application."""
    return OAuth1Middleware(app, (await make_provider()).require_oauth, prefixes, **how)


async def app_that_is_reached(scope: Any, receive: Any, send: Any) -> None:
    """Answer every path; a request that arrives here was treated as open."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": SECRET})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": SECRET})


@pytest.mark.parametrize("target", SPELLINGS, ids=repr)
async def test_each_spelling_needs_a_signature(target: bytes) -> None:
    """Over HTTP and as a WebSocket, with and without a root path, in the scopes of each server."""
    guarded = await guard(app_that_is_reached)
    for websocket in (False, True):
        assert not await reaches(guarded, target, websocket=websocket)
        assert not await reaches(guarded, b"/api" + target, root_path="/api", websocket=websocket)
        assert not await reaches(guarded, b"/zzz/api" + target, root_path="/api", websocket=websocket)
        assert not await reaches_by_uvicorn(guarded, target, root_path="/api", websocket=websocket)
        assert not await reaches(guarded, target, raw_path=None, websocket=websocket)
        assert not await reaches(guarded, target, path="/open", websocket=websocket), "only in raw_path"


@pytest.mark.parametrize("target", OPEN, ids=repr)
async def test_other_paths_are_open(target: bytes) -> None:
    """``/photos`` does not cover ``/photostream``, nor a folder of the same name elsewhere."""
    guarded = await guard(app_that_is_reached)
    for websocket in (False, True):
        assert await reaches(guarded, target, websocket=websocket)
        assert await reaches(guarded, b"/api" + target, root_path="/api", websocket=websocket)
        assert await reaches_by_uvicorn(guarded, target, root_path="/api", websocket=websocket)


@pytest.mark.parametrize(
    ("target", "root_path"),
    [
        (b"/zzz/api/photos", "/api"),
        (b"/aPi/x/api/photos", "/api"),
        (b"/apiphotos", "/api"),
        (b"/API/photos", "/api"),
        (b"//api//photos", "/api"),
        (b"/x;api/photos", "api"),
        (b"/site/photos", "/site/"),
        (b"/api/photos%0A", "/api"),
        (b"/a%2Fpi/photos", "/a/pi"),
    ],
)
async def test_the_root_path_is_removed_as_in_each_framework(target: bytes, root_path: str) -> None:
    """It is removed from the start of the path, before and after the other normalizations."""
    guarded = await guard(app_that_is_reached)
    assert not await reaches(guarded, target, root_path=root_path)
    assert not await reaches(guarded, target, root_path=root_path, websocket=True)


@pytest.mark.parametrize("name", SITES)
async def test_unsigned_requests_reach_no_secret(name: str, tmp_path: Path) -> None:
    """This holds for each framework's static files, WebSockets and mounts; its open pages are served."""
    async with started(SITES[name](make_files(tmp_path))) as app:
        guarded = await guard(Gate(app), mounts=UNSEEN_MOUNTS.get(name, ()))
        assert await reaches(Gate(app), b"/photos")
        assert await reaches(Gate(app), b"/static/x/../private/a.txt")
        for target in [*SPELLINGS, b"/mountx"]:
            assert not await reaches(guarded, target), target
            assert not await reaches(guarded, target, websocket=True), target
            assert not await reaches(guarded, b"/zzz/api" + target, root_path="/api"), target
        gate = guarded.app
        assert isinstance(gate, Gate)
        before = gate.passed
        await reaches(guarded, b"/photostream")
        await reaches(guarded, b"/static/open.txt")
        assert gate.passed == before + 2


@pytest.mark.parametrize("name", ["litestar", "blacksheep"])
async def test_mounts_without_a_slash_are_found(name: str, tmp_path: Path) -> None:
    """``/mountx`` belongs to the mount ``/mount``; the middleware finds the mounts, also behind other middleware."""
    async with started(SITES[name](make_files(tmp_path))) as app:
        assert await reaches(app, b"/mountx")
        for wrapped in (app, LingeringMiddleware(app)):
            guarded = await guard(wrapped)
            assert not await reaches(guarded, b"/mountx")
            assert not await reaches(guarded, b"/zzz/api/mountx", root_path="/api")
            assert not await reaches(guarded, b"/apimountx", root_path="/api")
            assert not await reaches(guarded, b"/mountx", websocket=True)
            assert not await reaches(guarded, b"/staticprivate/a.txt")


async def test_mounts_can_be_passed_to_the_middleware() -> None:
    """If an application does not show its mounts, ``mounts`` names them; other prefixes still end at a slash."""
    guarded = await guard(app_that_is_reached, [*PREFIXES, "/a/b/mount"], mounts=["/mount/", "/static", "/a/b/mount"])
    for target in (
        b"/mountx",
        b"/MOUNTx",
        b"/m%6Funtx",
        b"/a//b/./mountx",
        b"/staticprivate/a.txt",
        b"/static;/private/a.txt",
    ):
        assert not await reaches(guarded, target), target
    for target in (b"/photostream", b"/staticopen.txt"):
        assert await reaches(guarded, target), target


async def test_the_root_path_of_fastapi(tmp_path: Path) -> None:
    """``FastAPI(root_path=...)`` is removed from the path, although the scope does not have it."""
    app: Any = SITES["fastapi"](make_files(tmp_path))
    app.root_path = "/v1"
    assert await reaches(app, b"/v1/photos")
    guarded = await guard(app)
    assert not await reaches(guarded, b"/v1/photos")
    assert not await reaches(guarded, b"/v1/photos", websocket=True)


@pytest.mark.parametrize(
    "prefix", ["/x/../photos", "/photos;v=1", "/photos?x", "/photos#x", "/photos\0", "/%2e%2e/photos"]
)
async def test_ambiguous_prefixes_are_refused(prefix: str) -> None:
    """The error says what to write instead."""
    with pytest.raises(ValueError, match="protect the path before it"):
        await guard(app_that_is_reached, [prefix])


@pytest.mark.parametrize("prefix", ["/Photos", "/photos/", "//photos", "/./photos", "/photos ", "/\\photos"])
async def test_a_prefix_may_be_spelled_in_any_way(prefix: str) -> None:
    """It covers the same paths in each spelling."""
    guarded = await guard(app_that_is_reached, [prefix])
    for target in (b"/photos", b"/photos/1", b"/Photos", b"//photos"):
        assert not await reaches(guarded, target)
    assert await reaches(guarded, b"/photostream")


async def test_the_prefix_slash_covers_every_target() -> None:
    """Even targets that are not paths need a signature."""
    guarded = await guard(app_that_is_reached, ["/"])
    for target in [*SPELLINGS, *OPEN, b"/api"]:
        assert not await reaches(guarded, target)
        assert not await reaches(guarded, target, root_path="/api", websocket=True)


async def test_an_unusual_spelling_verifies_if_it_is_signed() -> None:
    """The signature is over the path as sent, so such a client is served."""
    provider = await make_provider()
    app: Any = provider.app
    app.asgi_app = OAuth1Middleware(app.asgi_app, provider.require_oauth, ["/echo"])
    for target in (b"/echo/a%0A", b"/echo/a%2Fb", b"/x/../echo"):
        message = sign(JANE, "GET", target)
        assert (await provider.send(message)).status in (200, 404)
        bare = Message(method="GET", target=target, headers=(HOST,))
        assert (await provider.send(bare)).status == 401


@contextlib.asynccontextmanager
async def serving(app: Any, server: str) -> AsyncIterator[int]:
    """Run a server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        if server == "hypercorn":
            from hypercorn.asyncio import serve
            from hypercorn.config import Config

            done = asyncio.Event()
            config = Config()
            config.errorlog, config.graceful_timeout, config.bind = None, 0.1, [f"fd://{listener.fileno()}"]
            running = asyncio.ensure_future(serve(app, config, shutdown_trigger=done.wait))
            yield port
            done.set()
            await running
            listener.detach()
            return
        import uvicorn

        http = server.removeprefix("uvicorn-")
        options = uvicorn.Config(app, http=http, ws="wsproto", lifespan="auto", log_level="critical", log_config=None)
        running_server = uvicorn.Server(options)
        with contextlib.suppress(AttributeError):
            running_server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        running = asyncio.ensure_future(running_server.serve(sockets=[listener]))
        while not running_server.started:
            await asyncio.sleep(0.01)
        yield port
        running_server.should_exit = running_server.force_exit = True
        await running


async def handshake(port: int, target: bytes) -> int:
    """Request a WebSocket, and return the status of the answer; 101 means that it was opened."""
    lines = [
        b"GET " + target + b" HTTP/1.1",
        b"Host: provider.example",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        head = await reader.readuntil(b"\r\n")
        writer.close()
    return int(head.split(b" ")[1])


def over_http_2(target: bytes, *, websocket: bool = False) -> list[tuple[bytes, bytes]]:
    """The headers of a request or of a WebSocket handshake (RFC 8441)."""
    method = [(b":method", b"CONNECT"), (b":protocol", b"websocket")] if websocket else [(b":method", b"GET")]
    pseudo = [*method, (b":scheme", b"http"), (b":authority", b"provider.example"), (b":path", target)]
    return [*pseudo, (b"sec-websocket-version", b"13")] if websocket else pseudo


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn-h11", "uvicorn-httptools"])
@pytest.mark.parametrize("name", ["quart", "starlette", "litestar", "blacksheep"])
async def test_each_spelling_needs_a_signature_on_the_wire(name: str, server: str, tmp_path: Path) -> None:
    """Over HTTP/1.1, WebSockets, and HTTP/2 if the server has it; open paths are answered."""
    app = SITES[name](make_files(tmp_path))
    async with serving(await guard(app), server) as port:
        for target in [*SPELLINGS, b"/mountx"]:
            unsigned = request_octets(Message(method="GET", target=target, headers=(HOST,)))
            answer = await talk(port, unsigned)
            assert SECRET not in answer.octets, target
            assert answer.status in (400, 401, 404), target
            if b"photos" in target:
                assert await handshake(port, target) in (400, 403, 404), target
            if server == "hypercorn":
                assert SECRET not in (await talk_h2(port, over_http_2(target))).get(b"body", b""), target
                assert (await talk_h2(port, over_http_2(target, websocket=True))).get(b":status") != b"200", target
        unsigned = request_octets(Message(method="GET", target=b"/photostream", headers=(HOST,)))
        assert (await talk(port, unsigned)).status == 200


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn-h11"])
async def test_without_the_middleware_the_spellings_reach_the_routes(server: str, tmp_path: Path) -> None:
    """Without the middleware, the same requests reach Starlette's routes, so the servers pass them on."""
    async with serving(SITES["starlette"](make_files(tmp_path)), server) as port:
        for target in (b"/photos%0A", b"/static/x/../private/a.txt", b"/static/%2e/private/a.txt"):
            answer = await talk(port, request_octets(Message(method="GET", target=target, headers=(HOST,))))
            assert SECRET in answer.octets
            if server == "hypercorn":
                assert (await talk_h2(port, over_http_2(target)))[b"body"] == SECRET
        assert await handshake(port, b"/photos%0A") == 101
        if server == "hypercorn":
            answer_h2 = await talk_h2(port, over_http_2(b"/photos%0A", websocket=True))
            assert answer_h2[b":status"] == b"200"
