"""Quart: its own protector, as a decorator at each view."""

from __future__ import annotations

import json
from typing import Any

from quart import Blueprint, Quart, request, websocket

from async_oauth1.quart import ResourceProtector

from . import shared

app = Quart(__name__)
require_oauth = shared.protect(ResourceProtector(app))
down = shared.protect(ResourceProtector(app), shared.unavailable)
broken = shared.protect(ResourceProtector(app), shared.failing)
mounted = Blueprint("mounted", __name__, url_prefix="/mounted")


@app.route("/photos", methods=["GET", "HEAD", "OPTIONS"], provide_automatic_options=False)
@require_oauth()
async def photos() -> dict[str, Any]:
    """Say what the request is signed with."""
    return shared.whom()


@app.get("/thread")
@require_oauth()
def thread() -> dict[str, Any]:
    """The same; Quart runs a plain function in a thread."""
    return shared.whom()


@app.get("/albums")
@require_oauth("albums.read")
async def albums() -> dict[str, Any]:
    """The same with a scope."""
    return shared.whom()


@app.get("/signed")
@require_oauth(two_legged=True)
async def signed() -> dict[str, Any]:
    """The same for clients without a token."""
    return shared.whom()


@mounted.get("/photos")
@require_oauth()
async def mounted_photos() -> dict[str, Any]:
    """The same in a blueprint."""
    return shared.whom()


@app.post("/form")
@require_oauth()
async def form() -> list[list[str]]:
    """Parse a form."""
    return shared.pairs((await request.form).items(multi=True))


@app.put("/json")
@require_oauth()
async def read_json() -> Any:
    """Parse JSON."""
    shared.called()
    return await request.get_json()


@app.put("/stream")
@require_oauth()
async def stream() -> dict[str, Any]:
    """Receive a body in pieces."""
    digest = shared.Digest()
    async for piece in request.body:
        digest.add(piece)
    return digest.as_json()


@app.get("/down")
@down()
async def with_a_store_that_is_down() -> dict[str, Any]:
    """The same with a store that is down."""
    return shared.whom()


@app.get("/broken")
@broken()
async def with_a_broken_hook() -> dict[str, Any]:
    """The same with a hook that raises."""
    return shared.whom()


@app.websocket("/socket")
@require_oauth()
async def socket() -> None:
    """Accept a WebSocket."""
    await websocket.accept()
    await websocket.send(json.dumps(shared.whom()))


@app.get("/calls")
async def calls() -> str:
    """Count the calls."""
    return json.dumps(len(shared.calls))


app.register_blueprint(mounted)
