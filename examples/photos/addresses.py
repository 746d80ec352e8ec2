"""The address of a request's client, also behind proxies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

__all__ = ["client_address"]

# One household or machine usually has a whole /64 of IPv6, so a client could use a new address for each request.
_IPV6_BITS = 64


def client_address(peer: str, forwarded_for: Iterable[str], trusted_proxies: Sequence[str]) -> str:
    """The address to count requests by.

    Args:
        peer: the address that the connection comes from.
        forwarded_for: values of ``X-Forwarded-For``. Each proxy appends the address of its own peer, so the values are
            read from the right, as long as a trusted proxy added them.
        trusted_proxies: networks of the trusted proxies.

    Returns:
        An IPv4 address or an IPv6 network; ``peer`` itself if it is not an address.
    """
    networks = [ip_network(network) for network in trusted_proxies]
    found = None
    for text in (peer, *reversed(",".join(forwarded_for).split(","))):
        address = _parse(text)
        if address is None:
            break
        found = address
        if not any(address in network for network in networks):
            break
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _IPV6_BITS), strict=False))
    return str(found or peer)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
