"""Large forms, queries and headers of the worst spellings: read completely, at a cost that a request may have."""

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
#: Calls of Python functions and methods for one value, and for each parameter. One per octet would be 65,536.
CALLS = 200


def _calls(work: Callable[[], object]) -> int:
    """How many functions are called."""
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
    """What Python's own functions make of it."""
    return quote_from_bytes(unquote_to_bytes(octets), safe="~")


def _base_string(query: bytes) -> str:
    request = OAuth1Request("GET", scheme="https", host="example.com", raw_path=b"/", raw_query=query)
    return request.signature_base_string


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("length", [1, 2, 3, 40, 2_047, 2_049, 5_000])
def test_every_spelling_reads_as_python_reads_it(spelling: bytes, length: int) -> None:
    """Short or long, and wherever it is cut off."""
    octets = (spelling * length)[:length]
    assert canonical(octets.decode("latin-1")) == recode(octets) == _former(octets)


@given(st.lists(st.sampled_from(SPELLINGS) | any_octets(max_size=3), max_size=40).map(b"".join))
def test_any_mixture_reads_as_python_reads_it(octets: bytes) -> None:
    """Nothing is lost, doubled or taken for something else."""
    assert recode(octets) == _former(octets)


@given(st.lists(st.sampled_from([*SPELLINGS, b"&", b"&=", b"a=b&"]), max_size=40).map(b"".join))
def test_a_long_form_reads_as_a_short_one(octets: bytes) -> None:
    """The same parameters, in the same order, whichever way they are read."""
    short = canonical_form(octets, max_parameters=10**6)
    long = canonical_form(octets + b"&z=" + b"z" * 3_000, max_parameters=10**6)
    assert long == (f"{short}&" if short else "") + "z=" + "z" * 3_000


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_no_octet_costs_a_call_of_its_own(spelling: bytes) -> None:
    """In a form, in a query and in a header of 64 KiB."""
    octets = (spelling * SIZE)[: SIZE - 100].replace(b"&", b"")
    header = b'OAuth a="' + octets.replace(b'"', b"").replace(b"\\", b"").replace(b"\n", b"") + b'"'
    assert _calls(lambda: canonical_form(octets, max_parameters=1_000)) < CALLS
    assert _calls(lambda: _base_string(octets)) < CALLS
    assert _calls(lambda: parse_authorization(header, 1_000)) < CALLS


def test_no_octet_of_many_parameters_costs_a_call_of_its_own() -> None:
    """Short values in a large form are no dearer than one long one."""
    octets = b"&".join([b"a=" + b"%" * 1_000] * 60)
    assert _calls(lambda: canonical_form(octets, max_parameters=1_000)) < 60 * CALLS


def test_a_header_of_too_many_parameters_is_refused_before_they_are_read() -> None:
    """The limit of the request counts while the header is read, not afterwards."""
    header = b"OAuth " + b'%="%",' * 10_000

    def refused() -> None:
        with pytest.raises(InvalidRequestError, match="more than 10 parameters"):
            parse_authorization(header, max_parameters=10)

    assert _calls(refused) < 10 * CALLS
    assert parse_authorization(b"OAuth " + b'%="%", ' * 10, max_parameters=10) == ("&".join(["%25=%25"] * 10), None)


def test_commas_without_parameters_cost_no_call_each() -> None:
    """Empty list elements are allowed, and read in one step."""
    assert _calls(lambda: parse_authorization(b"OAuth a=b" + b" , ,\t," * 10_000, 1_000)) < CALLS
