"""The provider under attack on other frameworks than Quart: the same routes, and the same answers.

`PROVIDERS` has a function for each. The endpoints are `authorization_endpoints`; the consent step is a plain ASGI
application, which no adapter has a part in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import parse_qsl

from async_oauth1 import AuthorizationServer, OAuth1Error, Policy, ResourceProtector
from async_oauth1.asgi import (
    OAuth1Middleware,
    RequestTargetMiddleware,
    authorization_endpoints,
    current_client,
    current_credential,
    current_oauth1_request,
    request_from_scope,
)
from async_oauth1.asgi.requests import send_response
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.stores import MemoryStore

from .provider import ALL_SIGNATURE_METHODS, EVERY_METHOD, Provider, Recording, add_credentials

__all__ = ["ELSEWHERE", "PROVIDERS", "UNROUTED", "is_about_quart", "make_provider_on"]

#: Makes the application with the protected routes.
Resources = Callable[[ResourceProtector, list[Any]], Any]
METHODS: Any = [method for method in EVERY_METHOD if method != "PROPFIND"]


def what_arrived() -> dict[str, Any]:
    """The verified request, as a view sees it."""
    return {
        "method": current_oauth1_request.method,
        "raw_path": current_oauth1_request.raw_path.decode("latin-1"),
        "query": [list(pair) for pair in current_oauth1_request.query_params],
        "form": [list(pair) for pair in current_oauth1_request.body_params],
        "client_id": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
    }


async def make_provider_on(resources: Resources, store: Any = None, policy: Policy | None = None) -> Provider:
    """Create a provider whose resources a framework serves."""
    if store is None:
        store = MemoryStore()
        await add_credentials(store)
    recording = Recording(store)
    policy = policy or Policy(signature_methods=ALL_SIGNATURE_METHODS)
    server, protector = AuthorizationServer(policy=policy), ResourceProtector(policy=policy)
    delegating: Any = recording
    server.register_hooks(delegating)
    protector.register_hooks(delegating)
    seen: list[Any] = []
    everything: Any = Routing(server, resources(protector, seen))
    provider = Provider(RequestTargetMiddleware(everything, policy), server, protector, recording, seen=seen)  # type: ignore[arg-type]  # not Quart's
    everything.provider = provider
    return provider


class Routing:
    """The endpoints and the consent step in front of the resources."""

    provider: Provider

    def __init__(self, server: AuthorizationServer, resources: Any) -> None:
        """Keep them."""
        self._server = server
        self._endpoints = authorization_endpoints(server)
        self._resources = resources

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["path"] in ("/initiate", "/token"):
            await self._endpoints(scope, receive, send)
        elif scope["path"] == "/authorize":
            await send_response(await self._consent(scope), send)
        else:
            await self._resources(scope, receive, send)

    async def _consent(self, scope: Any) -> OAuth1Response:
        try:
            request = request_from_scope(scope, self._server.policy, b"")
            if scope["method"] == "GET":
                asked = await self._server.check_authorization_request(request)
                return as_json({"client_id": asked.client.client_id})
            return await self._server.create_authorization_response(request, self.provider.user)
        except OAuth1Error as error:
            return as_json({"error": error.error}, error.status_code)


def as_json(content: Any, status: int = 200) -> OAuth1Response:
    """A response of any status."""
    return OAuth1Response(status, json.dumps(content), [("Content-Type", "application/json")])


def grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of a form, in the order of the names, as the view on Quart answers."""
    form: dict[str, list[Any]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return {"form": [[name, value] for name, values in sorted(form.items()) for value in values]}


def on_litestar(protector: ResourceProtector, seen: list[Any]) -> Any:
    """`OAuth1Auth` and guards."""
    from litestar import Litestar, Request, route

    from async_oauth1.litestar import OAuth1Auth, requires_oauth1

    def view(*paths: str, **how: Any) -> Callable[[Callable[..., Any]], Any]:
        return route([*paths], http_method=METHODS, status_code=200, name=paths[0], **how)

    @view("/echo", "/echo/{rest:path}")
    async def echo(request: Request[Any, Any, Any]) -> dict[str, Any]:
        seen.append(request.path_params.get("rest", ""))
        return what_arrived()

    @view("/signed", guards=[requires_oauth1(two_legged=True)])
    async def signed() -> dict[str, Any]:
        return what_arrived()

    @view("/form")
    async def form(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return grouped((await request.form()).multi_items())

    @view("/hashed", guards=[requires_oauth1(body_hash_required=True)])
    async def hashed(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return {"length": len(await request.body())}

    @view("/read-only", guards=[requires_oauth1("photos.read")])
    async def read_only() -> dict[str, Any]:
        return what_arrived()

    auth = OAuth1Auth(protector)
    return Litestar(
        [echo, signed, form, hashed, read_only],
        on_app_init=[auth.on_app_init],
        logging_config=None,
        openapi_config=None,
    )


def on_fastapi(protector: ResourceProtector, seen: list[Any]) -> Any:
    """`OAuth1` as a dependency of each route."""
    from fastapi import Depends, FastAPI, Request, Security

    from async_oauth1.fastapi import OAuth1

    app = FastAPI(openapi_url=None)
    oauth1 = OAuth1(protector)
    oauth1.install(app)
    hashed_oauth1 = OAuth1(protector, body_hash_required=True)

    def view(*paths: str, demands: Any) -> Callable[[Callable[..., Any]], Any]:
        def add(function: Callable[..., Any]) -> Any:
            function.__annotations__ = {"request": Request}  # FastAPI cannot evaluate strings that name local classes
            for path in paths:
                app.add_api_route(path, function, methods=EVERY_METHOD, dependencies=[demands])
            return function

        return add

    @view("/echo", "/echo/{rest:path}", demands=Security(oauth1))
    async def echo(request: Request) -> dict[str, Any]:
        seen.append(request.path_params.get("rest", ""))
        return what_arrived()

    @view("/signed", demands=Depends(oauth1.client))
    async def signed(request: Request) -> dict[str, Any]:
        return what_arrived()

    @view("/form", demands=Security(oauth1))
    async def form(request: Request) -> dict[str, Any]:
        return grouped((await request.form()).multi_items())

    @view("/hashed", demands=Security(hashed_oauth1))
    async def hashed(request: Request) -> dict[str, Any]:
        return {"length": len(await request.body())}

    @view("/read-only", demands=Security(oauth1, scopes=["photos.read"]))
    async def read_only(request: Request) -> dict[str, Any]:
        return what_arrived()

    return app


def on_starlette(protector: ResourceProtector, seen: list[Any]) -> Any:
    """`protected` at each endpoint."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from async_oauth1.starlette import protected

    async def echo(request: Any) -> Any:
        seen.append(request.path_params.get("rest", ""))
        return JSONResponse(what_arrived())

    async def answer(request: Any) -> Any:
        return JSONResponse(what_arrived())

    async def form(request: Any) -> Any:
        return JSONResponse(grouped((await request.form()).multi_items()))

    async def hashed(request: Any) -> Any:
        return JSONResponse({"length": len(await request.body())})

    routes = {
        "/echo": protected(protector)(echo),
        "/echo/{rest:path}": protected(protector)(echo),
        "/signed": protected(protector, two_legged=True)(answer),
        "/form": protected(protector)(form),
        "/hashed": protected(protector, body_hash_required=True)(hashed),
        "/read-only": protected(protector, "photos.read")(answer),
    }
    return Starlette(routes=[Route(path, view, methods=EVERY_METHOD) for path, view in routes.items()])


def on_bare_asgi(protector: ResourceProtector, seen: list[Any]) -> Any:
    """`OAuth1Middleware` in front of each function."""

    async def body_of(receive: Any) -> bytes:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        return body

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await send_response(as_json(what_arrived()), send)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send_response(as_json(what_arrived()), send)

    async def form(scope: Any, receive: Any, send: Any) -> None:
        body = await body_of(receive)
        pairs = parse_qsl(body.decode(), keep_blank_values=True) if current_oauth1_request.is_form else []
        await send_response(as_json(grouped(pairs)), send)

    async def hashed(scope: Any, receive: Any, send: Any) -> None:
        await send_response(as_json({"length": len(await body_of(receive))}), send)

    routes = {
        "/signed": OAuth1Middleware(answer, protector, ["/"], two_legged=True),
        "/form": OAuth1Middleware(form, protector, ["/"]),
        "/hashed": OAuth1Middleware(hashed, protector, ["/"], body_hash_required=True),
        "/read-only": OAuth1Middleware(answer, protector, ["/"], scope="photos.read"),
    }
    everything_else = OAuth1Middleware(echo, protector, ["/"])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await routes.get(scope["path"], everything_else)(scope, receive, send)

    return app


#: What serves the resources, by the names in `tests.frameworks.registry`.
PROVIDERS: dict[str, Resources] = {
    "bare ASGI": on_bare_asgi,
    "FastAPI": on_fastapi,
    "Litestar": on_litestar,
    "Starlette": on_starlette,
}

#: Methods that a framework does not route, signed or not.
UNROUTED = {"Litestar": "PROPFIND"}

#: Attacks that a framework meets before any of our code runs; the page ``docs/frameworks.md`` says how.
ELSEWHERE = {
    ("FastAPI", "test_a_client_that_hangs_up_while_its_form_arrives"),
    ("FastAPI", "test_four_hundred_thousand_parameters_are_refused_unparsed"),
}

# They change the Quart application, read through Quart's request, or count what its protector verifies.
_ABOUT_QUART = frozenset(
    {
        "test_a_body_that_was_already_read_is_not_treated_as_empty",
        "test_a_form_may_have_a_mebibyte",
        "test_a_form_that_does_not_arrive_times_out",
        "test_a_form_that_was_already_read_still_verifies",
        "test_the_authorization_header_may_have_64_kib",
        "test_the_middleware_refuses_a_moved_parameter",
    }
)


def is_about_quart(name: str, fixtures: Collection[str]) -> bool:
    """Whether a test needs Quart: the fixture ``listening`` waits for its start."""
    return name in _ABOUT_QUART or "listening" in fixtures
