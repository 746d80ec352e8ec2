"""Whatever is read natively, Python reads with the same result; everything else is left to Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_oauth1.policy import SizeLimits
from tests.protocol.wire import any_octets
from tests.stress import STRESS, sample

from . import comparing
from .comparing import READ, Parts, compare, counted, mutation

pytestmark = pytest.mark.usefixtures("native_reader")

pieces = st.one_of(st.sampled_from(comparing.INSERTED), any_octets(max_size=3))
octets = st.lists(pieces, max_size=14).map(b"".join)
names = st.one_of(
    st.sampled_from([b"oauth_token", b"oauth_nonce", b"oauth_x", b"oauth_signature", b"a", b"realm"]), octets
)
quoted = octets.map(lambda value: value.replace(b'"', b"").replace(b"\\", b""))


def elements(parts: tuple[bytes, list[tuple[bytes, bytes]], bytes]) -> bytes:
    realm, parameters, comma = parts
    return b"OAuth " + realm + comma.join(b'%b="%b"' % parameter for parameter in parameters)


headers = st.one_of(
    octets,
    st.tuples(
        st.sampled_from([b"", b'realm="R", ', b'realm="\xe4 q",', b'realm="a\\"b", ', b'realm="a"']),
        st.lists(st.tuples(names, quoted), max_size=6),
        st.sampled_from([b", ", b",", b" , ", b",,"]),
    ).map(elements),
)
forms = st.one_of(octets, st.lists(st.tuples(names, octets).map(b"=".join), max_size=8).map(b"&".join))


@settings(max_examples=20_000 if STRESS else 150, deadline=None)
@given(
    header=headers,
    query=forms,
    form=forms,
    method=st.sampled_from(["GET", "post", "Po st", "\xdf"]),
    scheme=st.sampled_from(["http", "https", "h\xe9"]),
    host=st.sampled_from(["h.example", "H.example:443", "[::1]:80", "h_~x"]),
    path=octets,
    most=st.sampled_from([1, 2, 3, 5, 1_000]),
)
def test_any_request(
    header: bytes, query: bytes, form: bytes, method: str, scheme: str, host: str, path: bytes, most: int
) -> None:
    """Any octets, in the header, the query, the form and the path, give the same request or the same error."""
    place = {"method": method, "scheme": scheme, "host": host, "raw_path": b"/" + path}
    compare(**comparing.request(header, query, form, most, **place))


def test_mutations_of_good_requests() -> None:
    """Good requests with a few changes. A quarter or more of them is read natively: the comparison means something."""
    READ.clear()
    chance = random.Random(20_260_101)
    with counted():
        for _ in range(300_000 if STRESS else 2_000):
            compare(**mutation(chance))
    assert READ[True] > READ.total() / 4
    assert READ[False] > READ.total() / 4


@pytest.mark.stress
@pytest.mark.parametrize(
    ("cases", "sampled"),
    [
        (comparing.listed, 700),
        (comparing.unusual_for_the_lane, 400),
        (comparing.of_sizes, 100),
        (comparing.single_octets, 700),
        (comparing.pairs_of_octets, 700),
    ],
)
def test_cases(cases: Callable[[], Iterator[Parts]], sampled: int) -> None:
    """The listed cases, sizes around each limit, and octets at each place of the grammar."""
    for parts in sample(list(cases()), sampled):
        compare(**parts)


@pytest.mark.parametrize("parts", comparing.GOOD)
def test_a_usual_request_is_read_natively(parts: Parts) -> None:
    """A request as nearly all clients send it does not need Python, wherever its parameters are."""
    READ.clear()
    with counted():
        compare(**parts)
    assert READ == {True: 1}


def test_a_request_is_read_as_it_was_sent() -> None:
    """The parameters of a native reading do not change if a body that is no form is read later."""
    parts = comparing.GOOD[0] | {"body": None, "limits": SizeLimits()}
    read = comparing.OAuth1Request(**parts)
    read.body = b"a=b"
    assert ("a", "b") not in read.params
    assert read.signature_base_string.endswith("size%3Doriginal")
