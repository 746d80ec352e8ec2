"""Bodies that FastAPI reads before the dependencies, and bodies that the endpoint reads after them."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

import hashlib
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, File, Form, Request, Security, UploadFile
from pydantic import BaseModel

from async_oauth1 import Policy, TokenCredential
from async_oauth1.fastapi import current_oauth1_request
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import Answer, call
from tests.fastapi.installed import Installed, install

MULTIPART = b"multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="p.jpg"\r\n\r\n%s\r\n--b--\r\n'
#: Longer than a piece of any server, and than what `install` keeps in memory below.
LARGE = bytes(range(256)) * 1024


class Photo(BaseModel):
    """A body of JSON."""

    name: str
    size: int = 1


async def add_routes(made: Installed) -> Installed:
    """Add a route for each way to read a body."""
    app, oauth1, _ = made
    app.router.dependencies.append(Security(oauth1))

    @app.post("/form")
    async def form(a: Annotated[list[str], Form()], b: Annotated[str, Form()] = "") -> Any:
        return {"a": a, "b": b, "protection": current_oauth1_request.body_protection}

    @app.post("/file")
    async def file(photo: Annotated[UploadFile, File()]) -> Any:
        return [hashlib.sha1(await photo.read()).hexdigest(), current_oauth1_request.body_protection]

    @app.post("/json")
    async def json(photo: Photo) -> Any:
        return [photo.name, photo.size]

    @app.post("/bytes")
    async def raw(body: Annotated[Any, Body()]) -> Any:
        return hashlib.sha1(body).hexdigest()

    @app.post("/stream")
    async def stream(request: Request) -> Any:
        hashed = hashlib.sha1()
        async for piece in request.stream():
            hashed.update(piece)
        return hashed.hexdigest()

    @app.post("/request-form")
    async def request_form(request: Request) -> Any:
        return (await request.form()).multi_items()

    return made


@pytest.fixture
async def installed() -> Installed:
    """An application that keeps little in memory."""
    return await add_routes(await install(memory_limit=10_000))


def in_pieces(body: bytes) -> list[bytes]:
    """A body in pieces, some of them empty."""
    return [b"", body[:1], body[1:3], b"", *(body[start : start + 50_000] for start in range(3, len(body), 50_000))]


async def send(made: Installed, target: str, body: bytes, content_type: bytes, **how: Any) -> Answer:
    """Send a signed body in pieces."""
    message = sign(JANE, "POST", target, body=body, content_type=content_type, **how)
    return await call(made.app, message, pieces=in_pieces(message.body))


FORM = b"application/x-www-form-urlencoded"
FORM_LABELS = (FORM, FORM + b"; charset=utf-8", b"Application/X-WWW-Form-urlencoded;charset=UTF-8")


@pytest.mark.parametrize("place", ["header", "query", "body"])
@pytest.mark.parametrize("content_type", FORM_LABELS)
@pytest.mark.parametrize("target", ["/form", "/request-form"])
async def test_a_form(installed: Installed, target: str, content_type: bytes, place: str) -> None:
    """Its octets are verified, whoever reads it first, and the endpoint gets what was signed."""
    body = b"a=1&b=%C3%A9+x&a=%2B&a="
    answer = await send(installed, target, body, content_type, place=place)
    assert answer.status == 200, answer
    if target == "/form":
        assert answer.json == {"a": ["1", "+", ""], "b": "\u00e9 x", "protection": "form"}
    else:
        assert [pair for pair in answer.json if not pair[0].startswith("oauth_")] == [
            ["a", "1"], ["b", "\u00e9 x"], ["a", "+"], ["a", ""]
        ]  # fmt: skip
    assert installed.nonces == 1
    for other in (b"a=1&b=%C3%A9+x&a=%2B", b"a=1&b=%C3%A9+x&a=+&a=", b"a=2", body + b"&c=1", b"a"):
        assert (await send(installed, target, other, content_type, signed_body=body)).status == 401
    assert installed.nonces == 1


async def test_fields_are_those_that_were_signed(installed: Installed) -> None:
    """Spellings with the same base string have the same fields for FastAPI: `;` and other characters split nothing."""
    for signed, sent, a, b in (
        (b"a=1%3Bb%3D2", b"a=1;b=2", ["1;b=2"], ""),
        (b"a=1%3D2&b=", b"a=1=2&b", ["1=2"], ""),
        (b"a=%20", b"&a=+&&", [" "], ""),
        (b"a=%25zz&%62=3", b"a=%zz&b=3", ["%zz"], "3"),
    ):
        answer = await send(installed, "/form", sent, FORM, signed_body=signed)
        assert answer.json == {"a": a, "b": b, "protection": "form"}
    answer = await send(installed, "/form", b"a=1&b=2", FORM, signed_body=b"a=1%26b%3D2")
    assert answer.status == 401


@pytest.mark.parametrize("target", ["/json", "/stream", "/bytes", "/file"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
async def test_a_hashed_body(installed: Installed, target: str, algorithm: str) -> None:
    """The hash is that of the octets that passed; the endpoint gets them whole, and a wrong one uses no nonce."""
    body, content_type, expected = {
        "/json": (b'{"name": "x" , "size": 2}', b"application/json", ["x", 2]),
        "/stream": (LARGE, b"application/octet-stream", hashlib.sha1(LARGE).hexdigest()),
        "/bytes": (LARGE, b"application/octet-stream", hashlib.sha1(LARGE).hexdigest()),
        "/file": (FILE % LARGE, MULTIPART, [hashlib.sha1(LARGE).hexdigest(), "hash"]),
    }[target]
    hashed = {"body_hash": body_hash(body, algorithm)}
    for place in ("header", "query"):
        answer = await send(installed, target, body, content_type, oauth=hashed, place=place)
        assert (answer.status, answer.json) == (200, expected)
    assert installed.nonces == 2
    for wrong in (body_hash(body + b" ", algorithm), body_hash(b"", algorithm)):
        assert (await send(installed, target, body, content_type, oauth={"body_hash": wrong})).status == 401
    assert (await send(installed, target, body, content_type, oauth={"body_hash": "x"})).status == 400
    assert installed.nonces == 2


async def test_bodies_without_a_hash(installed: Installed) -> None:
    """Nothing signs them, unless the policy or the dependency wants them to be signed."""
    assert (await send(installed, "/json", b'{"name": "x"}', b"application/json")).status == 200
    strict = await add_routes(await install(Policy(require_signed_body=True)))
    for target, content_type in (("/json", b"application/json"), ("/stream", b"text/plain")):
        assert (await send(strict, target, b'{"name": "x"}', content_type)).status == 400
        message = sign(JANE, "POST", target, body=b'{"name": "x"}', content_type=content_type)
        chunked = message.without(b"content-length")
        assert (await call(strict.app, chunked, http_version="2", pieces=in_pieces(message.body))).status == 400
    assert (await send(strict, "/form", b"a=1", FORM)).status == 200


async def test_json_that_is_wrong(installed: Installed) -> None:
    """Unsigned malformed JSON is FastAPI's own 422; a well-formed body that does not validate is a 401."""
    for body, status in ((b"{", 422), (b'{"size": "x"}', 401)):
        message = sign(JANE, "POST", "/json", body=body, content_type=b"application/json")
        assert (await call(installed.app, message.without(b"authorization"))).status == status
        assert (await call(installed.app, message)).status == 422
    broken = sign(JANE, "POST", "/file", body=b"x", content_type=b"multipart/form-data")
    assert (await call(installed.app, broken.without(b"authorization"))).status == 400


