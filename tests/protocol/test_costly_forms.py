"""Large forms, queries and headers with costly spellings are read completely, and at a limited cost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_oauth1 import OAuth1Request
from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.authorization_header import parse_authorization
from async_oauth1.protocol.encoding import canonical, canonical_form
from async_oauth1.protocol.recoding import recode

from .wire import any_octets

SPELLINGS = [
    b"%", b"%%", b"%z", b"%zz", b"%4", b"%4%", b"%%41", b"%41", b"%7e", b"%2b", b"%2B", b"%25", b"%3D", b"%ff", b"+",
    b"=", b"!", b"a%", b"a%4", b"~%41", b"%\n", b"%\r\n", b"=\n", b"_", b"\x00%", b"\xff", bytes(range(256)) + b"%",
]  # fmt: skip
SIZE = 64 * 1024
#: Calls of Python functions for a value, and for each parameter; one call per octet would be 65,536.
CALLS = 200


def _calls(work: Callable[[], object]) -> int:
    """Count the function calls during this work."""
    count = 0

    def see(frame: object, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def _former(octets: bytes) -> str:
    """Decode and encode with functions of the standard library."""
    return quote_from_bytes(unquote_to_bytes(octets), safe="~")


def _base_string(query: bytes) -> str:
    request = OAuth1Request("GET", scheme="https", host="example.com", raw_path=b"/", raw_query=query)
    return request.signature_base_string


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("length", [1, 2, 3, 40, 2_047, 2_049, 5_000])
def test_every_spelling_is_read_as_in_the_standard_library(spelling: bytes, length: int) -> None:
    """This holds for short and long values, cut off at any length."""
    octets = (spelling * length)[:length]
    assert canonical(octets.decode("latin-1")) == recode(octets) == _former(octets)


@given(st.lists(st.sampled_from(SPELLINGS) | any_octets(max_size=3), max_size=40).map(b"".join))
def test_any_mixture_is_read_as_in_the_standard_library(octets: bytes) -> None:
    """No octet is lost, repeated or changed."""
    assert recode(octets) == _former(octets)


@given(st.lists(st.sampled_from([*SPELLINGS, b"&", b"&=", b"a=b&"]), max_size=40).map(b"".join))
def test_long_and_short_forms_are_read_alike(octets: bytes) -> None:
    """Both code paths give the same parameters in the same order."""
    short = canonical_form(octets, max_parameters=10**6)
    long = canonical_form(octets + b"&z=" + b"z" * 3_000, max_parameters=10**6)
    assert long == (f"{short}&" if short else "") + "z=" + "z" * 3_000


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_there_is_no_call_per_octet(spelling: bytes) -> None:
    """In a form, a query and a header of 64 KiB."""
    octets = (spelling * SIZE)[: SIZE - 100].replace(b"&", b"")
    header = b'OAuth a="' + octets.replace(b'"', b"").replace(b"\\", b"").replace(b"\n", b"") + b'"'
    assert _calls(lambda: canonical_form(octets, max_parameters=1_000)) < CALLS
    assert _calls(lambda: _base_string(octets)) < CALLS
    assert _calls(lambda: parse_authorization(header, 1_000)) < CALLS


def test_there_is_no_call_per_octet_with_many_parameters() -> None:
    """A large form with many short values does not cost more than one long value."""
    octets = b"&".join([b"a=" + b"%" * 1_000] * 60)
    assert _calls(lambda: canonical_form(octets, max_parameters=1_000)) < 60 * CALLS


def test_reading_a_header_stops_at_the_limit_of_parameters() -> None:
    """Parameters are counted while the header is read, and not afterwards."""
    header = b"OAuth " + b'%="%",' * 10_000

    def refused() -> None:
        with pytest.raises(InvalidRequestError, match="more than 10 parameters"):
            parse_authorization(header, max_parameters=10)

    assert _calls(refused) < 10 * CALLS
    assert parse_authorization(b"OAuth " + b'%="%", ' * 10, max_parameters=10) == ("&".join(["%25=%25"] * 10), None)


def test_there_is_no_call_per_comma() -> None:
    """Empty list elements are allowed, and are skipped together."""
    assert _calls(lambda: parse_authorization(b"OAuth a=b" + b" , ,\t," * 10_000, 1_000)) < CALLS
