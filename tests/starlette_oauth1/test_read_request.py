"""`read_request` makes an `OAuth1Request` of Starlette's request, and leaves the body for the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.starlette import read_request
from tests.attacks.provider import JANE
from tests.attacks.signer import Message, body_hash, sign
from tests.attacks.wire import scope_of

FORM = b"a=1&b=%C3%BC&a=2"


def request_of(message: Message, *pieces: bytes) -> Request:
    """Starlette's request, whose body arrives in pieces; afterwards the client is gone."""
    waiting = list(pieces)

    async def receive() -> Any:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request(scope_of(message), receive)


async def test_a_form(protector: ResourceProtector) -> None:
    """It is verified over its octets, and the endpoint reads it afterwards."""
    request = request_of(sign(JANE, "POST", "/launch", body=FORM), FORM[:3], FORM[3:])
    read = await read_request(request, Policy())
    assert read.body_params == [("a", "1"), ("b", "ü"), ("a", "2")]
    await protector.validate_request(read)
    assert (await request.form()).multi_items() == [("a", "1"), ("b", "ü"), ("a", "2")]
    assert (await read_request(request, Policy())).body == FORM


async def test_another_body(protector: ResourceProtector) -> None:
    """It is read if its hash is to be compared."""
    oauth = {"body_hash": body_hash(b"{}")}
    request = request_of(sign(JANE, "PUT", "/", body=b"{}", content_type=b"text/plain", oauth=oauth), b"{}")
    read = await read_request(request, Policy())
    assert read.body is None
    await protector.validate_request(read, body_hash_required=True)
    assert await request.json() == {}


async def test_what_cannot_be_read() -> None:
    """A form that is too large, was read before, or does not arrive is the client's error."""
    message = sign(JANE, "POST", "/", body=FORM)
    with pytest.raises(OAuth1Error, match="larger than 5 bytes"):
        await read_request(request_of(message, FORM), Policy(max_form_bytes=5))
    with pytest.raises(OAuth1Error, match="client has left"):
        await read_request(request_of(message), Policy())
    request = request_of(message, FORM)
    await request.form()
    with pytest.raises(OAuth1Error, match="has been read before"):
        await read_request(request, Policy())
    with pytest.raises(OAuth1Error, match="not as long as Content-Length"):
        await read_request(request_of(message, b""), Policy())
