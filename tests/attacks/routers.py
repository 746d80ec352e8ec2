"""The same small site on each framework, without any protection.

Three parts of it are secret, and answer with a known text: ``/photos`` (over HTTP and as a WebSocket), the folder
``/static/private`` of static files, and the application mounted at ``/mount``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

SECRET = b"a secret that only a signature opens"
#: The prefixes that the middleware protects.
PREFIXES = ("/photos", "/static/private", "/in/static/private", "/mount")

App = Callable[[Any, Any, Any], Any]


def make_files(folder: Path) -> Path:
    """Create the static files ``open.txt`` and ``x/open.txt``, and the secret file ``private/a.txt``."""
    for name in ("x", "private"):
        (folder / name).mkdir()
    (folder / "open.txt").write_bytes(b"open")
    (folder / "x" / "open.txt").write_bytes(b"open")
    (folder / "private" / "a.txt").write_bytes(SECRET)
    return folder


async def secret_app(scope: Any, receive: Any, send: Any) -> None:
    """A mounted application that answers with the secret."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": SECRET})
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(SECRET))]})
    await send({"type": "http.response.body", "body": SECRET})


def make_quart(files: Path) -> App:
    """A Quart site with the application's static folder, and a blueprint's at ``/in/static``."""
    from quart import Blueprint, Quart, websocket

    app = Quart("site", static_folder=str(files), static_url_path="/static")
    blueprint = Blueprint("blueprint", "site", static_folder=str(files), static_url_path="/static", url_prefix="/in")
    app.register_blueprint(blueprint)

    @app.get("/photos")
    @app.get("/photos/<path:rest>")
    async def photos(rest: str = "") -> bytes:
        return SECRET

    @app.websocket("/photos")
    async def photos_socket() -> None:
        await websocket.send(SECRET)

    @app.get("/photostream")
    async def stream() -> str:
        return "open"

    return app


def make_starlette(files: Path) -> App:
    """A Starlette site with StaticFiles."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.staticfiles import StaticFiles

    async def photos(request: Any) -> Response:
        return Response(SECRET)

    async def stream(request: Any) -> Response:
        return PlainTextResponse("open")

    async def photos_socket(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_bytes(SECRET)
        await websocket.close()

    return Starlette(
        routes=[
            Route("/photos", photos),
            Route("/photos/{rest:path}", photos),
            WebSocketRoute("/photos", photos_socket),
            Route("/photostream", stream),
            Mount("/static", StaticFiles(directory=files)),
            Mount("/mount", secret_app),
        ]
    )


def make_fastapi(files: Path) -> App:
    """A FastAPI site with Starlette's StaticFiles."""
    from fastapi import FastAPI, Response, WebSocket
    from starlette.staticfiles import StaticFiles

    app = FastAPI(openapi_url=None)

    async def photos() -> Response:
        return Response(SECRET)

    async def stream() -> str:
        return "open"

    async def photos_socket(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_bytes(SECRET)
        await websocket.close()

    photos_socket.__annotations__["websocket"] = WebSocket
    for function in (photos, stream):
        function.__annotations__.clear()
    app.get("/photos")(photos)
    app.get("/photos/{rest:path}")(photos)
    app.get("/photostream")(stream)
    app.websocket("/photos")(photos_socket)
    app.mount("/static", StaticFiles(directory=files))
    app.mount("/mount", secret_app)
    return app


def make_litestar(files: Path) -> App:
    """A Litestar site with a static files router and an ASGI mount."""
    from litestar import Litestar, WebSocket, asgi, get, websocket
    from litestar.static_files import create_static_files_router

    async def photos() -> bytes:
        return SECRET

    async def more() -> bytes:
        return SECRET

    async def stream() -> str:
        return "open"

    async def photos_socket(socket: Any) -> None:
        await socket.accept()
        await socket.send_bytes(SECRET)
        await socket.close()

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await secret_app(scope, receive, send)

    photos.__annotations__["return"] = bytes
    more.__annotations__["return"] = bytes
    stream.__annotations__["return"] = str
    photos_socket.__annotations__.update({"socket": WebSocket, "return": None})
    from litestar.types import Receive, Scope, Send

    mounted.__annotations__.update({"scope": Scope, "receive": Receive, "send": Send, "return": None})
    return Litestar(
        [
            get("/photos")(photos),
            get("/photos/{rest:path}")(more),
            get("/photostream")(stream),
            websocket("/photos")(photos_socket),
            asgi("/mount", is_mount=True, copy_scope=True)(mounted),
            create_static_files_router("/static", [files]),
        ],
        openapi_config=None,
    )


def make_django(files: Path) -> App:
    """A Django site over ASGI with the static file view of ``django.views.static``; Django has no WebSockets."""
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.http import HttpResponse
    from django.urls import path, re_path
    from django.views.static import serve

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="unused", LOGGING_CONFIG=None, USE_I18N=False)
    if not hasattr(settings, "ROOT_URLCONF"):
        settings.ROOT_URLCONF = __name__

    async def photos(request: Any, rest: str = "") -> HttpResponse:
        return HttpResponse(SECRET)

    async def stream(request: Any) -> HttpResponse:
        return HttpResponse(b"open")

    async def file(request: Any, path: str) -> HttpResponse:
        response: Any = await asyncio.to_thread(serve, request, path, str(files))
        with contextlib.closing(response):
            return HttpResponse(b"".join(response.streaming_content))

    urls = (
        path("photos", photos),
        path("photos/<path:rest>", photos),
        re_path(r"^mount$", photos),
        path("photostream", stream),
        re_path(r"^static/(?P<path>.*)$", file),
    )

    class Handler(ASGIHandler):
        def create_request(self, scope: Any, body_file: Any) -> Any:
            request: Any
            request, error = super().create_request(scope, body_file)
            if request is not None:
                request.urlconf = urls  # settings are shared by all sites in the process
            return request, error

    return Handler()