async def test_media_types_that_some_parser_takes_for_a_form(installed: Installed) -> None:
    """They are refused: what FastAPI would read as a form must be signed as one."""
    for content_type in (b"application/x-www-form-urlencoded,x", b"application/x-www-form-urlencoded x", b"x; " + FORM):
        answer = await send(installed, "/form", b"a=1", content_type, signed_body=b"")
        assert answer.status in (401, 415, 422), (content_type, answer)
        assert answer.status != 200
    twice = sign(JANE, "POST", "/form", body=b"a=1").adding((b"content-type", b"text/plain"))
    assert (await call(installed.app, twice)).status == 400


@pytest.mark.parametrize("target", ["/form", "/request-form"])
async def test_a_form_over_the_limits(target: str) -> None:
    """It is a 413, and one of too many fields a 400, whoever reads it first."""
    made = await add_routes(await install(Policy(max_form_bytes=100_000, max_parameters=50)))
    assert (await send(made, target, b"a=" + b"x" * 100_000, FORM)).status == 413
    assert (await send(made, target, b"&".join([b"a=1"] * 60), FORM)).status == 400
    assert (await send(made, target, b"a=" + b"x" * 90_000, FORM)).status == 200
    assert made.nonces == 1


@pytest.mark.parametrize(
    ("target", "content_type"),
    [("/json", b"application/json"), ("/stream", b"text/plain"), ("/bytes", b"text/plain"), ("/file", MULTIPART)],
)
async def test_a_limit_for_every_body(target: str, content_type: bytes) -> None:
    """`install(app, max_body_bytes=...)` also limits what FastAPI reads before it knows who sends it."""
    made = await add_routes(await install(max_body_bytes=1_000))
    body = {"/json": b'{"name": "%s"}' % (b"x" * 1_000), "/file": FILE % (b"x" * 1_000)}.get(target, b"x" * 1_001)
    answer = await send(made, target, body, content_type, oauth={"body_hash": body_hash(body)})
    assert (answer.status, answer.error) == (413, "request_too_large")
    if target != "/stream":
        message = Message(method="POST", target=target.encode(), headers=((b"content-type", content_type),), body=body)
        assert (await call(made.app, message)).status == 413


