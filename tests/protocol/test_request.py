"""OAuth1Request, a request as it was sent."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError, RequestTooLargeError
from async_oauth1.protocol.request import Headers, is_form

from .wire import FORM, Signer, Wire

SIGNER = Signer()


def _header(value: bytes) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"authorization", value),)


# The place of the protocol parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["HEADER", "QUERY", "BODY"])
def test_places(place: str) -> None:
    """The protocol parameters are read from header, query or form, and have Authlib's names, decoded."""
    request = SIGNER.wire("POST", place=place, oauth_callback="http://a.example/?b=c%20d", oauth_verifier="ä").read()
    assert request.signature_type == place
    assert request.client_id == SIGNER.client_id
    assert request.redirect_uri == "http://a.example/?b=c%20d"
    assert request.verifier == "ä"
    assert request.signature_method == "HMAC-SHA1"
    assert request.timestamp == "1700000000"
    assert request.nonce
    assert request.signature
    assert request.token is None


@pytest.mark.rfc5849("3.5/one-place")
@pytest.mark.parametrize(
    "wire",
    [
        Wire(raw_query=b"oauth_token=a", headers=_header(b'OAuth oauth_nonce="b"')),
        Wire("POST", raw_query=b"oauth_token=a", headers=((b"Content-Type", FORM),), body=b"oauth_nonce=b"),
        Wire("POST", headers=(*_header(b'OAuth oauth_nonce="b"'), (b"content-type", FORM)), body=b"oauth_token="),
        Wire(raw_query=b"oauth%5Ftoken=a", headers=_header(b'OAuth oauth_nonce="b"')),
        Wire(raw_query=b"%6Fauth_anything", headers=_header(b'OAuth oauth_nonce="b"')),
    ],
)
def test_two_places(wire: Wire) -> None:
    """Section 3.5: one place alone. It is noted, and refused unless it is tolerated; until then nothing verifies."""
    request = wire.read()
    error = request.find_untolerated()
    assert isinstance(error, DuplicatedOAuthProtocolParameterError)
    assert "one place" in error.description
    assert request.find_untolerated(("parameters_in_two_places",)) is None


@pytest.mark.rfc5849("3.1/once")
@pytest.mark.parametrize(
    "wire",
    [
        Wire(headers=_header(b'OAuth oauth_nonce="FORGED", oauth_nonce="real"')),
        Wire(headers=_header(b'OAuth oauth_nonce="a", oauth%5fnonce="a"')),
        Wire(raw_query=b"oauth_signature=bogus&oauth_signature=real"),
        Wire(raw_query=b"oauth_token&oauth%5Ftoken="),
        Wire("POST", headers=((b"content-type", FORM),), body=b"oauth_x=1&oauth_x=1"),
    ],
)
def test_parameter_twice(wire: Wire) -> None:
    """Section 3.1: a protocol parameter must not be repeated, in any spelling."""
    with pytest.raises(DuplicatedOAuthProtocolParameterError, match="is repeated"):
        wire.read()


def test_two_authorization_headers() -> None:
    """They are refused with any schemes, because another parser could use the other one."""
    for first, second in ((b"OAuth", b"OAuth"), (b"Bearer x", b'OAuth a="b"'), (b"", b"")):
        headers = ((b"Authorization", first), (b"authorization", second))
        with pytest.raises(InvalidRequestError, match="two Authorization headers"):
            Wire(headers=headers).read()


def test_two_content_types() -> None:
    """They are refused, because one of them could hide a form."""
    with pytest.raises(InvalidRequestError, match="two Content-Type headers"):
        Wire("POST", headers=((b"content-type", b"text/plain"), (b"content-type", FORM)), body=b"a=b").read()


def test_requests_without_oauth_parameters_are_read() -> None:
    """Reading succeeds; the checks refuse the request as unsigned later."""
    for headers in ((), _header(b"Bearer abc"), _header(b"OAuth")):
        request = Wire(headers=headers).read()
        assert request.oauth_params == {}
        assert request.signature_type is None
        assert request.client_id is None


