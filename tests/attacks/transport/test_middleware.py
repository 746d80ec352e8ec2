"""The middleware refuses the same requests as the decorators, and a request is verified only once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, TemporaryCredential
from async_oauth1.asgi import LingeringMiddleware, OAuth1Middleware
from async_oauth1.errors import StoreUnavailableError
from tests.attacks.provider import CLIENT, EVERY_METHOD, JANE, OTHER, Provider, make_provider
from tests.attacks.signer import FORM, Message, sign
from tests.attacks.wire import PATIENCE, call, scope_of

HOST = (b"host", b"provider.example")
PREFIXES = ("/echo", "/form", "/hashed", "/read-only", "/open")


class Gate:
    """Count the requests that reach the framework."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.passed = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed += 1
        await self.app(scope, receive, send)


@pytest.fixture
async def guarded() -> Provider:
    """A provider behind the middleware, with a request counter and a view that has no decorator."""
    provider = await make_provider()

    @provider.app.route("/open", methods=["GET", "POST"])
    async def unprotected() -> dict[str, Any]:
        from quart import request

        scope: Any = request.scope
        return {"user": scope["async_oauth1.verified"].request.credential.user_id, "form": await request.form}

    gate = Gate(provider.app.asgi_app)
    guard(provider, gate)
    provider.seen = [gate]
    return provider


def guard(provider: Provider, app: Any, **how: Any) -> OAuth1Middleware:
    """Put the middleware in front of an application."""
    middleware = OAuth1Middleware(app, provider.require_oauth, PREFIXES, **how)
    provider.app.asgi_app = middleware  # type: ignore[assignment, method-assign]
    return middleware


def passed(provider: Provider) -> int:
    """The number of requests that reached Quart."""
    gate: Gate = provider.seen[0]
    return gate.passed


def messages() -> Iterator[tuple[str, Message]]:
    """Valid requests of every kind."""
    body = b'{"a": 1}'
    digest = base64.b64encode(hashlib.sha1(body).digest()).decode()
    yield "header", sign(JANE, "GET", "/echo?a=1&a=%FF")
    yield "query", sign(JANE, "GET", "/echo?a=1", place="query")
    yield "form", sign(JANE, "POST", "/form", body=b"a=1&a=2&b=%FE")
    yield "signed form", sign(JANE, "POST", "/form", body=b"a=1&a=2", place="body")
    yield "body", sign(JANE, "PUT", "/hashed", body=body, content_type=b"application/json", oauth={"body_hash": digest})
    yield "options", sign(JANE, "OPTIONS", "/echo")


async def test_good_requests_pass_and_look_the_same(guarded: Provider) -> None:
    """The view gets the same as without the middleware, including forms and bodies, and the nonce is used once."""
    plain = await make_provider()
    for count, (name, message) in enumerate(messages(), start=1):
        answer = await guarded.send(message)
        assert answer.status == 200, (name, answer)
        assert answer.body == (await plain.send(message)).body, name
        assert guarded.store.calls["exists_nonce"] == count
        assert passed(guarded) == count


async def test_bad_requests_never_reach_the_framework(guarded: Provider) -> None:
    """The response is identical to the decorator's."""
    plain = await make_provider()
    now = time.time()
    for provider in (guarded, plain):
        provider.require_oauth.clock = lambda: now  # a refused timestamp is answered with the time
    good = sign(JANE, "GET", "/echo")
    bad = [
        Message(method="GET", target=b"/echo", headers=(HOST,)),
        Message(method="GET", target=b"/echo", headers=(HOST, (b"authorization", b"Bearer x"))),
        Message(method="GET", target=b"/echo?oauth_token=%FF", headers=good.headers),
        Message(method="GET", target=b"/echo/other", headers=good.headers),
        Message(method="GET", target=b"/echo", headers=(*good.headers, (b"content-type", FORM)), body=b"a=1"),
        Message(method="GET", target=b"/echo?" + b"&".join([b"a"] * 2_000), headers=good.headers),
        sign(JANE, "GET", "/echo", oauth={"timestamp": "1"}),
        sign(OTHER, "GET", "/echo", oauth={"token": "tok"}),
        *(Message(method=method, target=b"/echo", headers=(HOST,)) for method in EVERY_METHOD),
    ]
    for message in bad:
        refused, by_decorator = await guarded.send(message), await plain.send(message)
        assert refused.status in (400, 401)
        assert refused.status == by_decorator.status, message
        if message.method != "HEAD":
            assert refused.body == by_decorator.body
        assert refused.header("www-authenticate") == by_decorator.header("www-authenticate")
    assert passed(guarded) == 0
    assert not guarded.store.written


