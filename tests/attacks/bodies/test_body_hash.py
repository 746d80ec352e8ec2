"""``oauth_body_hash``, which signs a body that is not a form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks.provider import CLIENT, JANE, Provider
from tests.attacks.signer import FORM, body_hash, sign

JSON = b"application/json"
BODY = b'{"amount": 1}'


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
async def test_the_hash_of_the_body_is_checked(provider: Provider, algorithm: str, method: str, framing: str) -> None:
    """Each hash is recognised by its length, with any signature method, and the view can still read the body."""
    keys = replace(JANE, method=method)
    oauth = {"body_hash": body_hash(BODY, algorithm)}
    message = sign(keys, "POST", "/hashed", body=BODY, content_type=JSON, oauth=oauth)
    tampered = replace(message, body=b'{"amount": 9}')
    empty = replace(message, body=b"").without(b"content-length")
    longer = replace(message, body=BODY + b" ").without(b"content-length")
    if framing == "chunked":
        message, tampered = message.without(b"content-length"), tampered.without(b"content-length")
    for bad in (tampered, empty, longer):
        answer = await provider.send(bad)
        assert (answer.status, answer.error) == (401, "invalid_signature")
    assert provider.store.calls["exists_nonce"] == 0
    pieces = [bytes((octet,)) for octet in BODY]
    assert (await provider.send(message, pieces=pieces)).json == {"length": len(BODY)}


async def test_the_hash_of_an_empty_body_does_not_match_another_body(provider: Provider) -> None:
    """A body sent with the hash of an empty body is refused on every route, whether it requires a hash or not."""
    for target in ("/echo", "/hashed", "/signed"):
        for algorithm in ("sha1", "sha256", "sha512"):
            oauth = {"body_hash": body_hash(b"", algorithm)}
            answer = await provider.get(target, method="POST", body=BODY, content_type=JSON, oauth=oauth)
            assert (answer.status, answer.error) == (401, "invalid_signature")
    assert not provider.store.written


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
async def test_the_hash_of_an_empty_body_is_accepted(provider: Provider, algorithm: str, method: str) -> None:
    """Mastercard's clients send it on every GET."""
    answer = await provider.get(method=method, oauth={"body_hash": body_hash(b"", algorithm)})
    assert answer.status == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "====",
        "AAAA",
        "2jmj7l5rSw0yVb_vlWAYkK_YBwk=",
        "2jmj7l5rSw0yVb/vlWAYkK/YBwk",
        "\u00e9",
        "2jmj7l5rSw0yVb/vlWAYkK/YBwk=\n",
        "A" * 10_000,
        body_hash(b"", "md5"),
    ],
)
async def test_a_malformed_hash_is_400(provider: Provider, value: str) -> None:
    """A value with another alphabet, a wrong length or missing padding is answered with 400 and a reason."""
    answer = await provider.get(oauth={"body_hash": value})
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "oauth_body_hash" in answer.json["error_description"]
    assert not provider.store.written


async def test_a_form_with_a_body_hash_is_refused(provider: Provider) -> None:
    """The parameters of a form are signed already; a hash could contradict them."""
    answer = await provider.get(method="POST", body=b"a=1", oauth={"body_hash": body_hash(b"a=1")})
    assert (answer.status, answer.error) == (400, "invalid_request")
    answer = await provider.initiate(oauth={"body_hash": body_hash(b"a=1")}, body=b"a=1")
    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_a_route_can_require_a_body_hash(provider: Provider) -> None:
    """On such a route JSON, multipart and bodies without a type are refused if they have no hash; forms need none."""
    kinds = [JSON, b"text/plain", b"multipart/form-data; boundary=x", None]
    for kind in kinds:
        for body in (BODY, b""):
            answer = await provider.get("/hashed", method="POST", body=body, content_type=kind)
            assert (answer.status, answer.error) == (400, "missing_required_parameter")
    assert (await provider.get("/hashed", method="POST", body=b"a=1", content_type=FORM)).status == 200
    answer = await provider.get("/hashed", method="POST", body=b"a=1", content_type=FORM, signed_body=b"a=2")
    assert answer.status == 401


async def test_the_hash_is_checked_in_the_query_and_at_the_endpoints(provider: Provider) -> None:
    """The hash in the query is checked like one in the header, and the endpoints check it like a resource."""
    good = {"body_hash": body_hash(BODY)}
    bad = {"body_hash": body_hash(BODY + b" ")}
    how = {"method": "POST", "place": "query", "body": BODY, "content_type": JSON}
    assert (await provider.get("/echo", oauth=good, **how)).status == 200
    assert (await provider.get("/echo", oauth=bad, **how)).status == 401
    for oauth, status in [(good, 200), (bad, 401)]:
        answer = await provider.initiate(CLIENT, body=BODY, content_type=JSON, oauth=oauth)
        assert answer.status == status


async def test_the_hash_itself_is_signed(provider: Provider) -> None:
    """Adding, changing or removing the hash after signing breaks the signature."""
    message = sign(JANE, "POST", "/hashed", body=BODY, content_type=JSON, oauth={"body_hash": body_hash(BODY)})
    [header] = [value for name, value in message.headers if name == b"authorization"]
    start = header.index(b"oauth_body_hash")
    end = header.index(b",", start)
    without = header[:start] + header[end + 2 :]
    changed = header[:start] + b'oauth_body_hash="' + body_hash(b"x").replace("=", "%3D").encode() + b'"' + header[end:]
    for value in (without, changed):
        answer = await provider.send(message.without(b"authorization").adding((b"authorization", value)))
        assert answer.status in (400, 401)
    assert not provider.store.written
