"""Causes that no signature proves: the clock, the body hash, duplicates, what cannot be read, RSA and PLAINTEXT."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from async_oauth1.explain import Explanation, Secrets, WireRequest, explain
from async_oauth1.policy import Policy

from .corpus import JSON, SHAPES, header
from .signer import CLIENT_SECRET, TOKEN_SECRET, Request, encode, policy, secrets, sha1

SIGNED_AT = 1_191_242_096
JSON_REQUEST = SHAPES["json"]


def explained(request: Request, now: float | None = None) -> Explanation:
    """What is said of a request."""
    return explain(request.sent(), secrets(request), policy=policy(request), now=now)


def codes(explanation: Explanation) -> list[str]:
    """The codes of the causes, in order."""
    return [cause.code for cause in explanation.causes]


def with_header(request: Request, change: tuple[str, str]) -> WireRequest:
    """A request whose Authorization header is changed on the way."""
    wire = request.sent()
    old, new = (text.encode() for text in change)
    return replace(wire, headers=tuple((name, value.replace(old, new)) for name, value in wire.headers))


@pytest.mark.parametrize(
    ("offset", "text"),
    [(3_600, "1 hour, so it is probably the time zone"), (-7_205, "2 hours, so"), (19_800, "5.5 hours"), (900, "15")],
)
def test_a_clock_that_is_off(offset: int, text: str) -> None:
    """The text says by how much, and that whole hours are the time zone."""
    explanation = explained(SHAPES["header"], now=SIGNED_AT + offset)
    assert codes(explanation) == ["timestamp_clock"]
    assert text in explanation.causes[0].text
    assert ("behind" if offset > 0 else "ahead") in explanation.causes[0].text
    assert not explanation.verifies


def test_a_clock_within_the_window_is_good() -> None:
    """Nothing is said of a clock that the provider accepts, or of one that is not judged."""
    assert explained(SHAPES["header"], now=SIGNED_AT + 299).verifies
    assert explained(SHAPES["header"]).verifies


def test_milliseconds() -> None:
    """A timestamp of 13 digits counts milliseconds, which needs no clock."""
    request = SHAPES["header"].but(protocol={"oauth_timestamp": "1191242096000"})
    assert codes(explained(request)) == ["timestamp_milliseconds"]


def test_a_late_clock_behind_a_proxy() -> None:
    """What the signature proves comes first, and both are needed together."""
    request = SHAPES["header"].but(signed_uri=lambda uri: uri.replace("http:", "https:"))
    explanation = explained(request, now=SIGNED_AT + 3_600)
    assert [(cause.code, cause.together) for cause in explanation.causes] == [
        ("scheme", True), ("timestamp_clock", True),
    ]  # fmt: skip


KEY = f"{encode(CLIENT_SECRET.encode().decode('latin-1'))}&{encode(TOKEN_SECRET)}".encode()
BODY_HASHES = {
    "the empty body": sha1(b""),
    "JSON written otherwise": sha1(json.dumps(json.loads(JSON)).encode()),
    "MD5": base64.b64encode(hashlib.md5(JSON, usedforsecurity=False).digest()).decode(),
    "HMAC-SHA1": base64.b64encode(hmac.digest(KEY, JSON, "sha1")).decode(),
    "hexadecimal": hashlib.sha1(JSON, usedforsecurity=False).hexdigest(),
    "another body": sha1(b"another"),
}


@pytest.mark.parametrize(("text", "value"), BODY_HASHES.items())
def test_a_wrong_body_hash(text: str, value: str) -> None:
    """The text says of what the hash is, and how it is written."""
    explanation = explained(JSON_REQUEST.but(protocol={"oauth_body_hash": value}))
    assert codes(explanation) == ["body_hash"]
    assert text in explanation.causes[0].text


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512"])
def test_a_right_body_hash_of_each_algorithm(name: str) -> None:
    """The provider takes three algorithms, so none of them is a cause."""
    value = base64.b64encode(hashlib.new(name, JSON).digest()).decode()
    assert explained(JSON_REQUEST.but(protocol={"oauth_body_hash": value})).verifies


def test_a_body_hash_with_a_form() -> None:
    """A form is signed itself."""
    request = SHAPES["form and query"].but(protocol={"oauth_body_hash": sha1(b"")})
    assert codes(explained(request)) == ["body_hash"]


def test_a_parameter_twice_is_named() -> None:
    """The text names what was sent twice, and where."""
    wire = with_header(JSON_REQUEST, ('oauth_nonce="', 'oauth_body_hash="x", oauth_nonce="'))
    explanation = explain(wire, secrets(JSON_REQUEST))
    assert codes(explanation) == ["duplicate_parameter"]
    assert "oauth_body_hash" in explanation.causes[0].text
    assert explanation.base_string


def test_parameters_in_two_places_are_named() -> None:
    """One parameter in the header and in the query is a duplicate, whatever its value."""
    wire = replace(SHAPES["header"].sent(), query=b"oauth_token=other")
    explanation = explain(wire, secrets(SHAPES["header"]))
    assert codes(explanation) == ["duplicate_parameter"]
    assert "oauth_token" in explanation.causes[0].text
    assert "header and the query" in explanation.causes[0].text


def test_a_header_that_cannot_be_read() -> None:
    """The text shows where; there is no base string, and nothing is taken for signed."""
    wire = with_header(SHAPES["header"], ('", oauth_timestamp', '" oauth_timestamp'))
    explanation = explain(wire, secrets(SHAPES["header"]))
    assert codes(explanation) == ["malformed"]
    assert "oauth_timestamp" in explanation.causes[0].text
    assert (explanation.base_string, explanation.signed, explanation.tried) == ("", None, 0)


@pytest.mark.parametrize("name", ["oauth_consumer_key", "oauth_signature_method", "oauth_timestamp", "oauth_nonce"])
def test_a_missing_parameter_is_named(name: str) -> None:
    """The text names it, and the signature is still compared."""
    explanation = explained(SHAPES["header"].but(protocol={name: None}, signs_by="HMAC-SHA1"))
    assert codes(explanation) == ["malformed"]
    assert name in explanation.causes[0].text
    assert explanation.signed == explanation.base_string


def test_no_oauth_parameters_at_all() -> None:
    """A request without any is malformed."""
    wire = WireRequest(method="GET", scheme="http", host="example.net", path=b"/")
    assert codes(explain(wire, Secrets(("x",)))) == ["malformed"]


def test_a_version_that_there_is_not() -> None:
    """Version 1.0A does not exist."""
    explanation = explained(SHAPES["header"].but(protocol={"oauth_version": "1.0A"}))
    assert codes(explanation) == ["malformed"]
    assert "1.0A" in explanation.causes[0].text


def test_a_method_that_is_not_enabled() -> None:
    """A right signature of a method that the client may not use is refused."""
    request = SHAPES["sha256"]
    explanation = explain(request.sent(), secrets(request), policy=Policy(require_https=False))
    assert codes(explanation) == ["signature_method"]
    assert explanation.signed == explanation.base_string


def test_a_method_that_there_is_not() -> None:
    """An unknown name is said once, with the method that signed."""
    explanation = explained(SHAPES["header"].but(algorithm="HMAC_SHA1", signs_by="HMAC-SHA1"))
    assert codes(explanation) == ["signature_method"]
    assert "signed with HMAC-SHA1" in explanation.causes[0].text


def test_plaintext() -> None:
    """PLAINTEXT verifies, and a mistake in its key is found."""
    request = SHAPES["header"].but(algorithm="PLAINTEXT", scheme="https")
    assert explained(request).verifies
    swapped = request.but(key=lambda client, token: f"{encode(token)}&{encode(client)}")
    assert codes(explained(swapped)) == ["secrets_swapped"]
    assert codes(explained(request.but(signs_by="HMAC-SHA1"))) == ["signature_method"]


def test_every_current_secret_verifies() -> None:
    """A client may have several secrets, and a cause is found with each of them."""
    request = SHAPES["header"]
    keys = replace(secrets(request), client_secrets=("new", CLIENT_SECRET))
    assert explain(request.sent(), keys).verifies
    broken = request.but(signed_method=str.lower)
    assert codes(explain(broken.sent(), keys)) == ["http_method"]


def test_a_policy_that_requires_more() -> None:
    """Plain http, a foreign host and an unsigned body are refused, although the signature holds."""
    strict = Policy(allowed_hosts=("other.example.net",), require_signed_body=True)
    request = Request(method="POST", body=b"{}", content_type="application/json")
    explanation = explain(request.sent(), secrets(request), policy=strict)
    assert codes(explanation) == ["scheme", "host", "body_hash"]
    assert explanation.signed == explanation.base_string


def test_what_a_proxy_says_as_a_whole() -> None:
    """Scheme and host from headers that are not trusted are two causes of one proxy."""
    request = SHAPES["header"]

    def arrives(wire: WireRequest) -> WireRequest:
        return header(
            header(replace(wire, host="app:8000"), "X-Forwarded-Proto", "https"), "X-Forwarded-Host", wire.host
        )

    broken = request.but(arrives=arrives, signed_uri=lambda uri: uri.replace("http:", "https:"))
    assert codes(explained(broken)) == ["scheme", "host"]
