"""FastAPI: security dependencies, and the middleware in front of the route that wants its body early."""

# FastAPI cannot evaluate all annotations that are strings.

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Request, Security, WebSocket

from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.fastapi import OAuth1

from . import shared

oauth1, down, broken = OAuth1(shared.protector), OAuth1(shared.down), OAuth1(shared.broken)
app, mounted = FastAPI(), FastAPI()
router = APIRouter(dependencies=[Security(oauth1)])
for installed in (oauth1, down, broken):
    installed.install(app, memory_limit=1000)
oauth1.install(mounted)
app.add_middleware(OAuth1Middleware, protector=shared.protector, prefixes=["/early"], early=True)


@router.api_route("/photos", methods=["GET", "HEAD", "OPTIONS"])
async def photos() -> Any:
    """Say what the request is signed with."""
    return shared.whom()


@router.get("/thread")
def thread() -> Any:
    """The same; FastAPI runs a plain function in a thread."""
    return shared.whom()


@app.get("/albums", dependencies=[Security(oauth1, scopes=["albums.read"])])
async def albums() -> Any:
    """The same with a scope."""
    return shared.whom()


@app.get("/signed", dependencies=[Depends(oauth1.client)])
async def signed() -> Any:
    """The same for clients without a token."""
    return shared.whom()


@mounted.get("/photos", dependencies=[Security(oauth1)])
async def mounted_photos() -> Any:
    """The same in a mounted application."""
    return shared.whom()


@router.post("/form")
async def form(request: Request) -> Any:
    """Parse a form."""
    return shared.pairs((await request.form()).multi_items())


@router.put("/json")
async def read_json(body: Annotated[Any, Body()]) -> Any:
    """Parse JSON, which FastAPI does before it calls dependencies."""
    shared.called()
    return body


@router.put("/stream")
@router.put("/early")
async def stream(request: Request) -> Any:
    """Receive a body in pieces."""
    digest = shared.Digest()
    async for piece in request.stream():
        digest.add(piece)
    return digest.as_json()


@app.get("/down", dependencies=[Security(down)])
async def with_a_store_that_is_down() -> Any:
    """The same with a store that is down."""
    return shared.whom()


@app.get("/broken", dependencies=[Security(broken)])
async def with_a_broken_hook() -> Any:
    """The same with a hook that raises."""
    return shared.whom()


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    """Accept a WebSocket."""
    await websocket.accept()
    await websocket.send_text(json.dumps(shared.whom()))
    await websocket.close()


@app.get("/calls")
async def calls() -> Any:
    """Count the calls."""
    return len(shared.calls)


app.include_router(router)
app.mount("/mounted", mounted)
