"""Views of seven frameworks that read a form the way their documentation shows, behind the middleware or without it.

Each answers with the form's pairs as JSON. `application` serves all of them: the header ``x-framework`` says which.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Annotated, Any

from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.provider.resource_protector import ResourceProtector
from async_oauth1.stores import MemoryStore

from .provider import add_credentials

TARGET = "/form"


def quart_view() -> Any:
    """``await request.form``."""
    from quart import Quart, request

    app = Quart("form_views")

    @app.post(TARGET)
    async def form() -> Any:
        return list((await request.form).items(multi=True))

    return app


def starlette_view() -> Any:
    """``await request.form()``."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def form(request: Request) -> JSONResponse:
        return JSONResponse([[name, str(value)] for name, value in (await request.form()).multi_items()])

    return Starlette(routes=[Route(TARGET, form, methods=["POST"])])


def fastapi_view() -> Any:
    """A parameter that is a ``Form()``."""
    from fastapi import FastAPI, Form

    app = FastAPI()

    async def form(to: Annotated[str | None, Form()] = None) -> Any:
        return [["to", to]]

    form.__annotations__["to"] = Annotated[str | None, Form()]
    app.post(TARGET)(form)
    return app


def litestar_view() -> Any:
    """``await request.form()``."""
    import litestar

    async def form(request: Any) -> Any:
        return [[name, str(value)] for name, value in (await request.form()).multi_items()]

    form.__annotations__.update({"request": litestar.Request, "return": list})
    return litestar.Litestar([litestar.post(TARGET)(form)], logging_config=None)


def litestar_declared_view() -> Any:
    """A parameter that is declared a form: Litestar reads it as one whatever the Content-Type is."""
    import litestar
    from litestar.enums import RequestEncodingType
    from litestar.params import Body

    async def form(data: Any) -> Any:
        return [[name, str(value)] for name, value in data.items()]

    declared = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
    form.__annotations__.update({"data": declared, "return": list})
    return litestar.Litestar([litestar.post(TARGET)(form)], logging_config=None)


def configure_django(urls: str) -> None:
    """Set Django's settings, unless another application of this process has.

    Args:
        urls: the module with the URL configuration.
    """
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=urls,
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="unused",
            MIDDLEWARE=[],
            LOGGING_CONFIG=None,
            USE_I18N=False,
        )


def django_view() -> Any:
    """``request.POST``, of the request that Django's own handler makes."""
    from django.core.handlers.asgi import ASGIRequest

    configure_django("tests.attacks.seven_frameworks")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        form = ASGIRequest(scope, BytesIO(body)).POST
        answer = json.dumps([[name, value] for name in form for value in form.getlist(name)]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    return app


def falcon_view() -> Any:
    """``await req.get_media()``."""
    import falcon.asgi

    class Form:
        async def on_post(self, req: Any, resp: Any) -> None:
            resp.media = [[name, str(value)] for name, value in (await req.get_media()).items()]

    app = falcon.asgi.App()
    app.add_route(TARGET, Form())
    return app


def blacksheep_view() -> Any:
    """``await request.form()``."""
    from blacksheep import Application, Request, Router
    from blacksheep import json as json_response

    app = Application(router=Router())

    async def form(request: Any) -> Any:
        return json_response([[name, str(value)] for name, value in (await request.form() or {}).items()])

    form.__annotations__["request"] = Request
    app.router.add_post(TARGET, form)
    return started_at_first_request(app)


def blacksheep_bound_view() -> Any:
    """A parameter that is a ``FromForm``."""
    from blacksheep import Application, FromForm, Router
    from blacksheep import json as json_response

    app = Application(router=Router())

    async def form(data: Any) -> Any:
        return json_response([["to", data.value.to]])

    form.__annotations__["data"] = FromForm[_Payment]
    app.router.add_post(TARGET, form)
    return started_at_first_request(app)


@dataclass
class _Payment:
    to: str = ""


def started_at_first_request(app: Any) -> Any:
    """Return a BlackSheep application that starts itself, without lifespan events."""
    started = False

    async def start_and_serve(scope: Any, receive: Any, send: Any) -> None:
        nonlocal started
        if not started:
            started = True
            await app.start()
        await app(scope, receive, send)

    return start_and_serve


VIEWS: dict[str, Callable[[], Any]] = {
    "quart": quart_view,
    "starlette": starlette_view,
    "fastapi": fastapi_view,
    "litestar": litestar_view,
    "litestar, declared": litestar_declared_view,
    "django": django_view,
    "falcon": falcon_view,
    "blacksheep": blacksheep_view,
    "blacksheep, bound": blacksheep_bound_view,
}


@cache
def view(name: str) -> Any:
    """The application with the view of that name, which nothing protects."""
    return VIEWS[name]()


async def make_protector(policy: Policy | None = None) -> ResourceProtector:
    """A protector that knows the client and the token of these tests."""
    store = MemoryStore()
    await add_credentials(store)
    protector = ResourceProtector(policy)
    protector.register_hooks(store)
    return protector


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve the view that the header ``x-framework`` names, behind the middleware."""
    if not _protectors:
        _protectors.append(await make_protector())
    name = dict(scope["headers"]).get(b"x-framework", b"quart").decode()
    await OAuth1Middleware(view(name), _protectors[0], ["/"])(scope, receive, send)


_protectors: list[ResourceProtector] = []
