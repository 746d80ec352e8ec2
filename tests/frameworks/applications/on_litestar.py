"""Litestar: `OAuth1Auth` for the application, with guards, and its middleware at single routes."""

from __future__ import annotations

import json
from typing import Any

from litestar import Litestar, MediaType, Request, Router, WebSocket, get, post, put, route, websocket
from litestar.status_codes import HTTP_200_OK

from async_oauth1.litestar import OAuth1Auth, requires_oauth1

from . import shared


@route("/photos", http_method=["GET", "HEAD", "OPTIONS"], status_code=HTTP_200_OK, media_type=MediaType.JSON)
async def photos(request: Request[Any, Any, Any]) -> dict[str, Any] | None:
    """Say what the request is signed with. Litestar wants no body of a HEAD."""
    found = shared.whom()
    return found if request.method != "HEAD" else None


@get("/thread", sync_to_thread=True)
def thread() -> dict[str, Any]:
    """The same; Litestar runs a plain function in a thread."""
    return shared.whom()


@get("/albums", guards=[requires_oauth1("albums.read")])
async def albums() -> dict[str, Any]:
    """The same with a scope."""
    return shared.whom()


@get("/signed", guards=[requires_oauth1(two_legged=True)])
async def signed() -> dict[str, Any]:
    """The same for clients without a token."""
    return shared.whom()


@get("/photos")
async def mounted_photos() -> dict[str, Any]:
    """The same in a router."""
    return shared.whom()


@post("/form", status_code=HTTP_200_OK)
async def form(request: Request[Any, Any, Any]) -> list[list[str]]:
    """Parse a form."""
    return shared.pairs((await request.form()).multi_items())


@put("/json")
async def read_json(request: Request[Any, Any, Any]) -> Any:
    """Parse JSON."""
    shared.called()
    return await request.json()


async def digest_of(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Receive a body in pieces."""
    digest = shared.Digest()
    async for piece in request.stream():
        digest.add(piece)
    return digest.as_json()


@put("/stream")
async def stream(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Receive a body that was hashed."""
    return await digest_of(request)


@put("/early", guards=[requires_oauth1(early=True)])
async def early(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The same while the body is hashed."""
    return await digest_of(request)


def unusable(path: str, protector: Any) -> Router:
    """A route whose protector cannot verify anything."""

    @get("/")
    async def view() -> dict[str, Any]:
        return shared.whom()

    return Router(path, route_handlers=[view], middleware=[OAuth1Auth(protector).middleware], opt={"elsewhere": True})


@websocket("/socket")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    """Accept a WebSocket."""
    await socket.accept()
    await socket.send_text(json.dumps(shared.whom()))
    await socket.close()


@get("/calls")
async def calls() -> int:
    """Count the calls."""
    return len(shared.calls)


everything = OAuth1Auth(shared.protector, exclude=["/calls"], exclude_opt_key="elsewhere", memory_limit=1000)
app = Litestar(
    [
        photos, thread, albums, signed, form, read_json, stream, early, talk, calls,
        Router("/mounted", route_handlers=[mounted_photos]),
        unusable("/down", shared.down), unusable("/broken", shared.broken),
    ],
    on_app_init=[everything.on_app_init],
)  # fmt: skip
