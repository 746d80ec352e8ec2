"""Percent-encoding (RFC 5849 section 3.6) and form-urlencoded pairs (section 3.4.1.3.1)."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.base_string import base_string_parameters
from async_oauth1.protocol.encoding import (
    canonical,
    canonical_form,
    escape,
    escape_text,
    escape_uri,
    join_pairs,
    split_pairs,
    unescape,
    unescape_strictly,
)

from .wire import any_octets


def parse_form(octets: bytes, *, most: int = 100) -> list[tuple[str, str]]:
    """Parse a form, and check that the pairs give the same canonical form."""
    form = canonical_form(octets, max_parameters=most)
    assert join_pairs(split_pairs(form)) == form
    return split_pairs(form)


LATIN_1 = st.text(st.characters(max_codepoint=255))


@pytest.mark.rfc5849("3.6/unreserved", "3.6/others", "3.6/upper-case")
def test_only_unreserved_octets_are_not_escaped() -> None:
    """These are letters, digits, "-", ".", "_" and "~"; other octets become "%" and two upper-case digits."""
    unreserved = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    for octet in range(256):
        expected = chr(octet) if octet in unreserved else f"%{octet:02X}"
        assert escape(bytes([octet])) == expected
        assert canonical(chr(octet)) == expected
        assert canonical(f"%{octet:02x}") == canonical(f"%{octet:02X}") == expected


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_encoded_as_utf_8(text: str) -> None:
    """Text is encoded as UTF-8, and decoding gives the same text."""
    assert escape_text(text) == quote(text, safe="~")
    assert unescape(escape_text(text)) == unescape_strictly(escape_text(text)) == text


@given(LATIN_1)
def test_uri_is_encoded_octet_by_octet(text: str) -> None:
    """A URI is Latin-1 text in which each character is an octet."""
    assert escape_uri(text) == quote(text.encode("latin-1"), safe="~")
    assert escape_uri(f"a:/{'~' * len(text)}") == f"a%3A%2F{'~' * len(text)}"


@given(LATIN_1)
def test_canonical_form_depends_only_on_the_octets(text: str) -> None:
    """Any spelling of the same octets has the same canonical form."""
    octets = unquote_to_bytes(text.encode("latin-1"))
    assert canonical(text) == escape(octets)
    assert unquote_to_bytes(canonical(text)) == octets
    assert canonical(canonical(text)) == canonical(text)


@given(any_octets(max_size=8), any_octets(max_size=8))
def test_different_octets_stay_different(one: bytes, other: bytes) -> None:
    """Two different sequences of octets have different canonical forms."""
    assert (escape(one) == escape(other)) == (one == other)


def test_octets_that_are_not_utf_8_do_not_collide() -> None:
    """%FF, %FE and U+FFFD are the same when decoded to text; a signature of one must not verify for another."""
    assert len({canonical("%FF"), canonical("%FE"), canonical("%EF%BF%BD")}) == 3
    assert unescape(canonical("%FF")) == unescape(canonical("%EF%BF%BD")) == "\ufffd"


@pytest.mark.parametrize("text", ["%FF", "%ED%A0%80", "%F4%90%80%80", "%C0%80", "a%80"])
def test_strict_decoding_refuses_what_is_not_utf_8(text: str) -> None:
    """Surrogates, overlong encodings and code points beyond Unicode are not UTF-8."""
    with pytest.raises(UnicodeDecodeError):
        unescape_strictly(canonical(text))


@pytest.mark.rfc5849("3.4.1.3.1/plus")
@pytest.mark.parametrize(
    ("octets", "pairs"),
    [
        (b"", []),
        (b"&&&", []),
        (b"a", [("a", "")]),
        (b"a=", [("a", "")]),
        (b"=a", [("", "a")]),
        (b"=", [("", "")]),
        (b"a=b=c", [("a", "b%3Dc")]),
        (b"a=b&&c=d&", [("a", "b"), ("c", "d")]),
        (b"a=1&a=2&a=1", [("a", "1"), ("a", "2"), ("a", "1")]),
        (b"a+b=c+d", [("a%20b", "c%20d")]),
        (b"a%2Bb=c%2bd", [("a%2Bb", "c%2Bd")]),
        (b"a;b=c;d", [("a%3Bb", "c%3Bd")]),
        (b"a=%zz&b=%", [("a", "%25zz"), ("b", "%25")]),
        (b"a=%4", [("a", "%254")]),
        (b"a=%61%7e", [("a", "a~")]),
        (b"a=*'()!~", [("a", "%2A%27%28%29%21~")]),
        (b"q[]=1&a|b={}", [("q%5B%5D", "1"), ("a%7Cb", "%7B%7D")]),
        (b'x="&y=<>`^\\', [("x", "%22"), ("y", "%3C%3E%60%5E%5C")]),
        (b"a=\xff\x00 \r\n", [("a", "%FF%00%20%0D%0A")]),
        (b"a=%EF%BF%BD&a=%FF", [("a", "%EF%BF%BD"), ("a", "%FF")]),
        (b"?a=b", [("%3Fa", "b")]),
    ],
)
def test_form(octets: bytes, pairs: list[tuple[str, str]]) -> None:
    """No parameter is dropped, shortened, reordered or decoded twice."""
    assert parse_form(octets) == pairs


@given(any_octets(max_size=40))
def test_form_loses_no_octet(octets: bytes) -> None:
    """Any octets give pairs that contain every part of them."""
    pairs = parse_form(octets)
    expected = []
    for piece in filter(None, octets.replace(b"+", b" ").split(b"&")):
        name, _, value = piece.partition(b"=")
        expected.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    assert [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, value in pairs] == expected


@given(st.text("abc~=&%20", max_size=30))
def test_canonical_and_nearly_canonical_forms(text: str) -> None:
    """The fast path for canonical input gives the same result as the slow path."""
    short = parse_form(text.encode())
    assert short == parse_form(b"%7E=&" + text.encode())[1:]


@pytest.mark.rfc5849("3.4.1.3.1/signature")
def test_the_signature_is_not_signed() -> None:
    """Section 3.4.1.3.1 excludes it, even if it is repeated; names that start with it are included."""
    form = "oauth_signature=b&oauth_signature_method=m&a=1&oauth_signature=a&oauth_signaturf=&oauth_signatur=e"
    expected = "a%3D1%26oauth_signatur%3De%26oauth_signature_method%3Dm%26oauth_signaturf%3D"
    assert base_string_parameters(form) == expected
    assert base_string_parameters("oauth_signature=b") == ""


def test_too_many_pairs_are_not_parsed() -> None:
    """The limit counts empty parts, too, so that an attacker causes no more work than counting."""
    assert len(parse_form(b"&".join([b"a"] * 10), most=10)) == 10
    for octets in (b"&".join([b"a"] * 11), b"&" * 10):
        with pytest.raises(InvalidRequestError, match="more than 10 parameters"):
            parse_form(octets, most=10)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("b", "1"), ("a", "2")], "a%3D2%26b%3D1"),
        ([("a", "2"), ("a", "1")], "a%3D1%26a%3D2"),
        ([("a", ""), ("a%20", ""), ("a-", "")], "a%3D%26a%2520%3D%26a-%3D"),
        ([("A", ""), ("a", ""), ("_", "")], "A%3D%26_%3D%26a%3D"),
        ([("a", "%26"), ("a", "%3D")], "a%3D%2526%26a%3D%253D"),
        ([], ""),
    ],
)
def test_sorting(pairs: list[tuple[str, str]], expected: str) -> None:
    """Pairs are sorted by encoded name, then by value; a prefix of another name comes first."""
    assert base_string_parameters(join_pairs(pairs)) == expected


@given(
    st.lists(st.tuples(any_octets(max_size=3), any_octets(max_size=3)), max_size=4),
    st.lists(st.tuples(any_octets(max_size=3), any_octets(max_size=3)), max_size=4),
)
def test_base_strings_are_equal_only_for_equal_parameters(
    one: list[tuple[bytes, bytes]], other: list[tuple[bytes, bytes]]
) -> None:
    """Two requests share a base string only if they have the same parameters, each as often."""

    def normalized(pairs: list[tuple[bytes, bytes]]) -> str:
        return base_string_parameters(join_pairs((escape(name), escape(value)) for name, value in pairs))

    # One empty pair is "=", and no pair is "", so these two differ, too.
    assert (normalized(one) == normalized(other)) == (sorted(one) == sorted(other))
