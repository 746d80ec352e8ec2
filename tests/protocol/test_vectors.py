"""Published signatures and base strings, compared with those of the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from async_oauth1 import SIGNATURE_METHODS, SigningKeys
from async_oauth1.protocol.base_string import base_string_parameters
from async_oauth1.protocol.encoding import canonical_form
from async_oauth1.signature import signature_base_string

from .wire import FORM, Octets, Wire, authorization, urlencode

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "signatures.json").read_text(encoding="utf-8")
)


def _wire(vector: dict[str, Any], place: str) -> Wire:
    """The vector's request, with its protocol parameters in the given place."""
    parts = urlsplit(vector["url"])
    query, form = parts.query.encode(), vector["form"].encode()
    protocol: list[Octets] = [(name.encode(), value.encode()) for name, value in vector["oauth"] if name != "realm"]
    protocol.append((b"oauth_signature", vector["signature"].encode()))
    headers: list[Octets] = []
    if place == "HEADER":
        headers.append((b"Authorization", authorization(protocol, realm=dict(vector["oauth"]).get("realm"))))
    elif place == "QUERY":
        query = b"&".join(filter(None, [query, urlencode(protocol)]))
    else:
        form = b"&".join(filter(None, [form, urlencode(protocol)]))
    if form:
        headers.append((b"Content-Type", FORM))
    return Wire(vector["method"], parts.scheme, parts.netloc, parts.path.encode(), query, tuple(headers), form)