async def test_a_request_is_accepted_once(guarded: Provider) -> None:
    """Of twenty concurrent copies one is accepted."""
    message = sign(JANE, "GET", "/echo")
    answers = await asyncio.gather(*(guarded.send(message) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    assert passed(guarded) == 1


@pytest.mark.parametrize("target", ["/echo", "/echo/", "/echo/a/b", "/%65cho", "/echo%2Fa", "/echo;x"])
async def test_no_spelling_of_a_path_reaches_a_protected_view(guarded: Provider, target: str) -> None:
    """Paths that the framework would route to a protected view are refused by the middleware or by the decorator."""
    answer = await guarded.send(Message(method="GET", target=target.encode(), headers=(HOST,)))
    assert answer.status in (401, 404)
    if target in ("/echo", "/echo/", "/echo/a/b", "/%65cho", "/echo%2Fa"):
        assert (answer.status, passed(guarded)) == (401, 0)


@pytest.mark.parametrize(
    ("target", "root_path"),
    [
        ("//open", ""),
        ("///open", ""),
        ("http://provider.example/open", ""),
        ("https://provider.example//open", ""),
        ("/siteopen", "/site"),
        ("/site//open", "/site"),
        ("/site/open", "/site/"),
        ("/open", "/op"),
    ],
)
async def test_no_spelling_of_a_path_reaches_a_view_without_a_decorator(
    guarded: Provider, target: str, root_path: str
) -> None:
    """Frameworks route all of these to ``/open``, which only the middleware protects."""
    unsigned = Message(method="GET", target=target.encode(), headers=(HOST,))
    assert (await guarded.send(unsigned, root_path=root_path)).status == 401
    assert passed(guarded) == 0


@pytest.mark.parametrize(("target", "status"), [("http://other.example/open", 421), ("open", 400)])
async def test_a_target_of_another_server_is_refused(guarded: Provider, target: str, status: int) -> None:
    """Another authority is answered with 421, and a target that is neither a path nor a URL with 400."""
    assert (await guarded.send(Message(method="GET", target=target.encode(), headers=(HOST,)))).status == status
    assert passed(guarded) == 0


async def test_prefixes_are_below_the_root_path_of_the_server(guarded: Provider) -> None:
    """If the server has a root path, the paths of the prefixes start after it."""
    unsigned = Message(method="GET", target=b"/site/echo", headers=(HOST,))
    assert (await guarded.send(unsigned, root_path="/site")).status == 401
    assert passed(guarded) == 0


async def test_a_prefix_ends_at_a_slash(guarded: Provider) -> None:
    """``/echo`` does not cover ``/echoes``; the middleware leaves other routes to the application."""
    assert (await guarded.send(Message(method="GET", target=b"/echoes", headers=(HOST,)))).status == 404
    assert (await guarded.send(Message(method="GET", target=b"/signed", headers=(HOST,)))).status == 401
    assert (await guarded.get("/signed", keys=CLIENT)).status == 200
    assert passed(guarded) == 3


async def test_a_view_without_a_decorator_is_protected_too(guarded: Provider) -> None:
    """The scope has its client and credential, and it can still read the form."""
    assert (await guarded.send(Message(method="GET", target=b"/open", headers=(HOST,)))).status == 401
    assert (await guarded.get("/open", method="POST", body=b"a=1")).json == {"user": "jane", "form": {"a": "1"}}


async def test_further_requirements_of_a_route_are_checked(guarded: Provider) -> None:
    """If the request is verified already, the decorator still requires the scope, a signed body or a token."""
    assert (await guarded.get("/read-only")).status == 200
    approved = TemporaryCredential(
        oauth_token="t2", oauth_token_secret="s", client_id="client", oauth_callback="oob", user_id="jane"
    )
    token = {"oauth_token": "narrow", "oauth_token_secret": "toksecret", "scope": "albums.read"}
    await guarded.store.store.create_token_credential(token, approved)
    narrow = replace(JANE, token="narrow")
    assert (await guarded.get("/read-only", keys=narrow)).error == "insufficient_scope"
    unhashed = await guarded.get("/hashed", method="PUT", body=b"{}", content_type=b"application/json")
    assert (unhashed.status, unhashed.error) == (400, "missing_required_parameter")


async def test_a_three_legged_view_behind_two_legged_middleware() -> None:
    """The middleware accepts a client's signature without a token, and the view refuses it."""
    provider = await make_provider()
    provider.app.asgi_app = OAuth1Middleware(  # type: ignore[assignment, method-assign]
        provider.app.asgi_app, provider.require_oauth, ["/"], two_legged=True
    )
    assert (await provider.get("/signed", keys=CLIENT)).json["user"] is None
    assert (await provider.get("/echo", keys=CLIENT)).error == "missing_required_parameter"
    assert (await provider.get("/echo")).json["user"] == "jane"


async def test_another_protector_verifies_again(guarded: Provider) -> None:
    """The view of another protector verifies the request by that protector's rules."""
    other = await make_provider()
    guard(guarded, other.app.asgi_app)
    assert (await guarded.get("/echo")).status == 200
    assert other.store.calls["exists_nonce"] == 1


@pytest.mark.parametrize(("piece", "status", "most"), [(b"a" * 64 * 1024, 413, 18), (b"a&" * 600, 400, 3)])
async def test_forms_that_are_too_large_are_not_received(
    guarded: Provider, piece: bytes, status: int, most: int
) -> None:
    """Reading stops at the piece that exceeds the limit of octets or of parameters."""
    taken: list[int] = []

    async def receive() -> Any:
        taken.append(1)
        return {"type": "http.request", "body": piece, "more_body": len(taken) < 1_000}

    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    message = Message(method="POST", target=b"/echo", headers=(HOST, (b"content-type", FORM)))
    await guarded.app.asgi_app(scope_of(message), receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == status
    assert len(taken) <= most
    assert passed(guarded) == 0


async def test_a_body_that_stops_arriving(guarded: Provider) -> None:
    """After a configurable time the middleware answers with 408."""
    guard(guarded, guarded.app.asgi_app, body_timeout=0.01)
    message = Message(method="POST", target=b"/echo", headers=(HOST, (b"content-type", FORM)))
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    async with asyncio.timeout(PATIENCE):
        await guarded.app.asgi_app(scope_of(message), receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 408


async def test_a_client_that_disconnects_is_not_answered(guarded: Provider) -> None:
    """If the form is incomplete, nothing is verified, stored or sent."""
    message = Message(method="POST", target=b"/echo", headers=(HOST, (b"content-type", FORM)))
    events = iter([{"type": "http.request", "body": b"a=", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(events)

    async def send(event: Any) -> None:
        sent.append(event)

    await guarded.app.asgi_app(scope_of(message), receive, send)  # type: ignore[arg-type]
    assert not sent
    assert passed(guarded) == 0
    assert not guarded.store.calls


async def test_a_body_over_the_limit_is_not_hashed(guarded: Provider) -> None:
    """A request with a body hash is refused as soon as its body exceeds the limit."""
    guard(guarded, guarded.app.asgi_app, max_body_bytes=4)
    digest = base64.b64encode(hashlib.sha1(b"12345").digest()).decode()
    how = {"method": "PUT", "content_type": b"text/plain", "oauth": {"body_hash": digest}}
    assert (await guarded.get("/hashed", body=b"12345", **how)).status == 413


async def test_the_end_of_a_body_still_follows(guarded: Provider) -> None:
    """After the body that the middleware has read, the application receives ``http.disconnect`` from the server."""
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    guard(guarded, app)
    message = sign(JANE, "POST", "/form", body=b"a=1")
    events = iter([{"type": "http.request", "body": b"a=1", "more_body": False}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(events)

    await guarded.app.asgi_app(scope_of(message), receive, None)  # type: ignore[arg-type]
    assert heard == ["http.request", "http.disconnect"]


async def test_a_store_that_is_down(guarded: Provider) -> None:
    """The answer is 503 with Retry-After, and the framework is not called."""

    async def fail(*_: Any) -> Any:
        raise StoreUnavailableError

    guarded.require_oauth.register_hook("exists_nonce", fail)
    answer = await guarded.get("/echo")
    assert (answer.status, answer.header("retry-after"), passed(guarded)) == (503, "1", 0)


async def test_unsigned_websockets_are_refused_and_lifespan_events_are_passed_on(guarded: Provider) -> None:
    """A WebSocket under a prefix needs a signed handshake; others and other scopes are passed on."""
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    kinds: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kinds.append(scope["type"])

    middleware = OAuth1Middleware(app, guarded.require_oauth, ["/echo"])
    for path in ("/echo", "//echo", "http://provider.example/echo", "/chat"):
        await middleware({"type": "websocket", "path": path}, None, send)
    await middleware({"type": "lifespan"}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}] * 3
    assert kinds == ["websocket", "lifespan"]


async def test_a_refusal_does_not_wait_for_the_body(guarded: Provider) -> None:
    """Inside the middleware that drains bodies after a 413, an unsigned GET is answered at once."""
    lingering: Any = LingeringMiddleware(guarded.app.asgi_app, pause=PATIENCE, longest=PATIENCE)
    answer = await call(lingering, Message(method="GET", target=b"/echo", headers=(HOST,)))
    assert answer.status == 401


@pytest.mark.parametrize(("prefixes", "error"), [("/echo", TypeError), (["echo"], ValueError), ([""], ValueError)])
async def test_invalid_prefixes_are_refused(guarded: Provider, prefixes: Any, error: type[Exception]) -> None:
    """A single string would be read as a list of letters, and a path starts with a slash."""
    with pytest.raises(error):
        OAuth1Middleware(guarded.app, guarded.require_oauth, prefixes)


async def test_acquire_credential_uses_the_middlewares_verification(guarded: Provider) -> None:
    """Calling ``acquire_credential`` in the view, even twice, does not use the nonce again."""

    @guarded.app.get("/open/own")
    async def own() -> dict[str, Any]:
        try:
            first = await guarded.require_oauth.acquire_credential()
            return {"same": first is await guarded.require_oauth.acquire_credential("photos.read")}
        except OAuth1Error as error:
            return {"error": error.error}

    assert (await guarded.get("/open/own")).json == {"same": True}
