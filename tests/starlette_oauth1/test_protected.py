"""`protected` verifies the requests of single endpoints, of every kind that Starlette has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, BaseUser, UnauthenticatedUser, requires
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from async_oauth1 import OAuth1Error, ResourceProtector
from async_oauth1.errors import MissingHookError
from async_oauth1.starlette import OAuth1Middleware, current_credential, protected
from tests.attacks.provider import CLIENT, JANE, Recording
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import call
from tests.starlette_oauth1.conftest import WIDE

HOST = (b"host", b"provider.example")


def unsigned(target: str = "/", method: str = "GET", **how: Any) -> Message:
    """A request without OAuth 1.0."""
    return Message(method=method, target=target.encode(), headers=(HOST, *how.pop("headers", ())), **how)


def tell(request: Request) -> Response:
    """What the request says about its user; a plain function, which Starlette runs in a thread."""
    assert isinstance(request.user, BaseUser)
    assert isinstance(request.auth, AuthCredentials)
    assert bool(current_credential) == bool(getattr(request.user, "credential", None))
    return JSONResponse({"identity": request.user.identity, "scopes": request.auth.scopes})


async def tell_async(request: Request) -> Response:
    """The same as a coroutine."""
    return tell(request)


class Told(HTTPEndpoint):
    """The same as a class, with a plain and an async method."""

    def get(self, request: Request) -> Response:
        """Answer GET and HEAD."""
        return tell(request)

    async def post(self, request: Request) -> Response:
        """Answer POST."""
        return tell(request)


KINDS = pytest.mark.parametrize("endpoint", [tell, tell_async, Told], ids=["plain", "async", "class"])


@KINDS
async def test_every_kind_of_endpoint(protector: ResourceProtector, store: Recording, endpoint: Any) -> None:
    """A signed request has its user; any other is the 401 of Quart, and the endpoint is not called."""
    app = Starlette(routes=[Route("/", protected(protector, "photos.read")(endpoint), methods=["GET", "POST"])])
    message = sign(WIDE, "GET", "/")
    expected = {"identity": "jane", "scopes": ["authenticated", "photos.read", "albums.read"]}
    assert (await call(app, message)).json == expected
    assert (await call(app, sign(CLIENT, "GET", "/"))).status == 400
    for refused in (message, unsigned(), sign(WIDE, "GET", "/", signature=b"x")):
        answer = await call(app, refused)
        assert answer.status == 401
        assert answer.header("www-authenticate") == 'OAuth realm=""'
        assert answer.header("content-type") == "application/json"
        assert answer.header("cache-control") == "no-store"
    assert (await call(app, sign(JANE, "GET", "/"))).status == 403
    assert (await call(app, sign(WIDE, "POST", "/"))).json == expected
    assert (await call(app, sign(WIDE, "HEAD", "/"))).status == 200
    assert (await call(app, sign(WIDE, "HEAD", "/", signed_method="GET"))).status == 401
    assert not current_credential


@KINDS
async def test_two_legged(protector: ResourceProtector, endpoint: Any) -> None:
    """The identity is the client's."""
    app = Starlette(routes=[Route("/", protected(protector, two_legged=True)(endpoint))])
    assert (await call(app, sign(CLIENT, "GET", "/"))).json == {"identity": "client", "scopes": ["authenticated"]}


@KINDS
async def test_optional(protector: ResourceProtector, endpoint: Any) -> None:
    """Without OAuth 1.0 the user is Starlette's unauthenticated one; what is signed must hold."""
    app = Starlette(routes=[Route("/", protected(protector, optional=True)(endpoint), methods=["GET", "POST"])])
    bearer = (b"authorization", b"Bearer x")
    for passing in (unsigned(), unsigned("/?a=b"), unsigned(headers=[bearer]), unsigned(method="POST", body=b"x")):
        assert (await call(app, passing)).json == {"identity": "", "scopes": []}
    message = sign(JANE, "GET", "/")
    assert (await call(app, message)).json["identity"] == "jane"
    bare, token_only = unsigned(headers=[(b"authorization", b"oauth")]), unsigned("/?oauth_token=tok")
    wrong = (message, sign(JANE, "GET", "/", signature=b"x"), sign(CLIENT, "GET", "/"), bare, token_only)
    for refused in wrong:
        assert (await call(app, refused)).status in (400, 401), refused
    form = sign(JANE, "POST", "/", body=b"a=b", place="body")
    assert (await call(app, form)).json["identity"] == "jane"
    assert (await call(app, form)).status == 401


async def test_optional_with_requires(protector: ResourceProtector) -> None:
    """Starlette's own decorator decides whether an unsigned request may pass."""

    @protected(protector, optional=True)
    @requires("authenticated")
    async def photos(request: Request) -> Response:
        return tell(request)

    async def anonymous(request: Request) -> Response:
        return PlainTextResponse(str(isinstance(request.user, UnauthenticatedUser)))

    routes = [Route("/", photos), Route("/anonymous", protected(protector, optional=True)(anonymous))]
    app = Starlette(routes=routes)
    assert (await call(app, unsigned())).status == 403
    assert (await call(app, sign(JANE, "GET", "/"))).json["identity"] == "jane"
    assert (await call(app, unsigned("/anonymous"))).body == b"True"


