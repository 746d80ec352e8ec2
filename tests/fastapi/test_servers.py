"""Under real servers: forms, files and streams as they come over the wire, WebSockets, and large bodies."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, FastAPI, File, Form, Request, Security, UploadFile, WebSocket
from websockets.exceptions import InvalidStatus

from async_oauth1 import TokenCredential
from async_oauth1.fastapi import current_credential
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_websockets import connect, handshake
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.fastapi.installed import Installed, install

LARGE = bytes(range(256)) * 8_000


def add_routes(made: Installed) -> FastAPI:
    """Add a route for each way to read a body, and a WebSocket."""
    app = made.app
    app.router.dependencies.append(Security(made.oauth1, scopes=["photos.read"]))

    @app.post("/form")
    def form(a: Annotated[list[str], Form()]) -> Any:
        return [*a, current_credential.user_id]

    @app.post("/file")
    async def file(photo: Annotated[UploadFile, File()]) -> Any:
        return [hashlib.sha1(await photo.read()).hexdigest(), current_credential.user_id]

    @app.post("/json")
    def json(photo: Annotated[dict[str, int], Body()]) -> Any:
        return [photo, current_credential.user_id]

    @app.post("/stream")
    async def stream(request: Request) -> Any:
        hashed = hashlib.sha1()
        async for piece in request.stream():
            hashed.update(piece)
        return [hashed.hexdigest(), current_credential.user_id]

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, credential: Annotated[TokenCredential, Security(made.oauth1)]) -> None:
        await websocket.accept()
        await websocket.send_text(await asyncio.to_thread(current_credential.get_user_id))

    return app


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body that httpx sends in chunks."""
    for start in range(0, len(body), 300_000):
        yield body[start : start + 300_000]


def bodies() -> list[tuple[str, bytes, bytes, Any]]:
    """Target, body, media type and answer of each request."""
    digest = hashlib.sha1(LARGE).hexdigest()
    multipart = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="p"\r\n\r\n' + LARGE + b"\r\n--b--\r\n"
    return [
        ("/form", b"a=1&a=%2B", b"application/x-www-form-urlencoded", ["1", "+", "jane"]),
        ("/file", multipart, b"multipart/form-data; boundary=b", [digest, "jane"]),
        ("/json", b'{"size": 1}', b"application/json", [{"size": 1}, "jane"]),
        ("/stream", LARGE, b"application/octet-stream", [digest, "jane"]),
    ]


@pytest.mark.parametrize("server", SERVERS)
async def test_bodies_over_the_wire(server: str) -> None:
    """With a length and in chunks they are accepted once, and refused if they are not what was signed."""
    made = await install()
    async with serving(add_routes(made), server) as port, httpx.AsyncClient() as client:
        origin = f"http://127.0.0.1:{port}"

        async def send(message: Message, *, chunked: bool) -> httpx.Response:
            headers = [pair for pair in message.headers if not (chunked and pair[0] == b"content-length")]
            content: Any = in_pieces(message.body) if chunked else message.body
            url = origin + message.target.decode()
            return await client.request(message.method, url, headers=headers, content=content)

        for target, body, content_type, expected in bodies():
            for chunked in (False, True):
                how = {"body": body, "content_type": content_type, "origin": origin}
                is_form = target == "/form"
                message = sign(JANE, "POST", target, oauth={} if is_form else {"body_hash": body_hash(body)}, **how)
                answer = await send(message, chunked=chunked)
                assert (answer.status_code, answer.json()) == (200, expected)
                assert (await send(message, chunked=chunked)).status_code == 401
                oauth = {} if is_form else {"body_hash": body_hash(body + b"x")}
                forged = sign(JANE, "POST", target, oauth=oauth, signed_body=b"a=1", **how)
                assert (await send(forged, chunked=chunked)).status_code == 401
    assert made.nonces == 16


@pytest.mark.parametrize("server", SERVERS)
async def test_websockets_over_the_wire(server: str) -> None:
    """A handshake is accepted once; refusals are the 401 of any request."""
    async with serving(add_routes(await install()), server) as port:
        accepted = [handshake(JANE, port, scheme=scheme, target="/socket") for scheme in ("http", "ws")]
        assert [await connect(port, message) for message in accepted] == ["jane", "jane"]
        for refused in (accepted[0], handshake(JANE, port, target="/socket", signature=b"x")):
            with pytest.raises(InvalidStatus) as refusal:
                await connect(port, refused)
            response = refusal.value.response
            assert (response.status_code, response.headers["www-authenticate"]) == (401, 'OAuth realm=""')
            assert b'"error"' in (response.body or b"")


@pytest.mark.parametrize(("server", "prefix"), [("hypercorn", ""), ("uvicorn-h11", ""), ("uvicorn-h11", "/api")])
async def test_a_mount_below_a_prefix(server: str, prefix: str) -> None:
    """The client signs the prefix that a proxy takes off and uvicorn's root_path puts back, once."""
    made = await install()
    sub = FastAPI()
    made.oauth1.install(sub)
    sub.add_api_route("/photos", lambda: "sub", dependencies=[Security(made.oauth1)])
    made.app.mount("/sub", sub)
    options = {"root_path": prefix} if prefix else {}
    async with serving(made.app, server, **options) as port, httpx.AsyncClient() as client:
        origin = f"http://127.0.0.1:{port}"
        for signed, status in ((f"{prefix}/sub/photos", 200), (f"{prefix}/photos", 401)):
            message = sign(JANE, "GET", "/sub/photos", origin=origin, signed_target=signed)
            assert (await client.get(f"{origin}/sub/photos", headers=message.headers)).status_code == status
