"""The address that a trusted proxy reports in ``Forwarded`` (RFC 7239)."""

from __future__ import annotations

import pytest

from async_oauth1.limits.addresses import address_of
from async_oauth1.protocol.request import OAuth1Request

PROXIES = ("10.0.0.0/8",)


def counted(forwarded: str) -> str:
    """The address that a request counts for which a proxy has sent with this field."""
    headers = [(b"forwarded", forwarded.encode("latin-1"))]
    request = OAuth1Request("GET", scheme="http", host="x", raw_path=b"/", headers=headers, peer="10.0.0.1")
    return address_of(request, PROXIES)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ("For=198.51.100.1;proto=https", "198.51.100.1"),
        ('for="198.51.100.1:4711"', "198.51.100.1"),
        ('proto=https; for="[2001:db8::1]:4711"', "2001:db8::/64"),
        ("for=6.6.6.6, for=198.51.100.1", "198.51.100.1"),
        ("for=198.51.100.1, for=10.0.0.2", "198.51.100.1"),
        ("for=_hidden", "10.0.0.1"),
        ("for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
    ],
)
def test_the_proxys_element_counts(forwarded: str, address: str) -> None:
    """The nearest address that a trusted proxy has added counts; the proxy's own if there is none."""
    assert counted(forwarded) == address


@pytest.mark.parametrize(
    "written_by_the_client",
    [
        'host="a;for=6.6.6.6"',
        "host=a;for=6.6.6.6",
        'by=";for=6.6.6.6',
        'x="\\',
        'for=6.6.6.6, x="',
        'x="a;for=6.6.6.6,b',
    ],
)
@pytest.mark.parametrize("separator", [";", ", "])
def test_a_client_cannot_write_an_address_of_its_own(written_by_the_client: str, separator: str) -> None:
    """Quotes and parameters in what a proxy copies from the client do not hide the address that the proxy adds."""
    for added, address in (("for=198.51.100.1", "198.51.100.1"), ('for="[2001:db8::1]"', "2001:db8::/64")):
        assert counted(f"{written_by_the_client}{separator}{added}") in (address, "10.0.0.1")


@pytest.mark.parametrize("filler", ["a", '"a', '"\\', "for=1,", ";for="])
def test_a_long_field_is_read_in_one_pass(filler: str) -> None:
    """A field as long as servers allow takes milliseconds; if it were searched again from each place, minutes."""
    assert counted(filler * (60_000 // len(filler)) + '"') == "10.0.0.1"
