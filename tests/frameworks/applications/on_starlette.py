"""Starlette: `protected` at each endpoint."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from async_oauth1.starlette import protected

from . import shared


async def whom(request: Request) -> JSONResponse:
    """Say what the request is signed with."""
    return JSONResponse(shared.whom())


def thread(request: Request) -> JSONResponse:
    """The same; Starlette runs a plain function in a thread."""
    return JSONResponse(shared.whom())


async def form(request: Request) -> JSONResponse:
    """Parse a form."""
    return JSONResponse(shared.pairs((await request.form()).multi_items()))


async def read_json(request: Request) -> JSONResponse:
    """Parse JSON."""
    shared.called()
    return JSONResponse(await request.json())


async def stream(request: Request) -> JSONResponse:
    """Receive a body in pieces."""
    digest = shared.Digest()
    async for piece in request.stream():
        digest.add(piece)
    return JSONResponse(digest.as_json())


async def socket(websocket: WebSocket) -> None:
    """Accept a WebSocket."""
    await websocket.accept()
    await websocket.send_text(json.dumps(shared.whom()))
    await websocket.close()


async def calls(request: Request) -> JSONResponse:
    """Count the calls."""
    return JSONResponse(len(shared.calls))


def guarded(endpoint: Any, *demands: str, protector: Any = shared.protector, **how: Any) -> Any:
    """A protected endpoint."""
    return protected(protector, *demands, **how)(endpoint)


app = Starlette(
    routes=[
        Route("/photos", guarded(whom), methods=["GET", "OPTIONS"]),
        Route("/thread", guarded(thread)),
        Route("/albums", guarded(whom, "albums.read")),
        Route("/signed", guarded(whom, two_legged=True)),
        Mount("/mounted", routes=[Route("/photos", guarded(whom))]),
        Route("/form", guarded(form), methods=["POST"]),
        Route("/json", guarded(read_json), methods=["PUT"]),
        Route("/stream", guarded(stream, memory_limit=1000), methods=["PUT"]),
        Route("/early", guarded(stream, early=True), methods=["PUT"]),
        Route("/down", guarded(whom, protector=shared.down)),
        Route("/broken", guarded(whom, protector=shared.broken)),
        WebSocketRoute("/socket", guarded(socket)),
        Route("/calls", calls),
    ]
)