async def test_limits_are_those_of_the_first_installation() -> None:
    """Other limits for the same application are an error that shows them."""
    made = await install(max_body_bytes=1_000)
    made.oauth1.install(made.app, max_body_bytes=1_000)
    with pytest.raises(ValueError, match="max_body_bytes=1000"):
        made.oauth1.install(made.app)


async def test_a_body_that_a_dependency_reads_first() -> None:
    """The order of dependencies does not matter: a body that one has read is hashed, and stays for the endpoint."""
    made = await install()
    app, oauth1, _ = made

    async def reads(request: Request) -> bytes:
        return await request.body()

    @app.post("/")
    async def both(
        first: Annotated[bytes, Depends(reads)], _: Annotated[TokenCredential, Security(oauth1)], request: Request
    ) -> Any:
        return first == await request.body()

    for body, content_type in ((LARGE, b"text/plain"), (b"a=1&a=2", FORM)):
        oauth = {"body_hash": body_hash(body)} if content_type != FORM else {}
        answer = await send(made, "/", body, content_type, oauth=oauth)
        assert (answer.status, answer.json) == (200, True)
        wrong = {"body_hash": body_hash(b"")} if content_type != FORM else {"nonce": "z"}
        signed = sign(JANE, "POST", "/", body=body, content_type=content_type, oauth=wrong, signed_body=b"a=1")
        assert (await call(app, signed)).status == 401


async def test_a_part_of_the_body_is_read_first() -> None:
    """What was read is part of the hash, and of a form; the endpoint receives the rest."""
    made = await install()
    app, oauth1, _ = made

    async def begins(request: Request) -> bytes:
        return bytes((await request.receive())["body"])

    @app.post("/")
    async def both(
        first: Annotated[bytes, Depends(begins)], _: Annotated[TokenCredential, Security(oauth1)], request: Request
    ) -> Any:
        return hashlib.sha1(first + await request.body()).hexdigest()

    for body, content_type in ((LARGE, b"text/plain"), (b"a=1&a=2", FORM)):
        oauth = {"body_hash": body_hash(body)} if content_type != FORM else {}
        message = sign(JANE, "POST", "/", body=body, content_type=content_type, oauth=oauth)
        answer = await call(app, message, pieces=[body[:5], body[5:]])
        assert (answer.status, answer.json) == (200, hashlib.sha1(body).hexdigest())
        again = sign(JANE, "POST", "/", body=body, content_type=content_type, oauth=oauth)
        assert (await call(app, again, pieces=[b"b" + body[1:5], body[5:]])).status == 401
