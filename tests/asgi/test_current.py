"""The proxies find the request that is being handled: in helpers, in threads, in every framework."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import async_oauth1.quart
from async_oauth1 import ResourceProtector, TokenCredential
from async_oauth1 import asgi as oauth1
from async_oauth1.asgi import OAuth1Middleware, current_client, current_credential, current_oauth1_request
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import sign
from tests.attacks.wire import call


def who() -> dict[str, Any]:
    """A helper that is given nothing."""
    return {
        "client": current_client.client_id,
        "user": current_credential.user_id if current_credential else None,
        "nonce": current_oauth1_request.nonce,
    }


def plain(_: Request) -> JSONResponse:
    """Starlette runs a plain function in a thread."""
    return JSONResponse(who())


async def asynchronous(_: Request) -> JSONResponse:
    """A coroutine that asks in a thread of its own."""
    await asyncio.sleep(0)
    return JSONResponse(await asyncio.to_thread(who))


@pytest.fixture
async def app() -> Any:
    """An application behind the middleware, with a middleware that handles requests in another task."""
    protector = ResourceProtector()
    protector.register_hooks(await make_store())
    routes = [Route("/plain", plain), Route("/async", asynchronous)]
    starlette = Starlette(routes=routes)

    async def passing(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    return OAuth1Middleware(BaseHTTPMiddleware(starlette, passing), protector, ["/"], two_legged=True)


@pytest.mark.parametrize("path", ["/plain", "/async"])
async def test_they_work_in_coroutines_and_threads(app: Any, path: str) -> None:
    """Fifty requests at the same time see their own credentials."""
    messages = [
        sign(JANE if number % 2 else CLIENT, "GET", path, oauth={"nonce": f"n-{path}-{number}"}) for number in range(50)
    ]
    answers = await asyncio.gather(*[call(app, message) for message in messages])
    for number, answer in enumerate(answers):
        assert answer.json == {
            "client": "client",
            "user": "jane" if number % 2 else None,
            "nonce": f"n-{path}-{number}",
        }


def test_quarts_are_the_same_objects() -> None:
    """A helper may import them from either place."""
    for name in ("current_client", "current_credential", "current_oauth1_request"):
        assert getattr(async_oauth1.quart, name) is getattr(oauth1, name)


async def test_outside_of_a_handler_they_are_false(app: Any) -> None:
    """Before and after a request there is nothing, and an attribute says so."""
    assert (await call(app, sign(JANE, "GET", "/async"))).status == 200
    assert not current_client
    assert not current_credential
    assert not current_oauth1_request
    with pytest.raises(
        AttributeError, match="current_credential has no 'user_id': no verified request is being handled"
    ):
        _ = current_credential.user_id


async def test_a_proxy_looks_like_its_object() -> None:
    """Comparison, class, copying and text are those of the object behind it."""
    store = await make_store()
    seen: list[Any] = []

    async def view(scope: Any, receive: Any, send: Any) -> None:
        found: TokenCredential = scope["async_oauth1.verified"].request.credential
        seen.append(isinstance(current_credential, TokenCredential))
        seen.append(current_credential == found)
        seen.append(copy.copy(current_credential) is found and copy.deepcopy(current_client).client_id == "client")
        seen.append(repr(current_credential) == repr(found) and str(current_credential) == str(found))
        seen.append("user_id" in dir(current_credential) and hash(current_oauth1_request) != 0)
        current_oauth1_request.user = "jane"
        seen.append(scope["async_oauth1.verified"].request.user == "jane")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    protector = ResourceProtector()
    protector.register_hooks(store)
    assert (await call(OAuth1Middleware(view, protector, ["/"]), sign(JANE, "GET", "/"))).status == 204
    assert seen == [True] * 6


def test_a_protector_is_never_copied() -> None:
    """A copy would have forgotten the nonces; frameworks copy what their routers refer to."""
    protector = ResourceProtector()
    assert copy.deepcopy({"protector": protector})["protector"] is protector
