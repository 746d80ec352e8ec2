"""Handshakes of WebSockets are verified: behind the middleware and on Quart, under real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import websockets.asyncio.client
from quart import Quart, websocket
from websockets.exceptions import InvalidStatus

import async_oauth1.quart
from async_oauth1 import Policy, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, current_credential
from tests.asgi.serving import SERVERS, serving
from tests.asgi.test_cors import make_store
from tests.attacks.provider import CLIENT, JANE
from tests.attacks.signer import Keys, Message, body_hash, sign
from tests.attacks.sockets import talk_h2
from tests.attacks.wire import scope_of


async def greet(scope: Any, receive: Any, send: Any) -> None:
    """Accept a WebSocket, and say to which user it belongs."""
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan")
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": await asyncio.to_thread(current_credential.get_user_id)})
    await send({"type": "websocket.close", "code": 1000})


async def behind_the_middleware(**how: Any) -> Any:
    """A bare application behind the middleware."""
    protector = ResourceProtector(policy=how.pop("policy", None))
    protector.register_hooks(await make_store())
    return OAuth1Middleware(greet, protector, ["/"], **how)


async def on_quart(**how: Any) -> Any:
    """A Quart application with a protected WebSocket."""
    app = Quart("sockets")
    require_oauth = async_oauth1.quart.ResourceProtector(app, policy=how.pop("policy", None))
    require_oauth.register_hooks(await make_store())

    @app.websocket("/")
    @require_oauth(**how)
    async def socket() -> None:
        await websocket.accept()
        await websocket.send(current_credential.get_user_id())

    @app.websocket("/acquired")
    async def acquiring() -> None:
        await require_oauth.acquire_credential()
        await websocket.send(current_credential.get_user_id())

    return app


APPS = pytest.mark.parametrize("make", [behind_the_middleware, on_quart])


def handshake(keys: Keys, port: int, *, scheme: str = "http", target: str = "/", **how: Any) -> Message:
    """A signed handshake; the signature is over an address with this scheme."""
    origin = f"http://127.0.0.1:{port}"
    return sign(keys, "GET", target, origin=origin, signed_origin=f"{scheme}://127.0.0.1:{port}", **how)


async def connect(port: int, message: Message) -> str:
    """Send a handshake, and return what the application says."""
    headers = {name.decode(): value.decode() for name, value in message.headers if name != b"host"}
    url = f"ws://127.0.0.1:{port}{message.target.decode()}"
    async with websockets.asyncio.client.connect(url, additional_headers=headers, proxy=None) as connection:
        return str(await connection.recv())


@APPS
@pytest.mark.parametrize("server", SERVERS)
async def test_a_handshake_under_a_real_server(make: Any, server: str) -> None:
    """Signed over http or ws it is accepted once; unsigned, forged and replayed ones get the 401 of any request."""
    async with serving(await make(), server) as port:
        accepted = [handshake(JANE, port, scheme=scheme) for scheme in ("http", "ws")]
        assert [await connect(port, message) for message in accepted] == ["jane", "jane"]
        wrong = [*accepted, handshake(JANE, port).without(b"authorization"), handshake(JANE, port, signature=b"x"),
                 handshake(JANE, port, scheme="wss"), handshake(JANE, port, scheme="https"),
                 handshake(JANE, port, signed_method="POST")]  # fmt: skip
        for refused in wrong:
            with pytest.raises(InvalidStatus) as refusal:
                await connect(port, refused)
            response = refusal.value.response
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == 'OAuth realm=""'
            assert response.headers["content-type"] == "application/json"
            assert b'"error"' in (response.body or b"")


@APPS
async def test_a_handshake_over_http_2(make: Any) -> None:
    """There it is a CONNECT on the wire (RFC 8441), and signed as a GET."""
    async with serving(await make(), "hypercorn") as port:
        for scheme, status in (("http", b"200"), ("ws", b"200"), ("https", b"401")):
            message = handshake(JANE, port, scheme=scheme)
            answer = await talk_h2(port, over_http_2(port, message))
            assert answer[b":status"] == status, scheme
            assert (await talk_h2(port, over_http_2(port, message)))[b":status"] == b"401"


def over_http_2(port: int, message: Message) -> list[tuple[bytes, bytes]]:
    """The header fields of a handshake."""
    authority = f"127.0.0.1:{port}".encode()
    pseudo = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), (b":scheme", b"http"), (b":path", message.target)]
    fields = [(name, value) for name, value in message.headers if name != b"host"]
    return [*pseudo, (b":authority", authority), (b"sec-websocket-version", b"13"), *fields]


async def test_on_quart_without_the_decorator() -> None:
    """`acquire_credential` works in the handler, and its error is the answer."""
    async with serving(await on_quart(), "uvicorn-h11") as port:
        assert await connect(port, handshake(JANE, port, target="/acquired")) == "jane"
        with pytest.raises(InvalidStatus, match="401"):
            await connect(port, handshake(JANE, port, target="/acquired", signature=b"x"))


class Connection:
    """A handshake without a server, and what the application sends."""

    def __init__(self, app: Any) -> None:
        """Send nothing yet."""
        self.app = app
        self.sent: list[Any] = []

    async def open(self, message: Message, **changes: Any) -> list[str]:
        """Send a handshake, and return the kinds of messages that the application sends."""
        self.sent.clear()
        events = iter([{"type": "websocket.connect"}])

        async def receive() -> Any:
            event = next(events, None)
            if event is None:
                await asyncio.Event().wait()
            return event

        async def send(event: Any) -> None:
            self.sent.append(event)

        scope = {**scope_of(message), "type": "websocket", "scheme": "wss", "subprotocols": [], **changes}
        del scope["method"]
        await self.app(scope, receive, send)
        return [event["type"] for event in self.sent]


ACCEPTED = "websocket.accept"


@APPS
@pytest.mark.parametrize("target", ["/", "/acquired"])
async def test_without_the_extension_a_refusal_is_a_close(make: Any, target: str) -> None:
    """Its code is 1008, for which servers answer 403."""
    connection = Connection(await make())
    assert await connection.open(sign(JANE, "GET", target, signature=b"x")) == ["websocket.close"]
    assert connection.sent[0]["code"] == 1008


@APPS
async def test_what_the_signature_may_be_over(make: Any) -> None:
    """On a connection over TLS it is https or wss, and nothing else; HTTP requests know no ws."""
    connection = Connection(await make())
    for origin in ("https://provider.example", "wss://provider.example"):
        assert ACCEPTED in await connection.open(sign(JANE, "GET", "/", signed_origin=origin))
    for origin in ("http://provider.example", "ws://provider.example"):
        assert ACCEPTED not in await connection.open(sign(JANE, "GET", "/", signed_origin=origin))
    seen: list[Any] = []

    async def send(event: Any) -> None:
        seen.append(event)

    message = sign(JANE, "GET", "/", signed_origin="wss://provider.example")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    app = await behind_the_middleware()
    await app(scope_of(message), receive, send)
    assert seen[0]["status"] == 401


@APPS
async def test_a_proxy_that_says_wss(make: Any) -> None:
    """From a trusted proxy it means https; from any other peer it means nothing."""
    policy = Policy(trusted_proxies=("203.0.113.0/24",))
    connection = Connection(await make(policy=policy))
    headers = [(b"x-forwarded-proto", b"wss")]
    for origin in ("https://provider.example", "wss://provider.example"):
        message = sign(JANE, "GET", "/", signed_origin=origin, headers=headers)
        assert ACCEPTED in await connection.open(message, scheme="ws")
    message = sign(JANE, "GET", "/", headers=headers)
    assert ACCEPTED not in await connection.open(message, scheme="ws", client=("198.51.100.9", 4000))


@APPS
async def test_plain_http_is_refused(make: Any) -> None:
    """Over ws from another machine nothing is accepted, whatever the signature is over."""
    connection = Connection(await make())
    for origin in ("http://provider.example", "ws://provider.example"):
        message = sign(JANE, "GET", "/", signed_origin=origin)
        assert ACCEPTED not in await connection.open(message, scheme="ws")


@APPS
async def test_a_token_is_demanded(make: Any) -> None:
    """A client's own signature is not enough; a hash must be that of no body, also with early delivery."""
    connection = Connection(await make())
    assert ACCEPTED not in await connection.open(sign(CLIENT, "GET", "/"))
    digest = body_hash(b"")
    assert ACCEPTED in await connection.open(sign(JANE, "GET", "/", oauth={"body_hash": digest}))
    assert ACCEPTED not in await connection.open(sign(JANE, "GET", "/", oauth={"body_hash": body_hash(b"x")}))
    early = Connection(await behind_the_middleware(early=True))
    assert ACCEPTED in await early.open(sign(JANE, "GET", "/", oauth={"body_hash": digest}), http_version="2")
    assert ACCEPTED not in await early.open(
        sign(JANE, "GET", "/", oauth={"body_hash": body_hash(b"x")}), http_version="2"
    )


async def test_a_parameter_in_the_query() -> None:
    """Browsers cannot send an Authorization field with a handshake, so the signature may be in the query."""
    connection = Connection(await behind_the_middleware())
    assert ACCEPTED in await connection.open(sign(JANE, "GET", "/?a=%20b", place="query"))
