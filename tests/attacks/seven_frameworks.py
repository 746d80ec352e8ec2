"""One ASGI application that holds seven, each of another framework, behind `OAuth1Middleware`.

``/quart/echo``, ``/starlette/echo`` and so on say what their framework shows of a request once its body has been read.
``/form`` is served by `form_views`. Servers load it as ``tests.attacks.seven_frameworks:app``; ``POLICY`` in the
environment is JSON, for `Policy`. Each framework is imported at its first request, so that a server starts quickly.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import quart

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.quart import ResourceProtector as QuartProtector
from async_oauth1.stores import MemoryStore

from .form_views import TARGET, configure_django, started_at_first_request
from .form_views import application as form_views
from .provider import add_credentials

METHODS = ["GET", "POST", "PUT"]


def seen(method: str, headers: Any, **more: Any) -> dict[str, Any]:
    """What the client is told."""
    return {"method": method, "headers": sorted([name.lower(), value] for name, value in headers), **more}


def make_quart() -> Any:
    """Quart."""
    app = quart.Quart("quart")

    @app.route("/quart/echo", methods=METHODS)
    async def echo() -> dict[str, Any]:
        await quart.request.get_data()
        return seen(quart.request.method, quart.request.headers.items(), scheme=quart.request.scheme)

    return app


def make_decorated(store: MemoryStore, policy: Policy) -> Any:
    """Quart with its decorator instead of the middleware."""
    app = quart.Quart("decorated")
    require_oauth = QuartProtector(app, policy=policy)
    require_oauth.register_hooks(store)

    @app.route("/decorated/echo", methods=METHODS)
    @require_oauth
    async def echo() -> dict[str, Any]:
        await quart.request.get_data()
        raw = quart.request.scope["headers"]
        return seen(quart.request.method, [(name.decode(), value.decode()) for name, value in raw])

    return app


def make_starlette() -> Any:
    """Starlette."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def echo(request: Request) -> Any:
        await request.body()
        return JSONResponse(
            seen(request.method, request.headers.items(), scheme=request.url.scheme, client=list(request.client or ()))
        )

    return Starlette(routes=[Route("/starlette/echo", echo, methods=METHODS)])


def make_fastapi() -> Any:
    """FastAPI."""
    import fastapi

    app = fastapi.FastAPI()

    async def echo(request: fastapi.Request) -> dict[str, Any]:
        await request.body()
        return seen(request.method, request.headers.items(), scheme=request.url.scheme)

    echo.__annotations__["request"] = fastapi.Request
    app.api_route("/fastapi/echo", methods=METHODS)(echo)
    return app


def make_litestar() -> Any:
    """Litestar."""
    import litestar

    async def echo(request: litestar.Request[Any, Any, Any]) -> dict[str, Any]:
        await request.body()
        return seen(request.method, request.headers.items(), scheme=request.url.scheme)

    echo.__annotations__ = {"request": litestar.Request, "return": dict[str, Any]}
    return litestar.Litestar([litestar.route("/litestar/echo", http_method=METHODS)(echo)])  # type: ignore[arg-type]


async def django_echo(request: Any) -> Any:
    """Django's view."""
    from django.http import JsonResponse

    request.body  # noqa: B018 - reads it
    return JsonResponse(seen(request.method, request.headers.items(), scheme=request.scheme))


def make_django() -> Any:
    """Django; this module is its URL configuration."""
    import django
    from django.core.asgi import get_asgi_application

    configure_django(__name__)
    django.setup()
    return get_asgi_application()


def make_falcon() -> Any:
    """Falcon."""
    import falcon.asgi

    class Echo:
        async def on_get(self, request: Any, response: Any) -> None:
            await request.stream.read()
            response.media = seen(request.method, request.headers.items(), scheme=request.scheme)

        on_post = on_put = on_get

    app = falcon.asgi.App()
    app.add_route("/falcon/echo", Echo())
    return app


def make_blacksheep() -> Any:
    """BlackSheep."""
    import blacksheep

    app = blacksheep.Application()

    async def echo(request: blacksheep.Request) -> Any:
        await request.read()
        headers = [(name.decode(), value.decode()) for name, value in request.headers]
        return blacksheep.json(seen(request.method, headers, scheme=request.scheme))

    echo.__annotations__ = {"request": blacksheep.Request}
    app.router.add_get("/blacksheep/echo", echo)
    app.router.add_post("/blacksheep/echo", echo)
    return started_at_first_request(app)


def __getattr__(name: str) -> Any:
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.urls import path

    return [path("django/echo", django_echo)]


FRAMEWORKS = ("quart", "starlette", "fastapi", "litestar", "django", "falcon", "blacksheep")


@cache
def make_app(framework: str) -> Any:
    """Return the application of a framework."""
    return globals()[f"make_{framework}"]()


class Applications:
    """Hands a request to the application that its path names."""

    def __init__(self) -> None:
        policy = Policy(**json.loads(os.environ.get("POLICY", "{}")))
        self.store = MemoryStore()
        protector = ResourceProtector(policy)
        protector.register_hooks(self.store)
        self.guarded = OAuth1Middleware(self.inside, protector, ["/"])
        self.decorated = make_decorated(self.store, policy)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == TARGET:
            await form_views(scope, receive, send)
        elif scope["path"].startswith("/decorated/"):
            await self.decorated(scope, receive, send)
        else:
            await self.guarded(scope, receive, send)

    async def inside(self, scope: Any, receive: Any, send: Any) -> None:
        await make_app(scope["path"].split("/")[1])(scope, receive, send)

    async def lifespan(self, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        await add_credentials(self.store)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})


app = Applications()
