"""FastAPI and Litestar applications that retire OAuth 1.0 and accept bearer tokens."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

from typing import Annotated, Any

from fastapi import FastAPI, Request, Security
from litestar import Litestar, route
from litestar import Request as LitestarRequest
from litestar import Response as LitestarResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.asgi import Retirement, current_client, current_credential
from async_oauth1.fastapi import OAuth1, OAuth1HTTPError
from async_oauth1.litestar import OAuth1Auth, requires_oauth1
from async_oauth1.starlette import OAuth1Middleware
from tests.asgi.test_cors import make_store

from .test_bearer_or_oauth import LookUp


async def protector_for(retirement: Retirement | None, **how: Any) -> ResourceProtector:
    """A protector with one client and one token, which has no scope."""
    protector = ResourceProtector(retirement=retirement, **how)
    protector.register_hooks(await make_store())
    return protector


def seen(scope: Any, principal: object, user: object = None) -> dict[str, Any]:
    """What a handler sees of a request."""
    current: Any = current_credential
    return {
        "scheme": scope["async_oauth1.verified"].scheme,
        "principal": type(principal).__name__,
        "current": type(current._get_current_object()).__name__ if current else None,
        "client": bool(current_client),
        "user": getattr(user, "identity", None),
    }


async def fastapi(retirement: Retirement | None, look_up: Any = None, **how: Any) -> FastAPI:
    """FastAPI with dependencies; ``/scoped`` demands ``photos.read``, and ``/client`` the client alone."""
    app, oauth1 = FastAPI(), OAuth1(await protector_for(retirement, **how), query_bearer=look_up or LookUp())
    oauth1.install(app)

    @app.api_route("/photos", methods=["GET", "POST"])
    async def photos(request: Request, principal: Annotated[Any, Security(oauth1)]) -> dict[str, Any]:
        return seen(request.scope, principal)

    @app.get("/scoped")
    async def scoped(request: Request, principal: Annotated[Any, Security(oauth1, scopes=["photos.read"])]) -> Any:
        return seen(request.scope, principal)

    @app.get("/optional")
    async def optional(principal: Annotated[Any, Security(oauth1.optional)]) -> dict[str, Any]:
        return {"principal": type(principal).__name__}

    @app.get("/client")
    async def client(client: Annotated[Any, Security(oauth1.client)]) -> dict[str, Any]:
        return {"client": client.client_id}

    return app


async def litestar(
    retirement: Retirement | None, look_up: Any = None, user: Any = None, handlers: Any = None, **how: Any
) -> Litestar:
    """Litestar with the security backend; ``/scoped`` demands ``photos.read``."""
    oauth1 = OAuth1Auth(await protector_for(retirement, **how), user, two_legged=True, query_bearer=look_up or LookUp())

    @route("/photos", http_method=["GET", "POST"], status_code=200)
    async def photos(request: LitestarRequest[Any, Any, Any]) -> dict[str, Any]:
        return seen(request.scope, request.auth, request.user)

    @route("/scoped", http_method=["GET"], status_code=200, guards=[requires_oauth1("photos.read")])
    async def scoped(request: LitestarRequest[Any, Any, Any]) -> dict[str, Any]:
        return seen(request.scope, request.auth, request.user)

    return Litestar([photos, scoped], on_app_init=[oauth1.on_app_init], exception_handlers=handlers or {})


def own_answer(*_: object) -> PlainTextResponse:
    """Answer any error."""
    return PlainTextResponse("own", 418)


async def starlette_with_own_answers(retirement: Retirement) -> Starlette:
    """Starlette with ``on_error``."""

    def on_error(connection: HTTPConnection, error: OAuth1Error) -> PlainTextResponse:
        return own_answer(connection, error)

    protector = await protector_for(retirement)
    return Starlette(middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/"], on_error=on_error)])


async def fastapi_with_own_answers(retirement: Retirement) -> FastAPI:
    """FastAPI with a handler of the application's own."""
    app = await fastapi(retirement)
    app.add_exception_handler(OAuth1HTTPError, own_answer)
    return app


async def litestar_with_own_answers(retirement: Retirement) -> Litestar:
    """Litestar with a handler of the application's own."""

    def answer(_: Any, error: Exception) -> Any:
        return LitestarResponse("own", status_code=418, media_type="text/plain")

    return await litestar(retirement, handlers={OAuth1Error: answer})


def reporting() -> Policy:
    """A policy with problem reporting."""
    return Policy(problem_reporting=True)
