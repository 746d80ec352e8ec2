"""Malformed, repeated and misplaced protocol parameters are refused with a reason, and nothing is stored."""

from __future__ import annotations

import random
import re

import pytest

from tests.attacks.provider import CLIENT, JANE, Provider
from tests.attacks.signer import FORM, Message, Pairs, authorization, encode, protocol_parameters, sign

HOST = (b"host", b"provider.example")
SIGNED_PLACES = [("GET", b"/echo"), ("POST", b"/initiate"), ("POST", b"/token")]


def unsigned(header: bytes, *, method: str = "GET", target: bytes = b"/echo") -> Message:
    """A request with this Authorization header."""
    return Message(method=method, target=target, headers=(HOST, (b"authorization", header)))


@pytest.mark.rfc5849("3.5.1/header")
@pytest.mark.parametrize(("method", "target"), SIGNED_PLACES)
@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"", 401),
        (b"Bearer abc", 401),
        (b"Basic Zm9vOmJhcg==", 401),
        (b"Digest username=x", 401),
        (b"OAuth", 401),
        (b"OAuth ", 401),
        (b"OAuth ,,,", 401),
        (b"OAuth\t", 401),
        (b'oauth realm="x"', 401),
        (b"OAuth2 abc", 401),
        (b'OAuthx oauth_nonce="1"', 401),
        (b'OAuth/1.0 oauth_nonce="1"', 401),
        (b'Basic abc, OAuth oauth_nonce="1"', 401),
        (b"Oauth foo", 400),
        (b"OAuth foo=", 401),
        (b"OAuth oauth_token=", 400),
        (b"OAuth oauth_token", 400),
        (b'OAuth oauth_token="', 400),
        (b'OAuth oauth_token="a', 400),
        (b'OAuth oauth_token=a"b"', 400),
        (b'OAuth oauth_token="a"b', 400),
        (b'OAuth oauth_token="a" oauth_nonce="b"', 400),
        (b'OAuth oauth_token="a";oauth_nonce="b"', 400),
        (b"OAuth oauth_token\toauth_nonce", 400),
        (b'OAuth\toauth_token="a"', 400),
        (b'OAuth ="a"', 400),
        (b'OAuth oauth_token=="a"', 400),
        (b'OAuth realm="a", realm="b"', 400),
        (b'OAuth realm="\\"', 400),
        (b'OAuth oauth_nonce="\xff\xfe"', 400),
        (b'OAuth oauth_\xff="\xff"', 400),
        (b'OAuth \x00="\x00"', 401),
        (b'OAuth oauth_token="a",\x00', 400),
        (b"OAuth " + b"," * 60_000, 401),
        (b"OAuth " + b" " * 60_000, 401),
        (b"OAuth " + b"a" * 60_000, 400),
        (b"OAuth " + b"a=" * 30_000, 401),
        (b"OAuth " + b"\\" * 60_000, 400),
        (b'OAuth a="' + b'\\"' * 30_000, 400),
    ],
)
async def test_malformed_authorization_headers_are_401_or_400(
    provider: Provider, method: str, target: bytes, header: bytes, status: int
) -> None:
    """Other schemes and empty credentials are answered with 401 and a challenge, malformed ones with 400."""
    answer = await provider.send(unsigned(header, method=method, target=target))
    assert answer.status == status, answer
    assert answer.error is not None
    assert (answer.header("www-authenticate") is not None) is (status == 401)
    assert not provider.store.calls


async def test_a_request_without_credentials_gets_a_challenge(provider: Provider) -> None:
    """The challenge names the scheme to use."""
    for method, target in SIGNED_PLACES:
        answer = await provider.send(Message(method=method, target=target, headers=(HOST,)))
        assert (answer.status, answer.error) == (401, "unsigned_request")
        assert answer.header("www-authenticate") == 'OAuth realm=""'


async def test_malformed_headers_at_the_authorization_page_are_4xx(provider: Provider) -> None:
    """This page reads the same header as the endpoints."""
    for header in (
        b"Bearer abc",
        b"OAuth",
        b"OAuth foo",
        b"OAuth oauth_token=",
        b"OAuth ,,,",
        b'OAuth oauth_token="x"',
    ):
        for method in ("GET", "POST"):
            answer = await provider.send(unsigned(header, method=method, target=b"/authorize"))
            assert 400 <= answer.status < 500
            answer = await provider.send(unsigned(header, method=method, target=b"/authorize?oauth_token=x"))
            assert 400 <= answer.status < 500


async def test_two_authorization_headers_are_refused_in_each_order(provider: Provider) -> None:
    """A proxy could check one of them, and the provider the other."""
    good = sign(JANE, "GET", "/echo")
    [header] = [value for name, value in good.headers if name == b"authorization"]
    for others in ([header], [b"Basic Zm9vOmJhcg=="], [b'OAuth oauth_nonce="forged"'], [b""]):
        for order in ([*others, header], [header, *others]):
            message = good.without(b"authorization").adding(*((b"authorization", value) for value in order))
            answer = await provider.send(message)
            assert (answer.status, answer.error) == (400, "invalid_request")
    assert not provider.store.calls
    assert (await provider.send(good)).status == 200


