"""Bodies on Litestar: octets are verified as they arrive, and the handler reads them as it likes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from litestar import Litestar, Request, Router, post, put

from async_oauth1.litestar import OAuth1Auth, requires_oauth1
from tests.asgi.serving import SERVERS, serving
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.sockets import request_octets, talk
from tests.attacks.wire import call

from .site import make_protector, protected_site

FORM = b"name=J%C3%A4ne+Doe&note=a%2Bb&empty="
JSON = b'{"a": [1, 2]}'


@post("/form")
async def form(request: Request[Any, Any, Any]) -> list[list[str]]:
    """The fields, as Litestar parses them."""
    return [[name, str(value)] for name, value in (await request.form()).multi_items()]


@post("/json")
async def json(request: Request[Any, Any, Any]) -> Any:
    """The body, as Litestar decodes it."""
    return await request.json()


@put("/stream")
async def stream(request: Request[Any, Any, Any]) -> int:
    """The length of a body that is read in pieces."""
    return sum([len(piece) async for piece in request.stream()])


def put_signed(body: bytes, claimed: bytes | None = None, **how: Any) -> Message:
    """A PUT with a hash, by default of this body."""
    digest = body_hash(body if claimed is None else claimed)
    return sign(JANE, "PUT", "/stream", body=body, content_type=b"text/plain", oauth={"body_hash": digest}, **how)


async def test_a_form() -> None:
    """Its octets are signed, and the handler gets its fields."""
    app = await protected_site(form)
    answer = await call(app, sign(JANE, "POST", "/form", body=FORM))
    assert {tuple(pair) for pair in answer.json} == {*parse_qsl(FORM.decode(), keep_blank_values=True)}
    pieces = [FORM[:7], FORM[7:]]
    assert (await call(app, sign(JANE, "POST", "/form", body=FORM), pieces=pieces)).status == 201
    assert (await call(app, sign(JANE, "POST", "/form", body=FORM, signed_body=b"name=other"))).status == 401


@pytest.mark.parametrize("reads", ["body", "form"])
async def test_a_form_that_other_middleware_has_read(reads: str) -> None:
    """Litestar keeps its octets, and they are what is verified."""

    def reading(app: Any) -> Any:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            await getattr(Request(scope, receive, send), reads)()
            await app(scope, receive, send)

        return serve

    protector, _ = await make_protector()
    router = Router("/", route_handlers=[form], middleware=[reading, OAuth1Auth(protector).middleware])
    app = Litestar([router])
    assert (await call(app, sign(JANE, "POST", "/form", body=FORM))).status == 201
    assert (await call(app, sign(JANE, "POST", "/form", body=FORM, signed_body=b""))).status == 401


async def test_json() -> None:
    """Its hash protects it."""
    app, how = await protected_site(json), {"body": JSON, "content_type": b"application/json"}
    good: Any = {**how, "oauth": {"body_hash": body_hash(JSON)}}
    bad: Any = {**how, "oauth": {"body_hash": body_hash(b"{}")}}
    assert (await call(app, sign(JANE, "POST", "/json", **good))).json == {"a": [1, 2]}
    assert (await call(app, sign(JANE, "POST", "/json", **bad))).status == 401
    assert (await call(app, sign(JANE, "POST", "/json", **how))).status == 201  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{}, {"memory_limit": 100}, {"early": True}], ids=["in memory", "in a file", "early"])
@pytest.mark.parametrize("server", SERVERS)
async def test_a_streamed_body(server: str, how: dict[str, Any]) -> None:
    """Under a real server, in both modes: the right hash is accepted, and the wrong one is a 401."""
    app = await protected_site(stream, **how)
    body = bytes(300_000)
    async with serving(app, server) as port:
        origin = f"http://127.0.0.1:{port}"
        answer = await talk(port, request_octets(put_signed(body, origin=origin)))
        assert (answer.status, answer.body) == (200, b"300000")
        assert (await talk(port, request_octets(put_signed(body, b"other", origin=origin)))).status == 401


@pytest.mark.parametrize("early", [True, False])
async def test_a_handler_that_asked_for_safety_has_seen_nothing(early: bool) -> None:
    """With a wrong hash it is not called; with ``early`` it is, and gets all but the end. A guard may say so."""
    seen: list[bytes] = []

    @put("/stream", guards=[requires_oauth1(early=early)])
    async def view(request: Request[Any, Any, Any]) -> None:
        seen.append(b"")
        async for piece in request.stream():
            seen.append(piece)  # noqa: PERF401 - what has arrived before an error counts

    message = put_signed(b"one two", b"other")
    answer = await call(await protected_site(view), message, pieces=[b"one ", b"two"])
    assert answer.status == 401
    assert (b"".join(seen), bool(seen)) == ((b"one ", True) if early else (b"", False))


async def test_a_body_that_is_larger_than_litestar_reads() -> None:
    """Its 413 stays for the handler; ``request_max_body_size=None`` and ``max_body_bytes`` are the limits to set."""
    protector, _ = await make_protector()
    auth, body = OAuth1Auth(protector), bytes(2_000)
    app = Litestar([stream], on_app_init=[auth.on_app_init], request_max_body_size=1_000)
    assert (await call(app, put_signed(body))).status == 413
    app = Litestar([stream], on_app_init=[auth.on_app_init], request_max_body_size=None)
    assert (await call(app, put_signed(body))).json == 2_000
    limited = OAuth1Auth(protector, max_body_bytes=1_000)
    app = Litestar([stream], on_app_init=[limited.on_app_init], request_max_body_size=None)
    answer = await call(app, put_signed(body))
    assert (answer.status, answer.error) == (413, "request_too_large")