def say(connection: HTTPConnection, error: OAuth1Error) -> Response:
    """A response of the application's own."""
    return PlainTextResponse(f"{connection.url.path} {error.error}", status_code=499)


@KINDS
async def test_on_error(protector: ResourceProtector, endpoint: Any) -> None:
    """The application makes the response, as with Starlette's AuthenticationMiddleware."""
    app = Starlette(routes=[Route("/", protected(protector, on_error=say)(endpoint))])
    answer = await call(app, unsigned())
    assert (answer.status, answer.body) == (499, b"/ unsigned_request")
    wrapped = Starlette(
        routes=[Route("/", endpoint)],
        middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/"], on_error=say)],
    )
    answer = await call(wrapped, unsigned())
    assert (answer.status, answer.body) == (499, b"/ unsigned_request")
    assert (await call(wrapped, sign(JANE, "GET", "/"))).json["identity"] == "jane"


async def test_one_verification_for_several_layers(protector: ResourceProtector, store: Recording) -> None:
    """Middleware, mounts and endpoints of one protector use one nonce; each checks what it demands more."""
    inner = Mount("/inner", routes=[Route("/", protected(protector, "albums.read")(tell))])
    app = Starlette(
        routes=[inner], middleware=[Middleware(OAuth1Middleware, protector=protector, prefixes=["/"], two_legged=True)]
    )
    assert (await call(app, sign(WIDE, "GET", "/inner/"))).status == 200
    assert store.calls["exists_nonce"] == 1
    assert (await call(app, sign(JANE, "GET", "/inner/"))).status == 403
    assert (await call(app, sign(CLIENT, "GET", "/inner/"))).status == 400


async def test_a_protected_class_stays_protected_in_a_subclass(protector: ResourceProtector) -> None:
    """Even if the subclass dispatches on its own, or is protected once more."""

    class Below(protected(protector)(Told)):  # type: ignore[misc]  # a base that is made by a call
        async def dispatch(self) -> None:
            await PlainTextResponse("own")(self.scope, self.receive, self.send)

    narrower: Any = protected(protector, "albums.read")(Below)
    app = Starlette(routes=[Route("/below", Below), Route("/narrower", narrower)])
    assert (await call(app, unsigned("/below"))).status == 401
    assert (await call(app, sign(JANE, "GET", "/below"))).body == b"own"
    assert (await call(app, sign(JANE, "GET", "/narrower"))).status == 403
    assert (await call(app, sign(WIDE, "GET", "/narrower"))).body == b"own"
    assert (narrower.__name__, narrower.__module__) == ("Below", __name__)


async def test_missing_hooks_are_named_at_the_first_request() -> None:
    """Nothing is open meanwhile."""
    app = Starlette(routes=[Route("/", protected(ResourceProtector())(tell))])
    with pytest.raises(MissingHookError, match=r"query_client.*query_token.*exists_nonce"):
        await call(app, sign(JANE, "GET", "/"))


def test_what_cannot_be_protected() -> None:
    """A class that Starlette does not dispatch is refused at once."""
    anything: Any = dict
    with pytest.raises(TypeError, match="HTTPEndpoint and WebSocketEndpoint classes, not <class 'dict'>"):
        protected(ResourceProtector())(anything)


BODY = bytes(range(256)) * 20
MODES = pytest.mark.parametrize("how", [{}, {"memory_limit": 10}, {"early": True}], ids=["memory", "file", "early"])


def upload(*, claimed: bytes = BODY) -> Message:
    """A POST with a hash."""
    return sign(JANE, "POST", "/", body=BODY, content_type=b"text/plain", oauth={"body_hash": body_hash(claimed)})


async def whole(request: Request) -> Response:
    """Return the body."""
    return Response(await request.body())


async def streamed(request: Request) -> Response:
    """Return the body while it arrives, after the endpoint itself has returned."""
    return StreamingResponse(request.stream())


@MODES
@pytest.mark.parametrize("endpoint", [whole, streamed])
async def test_hashed_bodies(protector: ResourceProtector, endpoint: Callable[..., Any], how: dict[str, Any]) -> None:
    """The endpoint gets the body, from memory or a file, or while it arrives."""
    app = Starlette(routes=[Route("/", protected(protector, **how)(endpoint), methods=["POST"])])
    pieces = [BODY[start : start + 1000] for start in range(0, len(BODY), 1000)]
    newer = {"version": "3.0", "spec_version": "2.4"}  # with older ones, Starlette itself receives beside the stream
    assert (await call(app, upload(), pieces=pieces, asgi=newer)).body == BODY
    if endpoint is whole or not how.get("early"):
        assert (await call(app, upload(claimed=b"other"), pieces=pieces)).status == 401


async def test_a_body_is_required_to_be_hashed(protector: ResourceProtector) -> None:
    """As with the decorator of Quart."""
    app = Starlette(routes=[Route("/", protected(protector, body_hash_required=True)(whole), methods=["POST"])])
    answer = await call(app, sign(JANE, "POST", "/", body=BODY, content_type=b"text/plain"))
    assert (answer.status, answer.error) == (400, "missing_required_parameter")
    assert (await call(app, upload())).body == BODY
