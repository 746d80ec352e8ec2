"""Base strings against those of oauthlib and Authlib, and every difference that is meant.

Both libraries decode to text, so generated requests are UTF-8. Each difference below has its rule of RFC 5849.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from authlib.oauth1.rfc5849.signature import generate_signature_base_string as authlib_base_string
from authlib.oauth1.rfc5849.wrapper import OAuth1Request as AuthlibRequest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oauthlib.oauth1.rfc5849 import signature as oauthlib

from tests.stress import STRESS

from .wire import FORM, Octets, Signer, Wire, authorization

SAME = settings(settings.get_profile("protocol"), max_examples=1_000 if STRESS else 100)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
pairs = st.lists(st.tuples(text.filter(lambda name: name != "" and not name.startswith("oauth_")), text), max_size=4)
segments = st.lists(st.text("abcXYZ019-._~", max_size=6), max_size=3)
hosts = st.sampled_from(["example.com", "EXAMPLE.com", "example.com:8080", "127.0.0.1:5000", "example.com:443"])


def _octets(values: list[tuple[str, str]]) -> list[Octets]:
    return [(name.encode(), value.encode()) for name, value in values]


def _oauthlib(wire: Wire) -> str:
    uri = f"{wire.scheme}://{wire.host}{wire.raw_path.decode()}"
    query = wire.raw_query.decode()
    headers = {name.decode().title(): value.decode() for name, value in wire.headers}
    params = oauthlib.collect_parameters(query, (wire.body or b"").decode(), headers, exclude_oauth_signature=True)
    normalized = oauthlib.normalize_parameters(params)
    return oauthlib.signature_base_string(wire.method, oauthlib.base_string_uri(uri), normalized)


def _authlib(wire: Wire) -> str:
    uri = f"{wire.scheme}://{wire.host}{wire.raw_path.decode()}"
    if wire.raw_query:
        uri += f"?{wire.raw_query.decode()}"
    headers = {name.decode().title(): value.decode() for name, value in wire.headers}
    body = wire.body.decode() if wire.body is not None else None
    return authlib_base_string(AuthlibRequest(wire.method, uri, body=body, headers=headers))


@SAME
@given(pairs, pairs, segments, hosts, st.sampled_from(["GET", "post", "DELETE"]), st.booleans())
def test_same_as_oauthlib(
    query: list[tuple[str, str]],
    form: list[tuple[str, str]],
    path: list[str],
    host: str,
    method: str,
    in_header: bool,
) -> None:
    """Any UTF-8 parameters in query and form, any plain path, any host."""
    wire = Signer(token="t").wire(
        method,
        "/".join(["", *path, ""]).encode(),
        query=_octets(query),
        form=_octets(form) or None,
        host=host,
        place="HEADER" if in_header else "QUERY",
    )
    assert wire.read().signature_base_string == _oauthlib(wire)


@SAME
@given(pairs, segments, hosts, st.sampled_from(["GET", "POST"]))
def test_same_as_authlib(query: list[tuple[str, str]], path: list[str], host: str, method: str) -> None:
    """Likewise, for what Authlib can read: no parameter called realm."""
    assume(all(name != "realm" for name, _ in query))
    wire = Signer(token="t").wire(method, "/".join(["", *path, "x"]).encode(), query=_octets(query), host=host)
    assert wire.read().signature_base_string == _authlib(wire)


@SAME
@given(pairs)
def test_same_forms_as_authlib(form: list[tuple[str, str]]) -> None:
    """A form, names that repeat included."""
    assume(all(name != "realm" for name, _ in form))
    wire = Signer(token="t").wire("POST", form=_octets(form))
    assert wire.read().signature_base_string == _authlib(wire)


def _parameters(base_string: str) -> str:
    return base_string.split("&")[2]


def _signed(raw_query: bytes = b"", body: bytes | None = None, header: bytes = b"", path: bytes = b"/r") -> Wire:
    headers: tuple[Octets, ...] = ((b"authorization", header or authorization([(b"oauth_nonce", b"n")])),)
    if body is not None:
        headers += ((b"content-type", FORM),)
    return Wire("POST", "https", "example.com", path, raw_query, headers, body)


@pytest.mark.parametrize(
    ("library", "wire", "right"),
    [
        # 3.4.1.3.1 leaves out the realm of the Authorization header, and no other parameter of that name.
        (_authlib, _signed(b"realm=x"), "oauth_nonce=n&realm=x"),
        # 3.6 encodes each octet, and a header value is decoded once; what was escaped twice stays escaped once.
        (_authlib, _signed(header=b'OAuth oauth_nonce="%2541"'), "oauth_nonce=%2541"),
        # 3.4.1.3.1 counts what is in a form, also where it has characters that no form should have.
        (_authlib, _signed(body=b'a=1&x="'), "a=1&oauth_nonce=n&x=%22"),
        # 3.5.1 encodes every header parameter, so each is decoded, whatever its name.
        (_oauthlib, _signed(header=b'OAuth oauth_nonce="n", x="me%40x"'), "oauth_nonce=n&x=me%40x"),
    ],
    ids=["realm in the query", "double escape", "quote in a form", "escaped header parameter"],
)  # fmt: skip
def test_differences_in_parameters(library: object, wire: Wire, right: str) -> None:
    """Where a library departs from the RFC, we do not, and if it learns better this test says so."""
    assert callable(library)
    encoded = quote(right, safe="~")
    assert _parameters(wire.read().signature_base_string) == encoded
    assert _parameters(library(wire)) != encoded


@pytest.mark.parametrize("raw_query", [b"q[]=1", b"a|b=1", b"x=%22", b"q=%zz", b'q="x"', b"q={}"])
def test_queries_that_the_libraries_refuse(raw_query: bytes) -> None:
    """3.4.1.3.1 takes any query; oauthlib raises ValueError for characters that URIs should not have."""
    wire = _signed(raw_query)
    assert "oauth_nonce" in wire.read().signature_base_string
    if raw_query != b"x=%22":
        with pytest.raises(ValueError, match=r"."):
            _oauthlib(wire)


def test_default_port_with_ipv6() -> None:
    """3.4.1.2 drops the default port of any host; Authlib cuts an IPv6 address at its first colon."""
    wire = _signed().changed(host="[::1]:443")
    assert wire.read().signature_base_string.split("&")[1] == quote("https://[::1]/r", safe="~")
    assert _authlib(wire) != wire.read().signature_base_string


def test_octets_that_are_not_utf_8() -> None:
    """3.4.1.3.1 decodes to what was meant, octets; both libraries decode to text, in which %FF is lost."""
    ours = {_signed(raw).read().signature_base_string for raw in (b"q=%FF", b"q=%FE", b"q=%EF%BF%BD")}
    assert len(ours) == 3
    assert _authlib(_signed(b"q=%FF")) == _authlib(_signed(b"q=%EF%BF%BD"))