def make_falcon(files: Path) -> App:
    """A Falcon site over ASGI with a static route, and a sink instead of a mount."""
    import falcon.asgi

    class Photos:
        async def on_get(self, request: Any, response: Any, rest: str = "") -> None:
            response.data = SECRET

        async def on_websocket(self, request: Any, socket: Any) -> None:
            await socket.accept()
            await socket.send_data(SECRET)
            await socket.close()

    class Stream:
        async def on_get(self, request: Any, response: Any) -> None:
            response.text = "open"

    async def sink(request: Any, response: Any, socket: Any = None) -> None:
        response.data = SECRET

    app: Any = falcon.asgi.App()
    app.add_route("/photos", Photos())
    app.add_route("/photos/{rest:path}", Photos())
    app.add_route("/photostream", Stream())
    app.add_sink(sink, "/mount")
    app.add_static_route("/static", str(files))
    return app


def make_blacksheep(files: Path) -> App:
    """A BlackSheep site with its static files and a mount."""
    from blacksheep import Application, Response, WebSocket
    from blacksheep.contents import Content
    from blacksheep.server.routing import Router

    app: Any = Application(router=Router())

    async def photos() -> Response:
        return Response(200, content=Content(b"text/plain", SECRET))

    async def more(rest: str) -> Response:
        return Response(200, content=Content(b"text/plain", SECRET))

    async def stream() -> Response:
        return Response(200, content=Content(b"text/plain", b"open"))

    async def photos_socket(socket: Any) -> None:
        await socket.accept()
        await socket.send_bytes(SECRET)
        await socket.close()

    photos.__annotations__.clear()
    stream.__annotations__.clear()
    more.__annotations__.update({"rest": str, "return": Response})
    photos_socket.__annotations__.update({"socket": WebSocket})
    app.router.add_get("/photos", photos)
    app.router.add_get("/photos/{path:rest}", more)  # "/photos/*" would match "/photostream", too
    app.router.add_get("/photostream", stream)
    app.router.add_ws("/photos", photos_socket)
    app.serve_files(files, root_path="/static", allow_anonymous=True)
    app.mount("/mount", secret_app)
    return app


SITES: dict[str, Callable[[Path], App]] = {
    "quart": make_quart,
    "starlette": make_starlette,
    "fastapi": make_fastapi,
    "litestar": make_litestar,
    "django": make_django,
    "falcon": make_falcon,
    "blacksheep": make_blacksheep,
}
#: Frameworks whose mounts match by prefix without a slash; the middleware needs its argument ``mounts``.
UNSEEN_MOUNTS = {"falcon": ("/mount",)}


class Gate:
    """Count the requests that reach a framework, and ignore its errors for unusual paths."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.passed = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed += 1
        with contextlib.suppress(Exception):
            await self.app(scope, receive, send)


@contextlib.asynccontextmanager
async def started(app: App) -> AsyncIterator[App]:
    """Run the application's lifespan, and yield the application between start-up and shutdown."""
    ready, done = asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not ready.is_set():
            return {"type": "lifespan.startup"}
        await done.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message: dict[str, Any]) -> None:
        ready.set()

    async def run() -> None:
        with contextlib.suppress(ValueError):  # Django has no lifespan
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        ready.set()

    running = asyncio.ensure_future(run())
    await ready.wait()
    try:
        yield app
    finally:
        done.set()
        await running


async def reaches(app: App, target: bytes, *, root_path: str = "", websocket: bool = False, **changes: Any) -> bool:
    """Return whether an unsigned request reaches the secret; the scope is as hypercorn and granian create it."""
    scope: dict[str, Any] = {
        "type": "websocket" if websocket else "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "ws" if websocket else "http",
        "path": unquote(target.decode("latin-1")),
        "raw_path": target,
        "query_string": b"",
        "root_path": root_path,
        "headers": [(b"host", b"provider.example")],
        "client": ("203.0.113.7", 40_000),
        "server": ("198.51.100.1", 80),
        "subprotocols": [],
        "extensions": {},
        "state": {},
        **changes,
    }
    events = [{"type": "websocket.connect"} if websocket else {"type": "http.request", "body": b""}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not events:
            await asyncio.Event().wait()
        return events.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return any(SECRET in (message.get("body") or message.get("bytes") or b"") for message in sent)


async def reaches_by_uvicorn(app: App, target: bytes, *, root_path: str = "", **how: Any) -> bool:
    """Like `reaches`, but with the root path in front of the path, as in uvicorn's scope."""
    path = root_path + unquote(target.decode("latin-1"))
    return await reaches(app, target, root_path=root_path, path=path, raw_path=root_path.encode() + target, **how)
