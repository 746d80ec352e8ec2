"""The address to count a request by."""

from __future__ import annotations

import pytest

from async_oauth1.limits import client_address

PROXIES = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, rubbish"], "10.0.0.1"),
        ("fd00::1", ["2001:db8:0:1:2:3:4:5"], "2001:db8:0:1::/64"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("", [], ""),
    ],
)
def test_the_address_comes_from_trusted_proxies(peer: str, forwarded_for: list[str], address: str) -> None:
    """A header that a client wrote itself is ignored."""
    assert client_address(peer, forwarded_for, PROXIES) == address
