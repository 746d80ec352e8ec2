"""The Authorization header (RFC 5849 section 3.5.1): its grammar, and the spellings of existing clients."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError, OAuth1Error
from async_oauth1.protocol.authorization_header import _parse_elements, parse_authorization
from async_oauth1.protocol.encoding import escape, split_pairs

from .wire import any_octets

PAIRS = [("a", "1"), ("b", "%2F")]


@pytest.mark.rfc5849("3.5.1/header")
@pytest.mark.parametrize(
    "header",
    [
        b'OAuth a="1", b="%2F"',
        b'OAuth a="1",b="%2F"',
        b'OAuth a="1" , b="%2F"',
        b'OAuth   a="1",   b="%2F"  ',
        b'OAuth\ta="1",\tb="%2F"\t',
        b'OAuth a="1",, ,b="%2F",',
        b'OAuth , a="1", b="%2F"',
        b'oauth a="1", b="%2F"',
        b'OAUTH a="1", b="%2F"',
        b'OAuth a = "1", b\t=\t"%2F"',
        b"OAuth a=1, b=%2F",
        b'OAuth a=1,b="%2f"',
        b'OAuth a="%31", b="/"',
        b'OAuth %61="1", b="%2f"',
    ],
)
def test_spellings_of_one_header(header: bytes) -> None:
    """Optional spaces and tabs, empty elements, unquoted values, and escapes in either case give the same result."""
    parsed = parse_authorization(header, 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == PAIRS
    assert parsed[1] is None


@pytest.mark.parametrize(
    ("header", "realm"),
    [
        (b'OAuth realm="Photos", a="1", b="%2F"', "Photos"),
        (b'OAuth realm="", a="1", b="%2F"', ""),
        (b'OAuth a="1", b="%2F"', None),
        (b'OAuth a="1", b="%2F", realm="http://sp.example.com/"', "http://sp.example.com/"),
        (b'OAuth a="1", Realm="x", b="%2F"', "x"),
        (b'OAuth realm="a, b=\\"c\\"\\\\", a="1", b="%2F"', 'a, b="c"\\'),
        (b'OAuth realm="%41", a="1", b="%2F"', "%41"),
        (b'OAuth realm=x, a="1", b="%2F"', "x"),
        (b'OAuth realm="a=1,b=2",a="1",b="%2F"', "a=1,b=2"),
    ],
)
def test_realm(header: bytes, realm: str | None) -> None:
    """The realm is a quoted string, may be anywhere in the header, and is not signed."""
    parsed = parse_authorization(header, 1_000)
    assert parsed is not None
    assert parsed[1] == realm
    assert split_pairs(parsed[0]) == PAIRS


@pytest.mark.parametrize("header", [b'OAuth realm="a", realm="b"', b'OAuth realm="", Realm=""', b"OAuth realm,realm=b"])
def test_two_realms(header: bytes) -> None:
    """A repeated realm is refused like any other repeated parameter."""
    with pytest.raises(OAuth1Error):
        parse_authorization(header, 1_000)
    with pytest.raises(DuplicatedOAuthProtocolParameterError):
        parse_authorization(b'OAuth realm="a", realm="b"', 1_000)


def test_parameter_whose_name_resembles_realm() -> None:
    """A name with an escape, or a longer name, is not the realm, and is signed."""
    parsed = parse_authorization(b'OAuth %72ealm="x", realms="y"', 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == [("realm", "x"), ("realms", "y")]
    assert parsed[1] is None


@pytest.mark.parametrize(
    "header",
    [b"", b"Bearer abc", b"Basic YTpi", b"OAuth2 x", b"OAuthX", b'"OAuth"', b"=", b"OAut", b'OAuth,a="1"', b"\xff"],
)
def test_other_schemes(header: bytes) -> None:
    """A header of another scheme is ignored."""
    assert parse_authorization(header, 1_000) is None


@pytest.mark.parametrize("header", [b"OAuth", b"OAuth ", b"OAuth ,,,", b"oauth\t", b" OAuth "])
def test_scheme_without_parameters(header: bytes) -> None:
    """The scheme alone is a header without parameters."""
    parsed = parse_authorization(header, 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == []


@pytest.mark.rfc5849("3.5.1/header")
@pytest.mark.parametrize(
    "header",
    [
        b"OAuth foo",
        b'OAuth a="1',
        b'OAuth a="1" b="2"',
        b'OAuth a="1"b="2"',
        b'OAuth a="1"; b="2"',
        b'OAuth ="1"',
        b'OAuth "a"="1"',
        b'OAuth a b="1"',
        b'OAuth a=""1"',
        b'OAuth a="1\\"',
        b"OAuth a=1 2",
        b"OAuth a=\xa01",
        b'OAuth a="1",\nb="2"',
        b"OAuth oauth_token",
        b"OAuth \x00",
    ],
)
def test_malformed(header: bytes) -> None:
    """The error shows how to write the header."""
    with pytest.raises(InvalidRequestError, match="Malformed Authorization header"):
        parse_authorization(header, 1_000)


def test_values_are_decoded_once() -> None:
    """ "%2561" is "%61" and not "a"; otherwise a nonce could be escaped again to pass as a new one."""
    parsed = parse_authorization(b'OAuth a="%2561", b="%61", c="a"', 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == [("a", "%2561"), ("b", "a"), ("c", "a")]


def test_unusual_values() -> None:
    """Raw octets, plus signs, equals signs and malformed escapes are kept."""
    parsed = parse_authorization(b'OAuth a="\xff", b="+", c="==", d="%zz", e=a=b, f="a b"', 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == [
        ("a", "%FF"), ("b", "%2B"), ("c", "%3D%3D"), ("d", "%25zz"), ("e", "a%3Db"), ("f", "a%20b"),
    ]  # fmt: skip


@pytest.mark.rfc5849("3.5.1/header")
@given(st.lists(st.tuples(any_octets(min_size=1, max_size=6), any_octets(max_size=6)), max_size=5), st.booleans())
def test_header_round_trip(pairs: list[tuple[bytes, bytes]], spaces: bool) -> None:
    """Any names and values, encoded as in section 3.5.1, are read back unchanged."""
    encoded = [(escape(name), escape(value)) for name, value in pairs if name.lower() != b"realm"]
    header = (", " if spaces else ",").join(f'{name}="{value}"' for name, value in encoded)
    parsed = parse_authorization(b"OAuth " + header.encode(), 1_000)
    assert parsed is not None
    assert split_pairs(parsed[0]) == encoded


@given(st.text('ab="\\, \t%4_realmREALM', max_size=30))
def test_fast_path_and_slow_path_agree(text: str) -> None:
    """Most headers match a single expression; the slow path gives the same result for them."""
    try:
        short = parse_authorization(b"OAuth " + text.encode(), 1_000)
    except OAuth1Error as error:
        with pytest.raises(type(error)):
            _parse_elements(f" {text}".strip(" \t"), 1_000)
    else:
        assert short == _parse_elements(f" {text}".rstrip(" \t"), 1_000)


@given(
    st.lists(
        st.sampled_from(['realm="x"', 'realm=""', 'a="1"', 'Realm="y"', 'b="%2F"', 'c="%2f"', "d=4", ""]), max_size=5
    ),
    st.sampled_from([",", ", ", " ,", ",  "]),
)
def test_both_paths_agree_on_well_formed_parameters(parameters: list[str], comma: str) -> None:
    """They also agree on headers that consist of well-formed parameters."""
    text = " " + comma.join(parameters)
    try:
        long = _parse_elements(text.rstrip(" \t"), 1_000)
    except OAuth1Error as error:
        with pytest.raises(type(error)):
            parse_authorization(f"OAuth{text}".encode(), 1_000)
    else:
        assert parse_authorization(f"OAuth{text}".encode(), 1_000) == long