def test_header_parameters_of_another_name_are_signed() -> None:
    """Parameters such as xoauth_requestor_id are decoded once and signed, but are not protocol parameters."""
    request = Wire(headers=_header(b'OAuth xoauth_requestor_id="me%40x.com", oauth_nonce="n"')).read()
    assert "xoauth_requestor_id%3Dme%2540x.com" in request.signature_base_string
    assert request.oauth_params == {"oauth_nonce": "n"}
    assert request.auth_params == [("xoauth_requestor_id", "me@x.com"), ("oauth_nonce", "n")]


def test_realm_outside_the_header_is_signed() -> None:
    """Only the header's realm is excluded; in a query or a form it is a parameter like any other."""
    wire = Wire(
        "POST", raw_query=b"realm=q", headers=(*_header(b'OAuth realm="h"'), (b"content-type", FORM)), body=b"realm=b"
    )
    assert wire.read().signature_base_string.endswith("&realm%3Db%26realm%3Dq")


def test_signature_with_an_unescaped_plus() -> None:
    """In an unescaped Base64 signature in a query, the decoded space is read as a plus."""
    assert Wire(raw_query=b"oauth_signature=a+b/c=").read().signature == "a+b/c="
    plaintext = Wire(raw_query=b"oauth_signature_method=PLAINTEXT&oauth_signature=a+b%26").read()
    assert plaintext.signature == "a b&"
    assert Wire(headers=_header(b'OAuth oauth_signature="a b"')).read().signature == "a b"


def test_protocol_parameter_that_is_not_utf_8() -> None:
    """The error names the parameter; decoding it with replacement characters would change the identifier."""
    with pytest.raises(InvalidRequestError, match='"oauth_token" is not UTF-8'):
        Wire(raw_query=b"oauth_token=%FF").read()


# Bodies --------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc5849("3.5.2/form")
@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (FORM, True),
        (b"Application/X-WWW-Form-URLEncoded", True),
        (b"application/x-www-form-urlencoded; charset=UTF-8", True),
        (b" application/x-www-form-urlencoded ;", True),
        (b"text/plain; x=application/x-www-form-urlencoded", False),
        (b"application/x-www-form-urlencoded2", False),
        (b"application/x-www-form-urlencoded, text/plain", False),
        (b"multipart/form-data; boundary=x", False),
        (b"application/json", False),
        (b"", False),
        (None, False),
    ],
)
def test_what_a_form_is(content_type: bytes | None, expected: bool) -> None:
    """The media type is compared as a whole, in any case, with any parameters."""
    assert is_form(content_type) is expected


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_form_is_signed_with_any_method(method: str) -> None:
    """Section 3.4.1.3.1 depends on the content type, not on the method."""
    request = SIGNER.wire(method, form=[(b"a", b"1"), (b"a", b"2")]).read()
    assert request.signature_base_string.count("a%3D") == 2
    assert request.body_params == [("a", "1"), ("a", "2")]


@pytest.mark.rfc5849("3.5.2/form")
def test_multipart_is_not_signed() -> None:
    """Multipart is not parsed: its fields are not signed, and its oauth_ parts are not protocol parameters."""
    body = b'--x\r\nContent-Disposition: form-data; name="oauth_token"\r\n\r\nt\r\n--x--'
    request = Wire("POST", headers=((b"content-type", b"multipart/form-data; boundary=x"),), body=body).read()
    assert request.oauth_params == {}
    assert request.body_params == []


def test_form_without_a_body() -> None:
    """A form content type without a body is an empty form, even with GET."""
    for body in (None, b""):
        request = Wire(headers=((b"content-type", FORM),), body=body).read()
        assert request.is_form
        assert request.body_params == []


def test_parameters_are_shown_as_text() -> None:
    """The view gets decoded pairs in order, with U+FFFD for octets that are not UTF-8; the signature is over octets."""
    request = Wire("POST", raw_query=b"b=1&a=%FF&b", headers=((b"content-type", FORM),), body=b"c=%C3%A4+x").read()
    assert request.query_params == [("b", "1"), ("a", "\ufffd"), ("b", "")]
    assert request.body_params == [("c", "ä x")]
    assert request.params == [*request.query_params, *request.body_params]


# Limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "limit"),
    [
        (Wire(headers=_header(b'OAuth a="' + b"x" * 100 + b'"')), "max_header_bytes"),
        (Wire(headers=_header(b"Bearer " + b"x" * 100)), "max_header_bytes"),
        (Wire(raw_query=b"x" * 101), "max_query_bytes"),
        (Wire("POST", headers=((b"content-type", FORM),), body=b"x" * 101), "max_form_bytes"),
    ],
)
def test_limits_in_octets(wire: Wire, limit: str) -> None:
    """Header, query and form have separate limits; above its limit each is answered with 413."""
    wire.read(**{limit: 1_000})
    with pytest.raises(RequestTooLargeError) as caught:
        wire.read(**{limit: 100})
    assert caught.value.status_code == 413


def test_limit_is_inclusive() -> None:
    """Exactly as many octets as the limit are accepted."""
    assert Wire(raw_query=b"x" * 100).read(max_query_bytes=100)


def test_body_that_is_not_a_form_has_no_limit() -> None:
    """The framework limits uploads."""
    assert Wire("POST", body=b"x" * 1_000).read(max_form_bytes=10).body_params == []


def test_parameters_are_counted_together() -> None:
    """Header, query and form share one limit."""
    wire = Wire("POST", raw_query=b"a&b", headers=(*_header(b'OAuth c="", d=""'), (b"content-type", FORM)), body=b"e&f")
    assert wire.read(max_parameters=6)
    with pytest.raises(InvalidRequestError, match="more than 5 parameters"):
        wire.read(max_parameters=5)


# Other attributes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "host", "peer", "secure"),
    [
        ("https", "a.example", "192.0.2.7", True),
        ("http", "a.example", "192.0.2.7", False),
        ("http", "localhost:8000", "127.0.0.1", True),
        ("http", "[::1]:8000", "::1", True),
        ("http", "app.localhost", "127.9.9.9", True),
        ("http", "localhost.:8000", "127.0.0.1", True),
        ("http", "localhost", None, True),
        ("http", "a.example", None, False),
        ("http", "localhost", "192.0.2.7", False),
        ("http", "a.example", "127.0.0.1", False),
        ("http", "localhost.evil.example", "127.0.0.1", False),
        ("http", "127.0.0.1.evil.example", "127.0.0.1", False),
        ("http", "localhost", "unix:", False),
    ],
)
def test_secure_channels(scheme: str, host: str, peer: str | None, secure: bool) -> None:
    """https is secure, and so is loopback at both ends; ``localhost`` in the Host header is not enough."""
    assert Wire(scheme=scheme, host=host, peer=peer).read().is_secure is secure


def test_repr_shows_no_parameter() -> None:
    """The repr has method and URI, without query, headers and body."""
    request = SIGNER.with_token("tok", "s").wire(query=[(b"password", b"hunter2")]).read()
    assert repr(request) == "<OAuth1Request GET https://photos.example.net/photos>"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", b"/a\nERROR forged"), ("GET\r\nX", b"/"), ("GET", b"/\x1b[2J\x85")]
)
def test_repr_is_a_single_line(method: str, path: bytes) -> None:
    """Control characters in method or path are escaped, so a request cannot forge a line of the log."""
    assert repr(Wire(method, raw_path=path).read()).isprintable()


def test_uri_and_query_are_as_sent() -> None:
    """These attributes of Authlib's contain the octets of the request line."""
    request = Wire(raw_path=b"/a%2Fb", raw_query=b"q=%22&&x").read()
    assert request.uri == "https://photos.example.net/a%2Fb?q=%22&&x"
    assert request.query == "q=%22&&x"
    assert Wire().read().uri == "https://photos.example.net/photos"


def test_headers() -> None:
    """Names are matched in any case, repeated fields are joined, and the repr has only names."""
    headers = Headers([(b"X-A", b"1"), (b"x-a", b"2"), (b"Cookie", b"secret")])
    assert headers["x-A"] == "1, 2"
    assert dict(headers) == {"x-a": "1, 2", "cookie": "secret"}
    assert len(headers) == 2
    assert "secret" not in repr(headers)
    assert Wire(headers=((b"Host", b"x"),)).read().headers.get("host") == "x"


def test_method_in_any_case() -> None:
    """The base string has the method in upper case; the request keeps the original case."""
    request = Wire("get").read()
    assert request.method == "get"
    assert request.signature_base_string.startswith("GET&")


def test_arguments_are_keyword_only() -> None:
    """Only the method can be given by position."""
    arguments: Any = ("GET", "https")
    from async_oauth1 import OAuth1Request

    with pytest.raises(TypeError):
        OAuth1Request(*arguments)