@pytest.mark.rfc5849("3.1/once", "3.2/400")
@pytest.mark.parametrize("place", ["header", "query", "body"])
@pytest.mark.parametrize(
    "name", ["consumer_key", "token", "signature_method", "timestamp", "nonce", "version", "signature", "verifier"]
)
async def test_a_repeated_protocol_parameter_is_refused(provider: Provider, place: str, name: str) -> None:
    """Section 3.1 forbids repetition: before or after the first one, escaped or not, with the same value or another."""
    message = sign(JANE, "POST", "/echo", place=place, oauth={"version": "1.0", "verifier": "v"})
    for spelling in (f"oauth_{name}", f"oauth%5F{name}", f"%6Fauth_{name}", f"o%61uth%5f{name}"):
        for front in (True, False):
            answer = await provider.send(with_another(message, place, spelling.encode(), front=front))
            assert (answer.status, answer.error) == (400, "duplicated_oauth_protocol_parameter")
    assert not provider.store.calls


def with_another(message: Message, place: str, name: bytes, *, front: bool) -> Message:
    """Add one more parameter in the same place."""
    separator, extra = (b", ", name + b'="FORGED"') if place == "header" else (b"&", name + b"=FORGED")

    def join(old: bytes) -> bytes:
        return separator.join([extra, old] if front else [old, extra])

    if place == "header":
        [header] = [value for key, value in message.headers if key == b"authorization"]
        return message.without(b"authorization").adding((b"authorization", b"OAuth " + join(header[6:])))
    path, _, query = message.target.partition(b"?")
    if place == "query":
        return Message(method=message.method, target=path + b"?" + join(query), headers=message.headers)
    body = join(message.body)
    kept = message.without(b"content-length").headers
    return Message(method=message.method, target=path, headers=kept, body=body)


@pytest.mark.rfc5849("3.5/one-place")
async def test_protocol_parameters_in_two_places_are_refused(provider: Provider) -> None:
    """Section 3.5 allows the header, the query or the form, but only one of them."""
    for first, second in [("header", b"query"), ("header", b"form"), ("query", b"form")]:
        target = b"/echo?oauth_extra=1" if second == b"query" else b"/echo"
        body = b"oauth_extra=1" if second == b"form" else b""
        answer = await provider.get(target, method="POST", place=first, body=body)
        assert (answer.status, answer.error) == (400, "duplicated_oauth_protocol_parameter")
    for added in (b"oauth%5Fnonce=x", b"%6f%61uth_nonce", b"oauth_="):
        answer = await provider.get(b"/echo?" + added)
        assert (answer.status, answer.error) == (400, "duplicated_oauth_protocol_parameter")
    assert not provider.store.written


@pytest.mark.rfc5849("3.2/version")
@pytest.mark.parametrize("version", ["2.0", "1.0a", "1", "1.0 ", "01.0", "", "1.0\x00"])
async def test_another_version_is_refused(provider: Provider, version: str) -> None:
    """Section 3.1: if the version is sent, it must be "1.0"."""
    answer = await provider.get(oauth={"version": version})
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert (await provider.get(oauth={"version": "1.0"})).status == 200
    assert (await provider.get(oauth={"version": None})).status == 200


@pytest.mark.rfc5849("3.1/parameters", "3.2/400")
@pytest.mark.parametrize("name", ["consumer_key", "signature_method", "timestamp", "nonce", "token"])
@pytest.mark.parametrize("value", [None, ""])
async def test_a_missing_parameter_is_named(provider: Provider, name: str, value: str | None) -> None:
    """The error says which parameter is missing."""
    answer = await provider.get(oauth={name: value})
    assert (answer.status, answer.error) == (400, "missing_required_parameter")
    assert f"oauth_{name}" in answer.json["error_description"]
    assert not provider.store.calls


BAD_OCTETS = [
    pytest.param(b"a\x00b", id="NUL"),
    pytest.param(b"a\r\nX-Evil: 1", id="CR LF"),
    pytest.param(b"\x7f", id="DEL"),
    pytest.param(b"\xc2\x85", id="a C1 control"),
    pytest.param(b"\xe2\x80\xa8", id="a line separator"),
    pytest.param(b"\xed\xa0\x80", id="a high surrogate"),
    pytest.param(b"\xed\xb0\x80", id="a low surrogate"),
    pytest.param(b"\xed\xa0\xbd\xed\xb8\x80", id="a pair of surrogates"),
    pytest.param(b"\xc0\x80", id="an overlong NUL"),
    pytest.param(b"\xc1\xa1", id="an overlong letter"),
    pytest.param(b"\xf4\x90\x80\x80", id="beyond Unicode"),
    pytest.param(b"\xff", id="an octet that UTF-8 does not have"),
    pytest.param(b"\xe2\x82", id="a character cut off"),
    pytest.param(b"x" * 256, id="256 octets"),
    pytest.param("é".encode() * 128, id="256 octets in 128 characters"),
    pytest.param(b"x" * 60_000, id="sixty thousand octets"),
]