@pytest.mark.rfc5849("3.2/signature")
@pytest.mark.parametrize("place", ["HEADER", "QUERY", "BODY"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector(vector: dict[str, Any], place: str) -> None:
    """The base string equals the published one, and the signature verifies."""
    request = _wire(vector, place).read()
    assert request.signature_type == place
    assert request.signature_base_string == vector["base_string"]
    assert request.signature == vector["signature"]
    method = SIGNATURE_METHODS[vector["signature_method"]]
    keys = SigningKeys(vector["client_secret"], vector["token_secret"])
    assert method.verify(request.signature_base_string, request.signature, keys) is vector["verifies"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_signing_gives_the_published_signature(vector: dict[str, Any]) -> None:
    """Signing the published base string gives the published signature, and another secret gives another."""
    method = SIGNATURE_METHODS[vector["signature_method"]]
    keys = SigningKeys(vector["client_secret"], vector["token_secret"])
    assert method.sign(vector["base_string"], keys) == vector["signature"]
    assert method.sign(vector["base_string"], SigningKeys(vector["client_secret"], "another")) != vector["signature"]


def test_realm_of_the_vectors() -> None:
    """The realm is read, and is not in the base string."""
    request = _wire(VECTORS[0], "HEADER").read()
    assert request.realm == "Photos"
    assert "realm" not in request.signature_base_string


def test_signature_printed_in_the_rfc_does_not_verify() -> None:
    """The errata of RFC 5849 correct the signature in the example of section 3.1, and the printed one is wrong."""
    vector = next(vector for vector in VECTORS if vector["name"] == "base-string-example")
    keys = SigningKeys(vector["client_secret"], vector["token_secret"])
    assert not SIGNATURE_METHODS["HMAC-SHA1"].verify(vector["base_string"], "bYT5CMsGcbgUdFHObYMEfcx6bsw=", keys)


@pytest.mark.rfc5849("3.4.1.2/default-port", "3.4.1.3.1/signature", "3.4.1.3.1/absent", "3.4.1.3.1/plus")
def test_parameters_of_section_3_4_1_3() -> None:
    """RFC 5849 sections 3.4.1.3.1 and 3.4.1.3.2: the collected, encoded, sorted and concatenated parameters."""
    request = Wire(
        "POST",
        "http",
        "EXAMPLE.COM:80",
        b"/request",
        b"b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        (
            (
                b"Authorization",
                b'OAuth realm="Example",\n oauth_consumer_key="9djdj82h48djs9d2",'.replace(b"\n", b"")
                + b' oauth_token="kkk9d7dh3k39sjv7", oauth_signature_method="HMAC-SHA1",'
                + b' oauth_timestamp="137131201", oauth_nonce="7d8f3e4a",'
                + b' oauth_signature="djosJKDKJSD8743243%2Fjdk33klY%3D"',
            ),
            (b"Content-Type", FORM),
        ),
        b"c2&a3=2+q",
    ).read()
    normalized = (
        "a2=r%20b&a3=2%20q&a3=a&b5=%3D%253D&c%40=&c2=&oauth_consumer_key=9djdj82h48djs9d2&oauth_nonce=7d8f3e4a"
        "&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&oauth_token=kkk9d7dh3k39sjv7"
    )
    encoded = normalized.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    assert request.signature_base_string == f"POST&http%3A%2F%2Fexample.com%2Frequest&{encoded}"
    assert request.signature == "djosJKDKJSD8743243/jdk33klY="


@pytest.mark.rfc5849("3.4.1.2/lower-case", "3.4.1.2/other-port", "3.4.1.2/host")
@pytest.mark.parametrize(
    ("scheme", "host", "path", "uri"),
    [
        ("http", "EXAMPLE.COM:80", b"/r%20v/X", "http://example.com/r%20v/X"),
        ("https", "www.example.net:8080", b"/", "https://www.example.net:8080/"),
    ],
)
def test_uris_of_section_3_4_1_2(scheme: str, host: str, path: bytes, uri: str) -> None:
    """RFC 5849 section 3.4.1.2: both examples of a base string URI; the query is not part of it."""
    assert Wire("GET", scheme, host, path, b"id=123").read().base_string_uri == uri


@pytest.mark.parametrize(
    ("form", "normalized"),
    [
        # OAuth Core 1.0a test cases, section 9.1.1 "Normalize Request Parameters", as implementations have copied them.
        ("name", "name="),
        ("a=b", "a=b"),
        ("a=b&c=d", "a=b&c=d"),
        ("a=x%21y&a=x+y", "a=x%20y&a=x%21y"),
        ("x%21y=a&x=a", "x=a&x%21y=a"),
    ],
)
def test_normalized_parameters_of_core10a(form: str, normalized: str) -> None:
    """Parameters are sorted by their encoded octets, name first; a parameter without a value has an empty one."""
    received = canonical_form(form.encode(), max_parameters=10)
    encoded = normalized.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    assert base_string_parameters(received) == encoded


@pytest.mark.rfc5849("3.4.2/ampersand")
@pytest.mark.parametrize(
    ("client_secret", "token_secret", "base_string", "signature"),
    [
        # OAuth Core 1.0a test cases, section 9.2 "HMAC-SHA1".
        ("cs", "", "bs", "egQqG5AJep5sJ7anhXju1unge2I="),
        ("cs", "ts", "bs", "VZVjXceV7JgPq/dOTnNmEfO0Fv8="),
    ],
)
def test_hmac_sha1_of_core10a(client_secret: str, token_secret: str, base_string: str, signature: str) -> None:
    """HMAC-SHA1 over texts that are short enough to check by hand."""
    assert SIGNATURE_METHODS["HMAC-SHA1"].sign(base_string, SigningKeys(client_secret, token_secret)) == signature


@pytest.mark.rfc5849("3.4.4/ampersand")
def test_plaintext_of_the_rfc() -> None:
    """RFC 5849 section 2.1: the signature of the PLAINTEXT example is the secret and an ampersand."""
    plaintext = SIGNATURE_METHODS["PLAINTEXT"]
    assert plaintext.sign("", SigningKeys("ja893SD9")) == "ja893SD9&"
    assert plaintext.sign("", SigningKeys("ja893SD9", "xyz4992k83j47x0b")) == "ja893SD9&xyz4992k83j47x0b"
    # OAuth Core 1.0a section 9.4.1: both secrets are encoded before they are joined.
    assert (
        plaintext.sign("", SigningKeys("djr9rjt0jd78jf88", "jjd99$tj88uiths3")) == "djr9rjt0jd78jf88&jjd99%24tj88uiths3"
    )


def test_base_string_of_text_pairs() -> None:
    """The public function accepts a method in any case, and leaves out oauth_signature."""
    pairs = [*parse_qsl("b=2&a=1"), ("oauth_signature", "x")]
    expected = "GET&http%3A%2F%2Fexample.com%2F&a%3D1%26b%3D2"
    assert signature_base_string("get", "http://example.com/", pairs) == expected