@pytest.mark.parametrize("place", ["header", "query", "body"])
@pytest.mark.parametrize("name", ["consumer_key", "token", "nonce"])
@pytest.mark.parametrize("value", BAD_OCTETS)
async def test_invalid_identifiers_are_refused_before_the_store_is_called(
    provider: Provider, name: str, value: bytes, place: str
) -> None:
    """Control characters, octets that are not UTF-8, and more than 255 octets are refused before any look-up."""
    answer = await provider.get(method="POST", place=place, oauth={name: value})
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert not provider.store.calls


@pytest.mark.parametrize(
    "name", ["signature_method", "timestamp", "version", "signature", "verifier", "callback", "body_hash"]
)
@pytest.mark.parametrize("value", BAD_OCTETS)
async def test_any_octets_in_other_parameters_are_4xx_or_ignored(provider: Provider, name: str, value: bytes) -> None:
    """Parameters that are not looked up are refused, or ignored if the step does not use them."""
    oauth = {"callback": "oob", "verifier": "v", name: value}
    if name == "signature":
        oauth.pop(name)
    how = {"signature": value} if name == "signature" else {}
    for keys, method, target in [(JANE, "POST", "/echo"), (CLIENT, "POST", "/initiate"), (JANE, "POST", "/token")]:
        answer = await provider.send(sign(keys, method, target, oauth=oauth, **how))
        assert answer.status < 500, answer
        assert answer.status >= 400 or name in ("verifier", "callback")
    assert (await provider.send(sign(JANE, "GET", "/echo"))).status == 200


async def test_identifiers_of_255_octets_are_accepted(provider: Provider) -> None:
    """The longest nonce works, in ASCII and with other characters."""
    for nonce in (b"x" * 255, "é".encode() * 127 + b"x", "😀".encode() * 63):
        assert (await provider.get(oauth={"nonce": nonce})).status == 200


@pytest.mark.parametrize("method", ["HMAC-SHA1", "RSA-SHA1", "PLAINTEXT", "hmac-sha1", "HMAC-MD5", "none", "X" * 5000])
@pytest.mark.parametrize(
    "signature", [b"\xc3\xa9", b"a", b"=", b"====", b"\xed\xa0\x80", b"\x00", b"%C3%A9", b"A" * 60_000]
)
async def test_malformed_signatures_are_refused(provider: Provider, method: str, signature: bytes) -> None:
    """Signatures with non-ASCII characters or invalid Base64 are refused with every method."""
    answer = await provider.get(oauth={"signature_method": method}, signature=signature)
    assert answer.status in (400, 401)
    assert not provider.store.written


async def test_random_octets_are_4xx(provider: Provider) -> None:
    """Some hundred random requests are all answered with 4xx in the endpoint's format."""
    chance = random.Random(5849)

    def noise(limit: int) -> bytes:
        return chance.randbytes(chance.randrange(limit))

    def field(octets: bytes) -> bytes:
        return re.sub(rb"[\r\n\x00]", b"", octets)  # servers refuse these in a header

    alphabet = b'OAuth oauth_nonce="%41%zz",=&+;\\ realm\x00\xff'
    for number in range(300):
        salad = bytes(chance.choice(alphabet) for _ in range(chance.randrange(80)))
        header = field(b"OAuth " + (salad if number % 2 else noise(80)))
        method, target = SIGNED_PLACES[number % 3]
        message = Message(
            method=method,
            target=target + b"?" + (salad if number % 4 == 3 else noise(40)).replace(b"?", b""),
            headers=(HOST, (b"authorization", header), (b"content-type", FORM if number % 5 else field(noise(20)))),
            body=noise(60),
        )
        answer = await provider.send(message)
        assert 400 <= answer.status < 500, (message, answer)
        assert answer.error is not None
    assert not provider.store.calls


async def test_request_data_in_an_error_is_escaped(provider: Provider) -> None:
    """Parts of the request in an answer are escaped for JSON or for a form."""
    evil: Pairs = [(b'oauth_"\r\nSet-Cookie: a=b\r\n\r\n<script>', b"\xff")]
    for method, target in SIGNED_PLACES:
        query = encode(evil[0][0]) + b"=%FF"
        answer = await provider.send(Message(method=method, target=target + b"?" + query, headers=(HOST,)))
        assert answer.status == 400
        assert answer.error == "invalid_request"
        assert {name for name, _ in answer.headers}.isdisjoint({"set-cookie"})
        assert b"<script>" not in answer.body or (answer.header("content-type") or "") == "application/json"
        header = authorization(evil + protocol_parameters(JANE, {}))
        assert (await provider.send(unsigned(header, method=method, target=target))).status == 400
