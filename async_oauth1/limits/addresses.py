"""The address of a request's client, also behind proxies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from async_oauth1.asgi.origin import parse_forwarded
from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["address_of", "client_address"]

# One household or machine usually has a whole /64 of IPv6, so a client could use a new address for each request.
_IPV6_BITS = 64
_NODE = re.compile(r"\[?([0-9A-Fa-f.:]+)")
_IPV4_PORT = re.compile(r"([0-9.]+):[0-9]+")


def address_of(request: OAuth1Request, trusted_proxies: tuple[str, ...]) -> str:
    """The address to count a request by; empty if the server reports none, as for a Unix socket.

    Only what a trusted proxy has written counts. If both ``Forwarded`` and ``X-Forwarded-For`` are there and disagree,
    one of them is the client's own, and the request counts for the proxy's address.

    Args:
        request: the request.
        trusted_proxies: networks of the trusted proxies.
    """
    peer = request.peer or ""
    if not trusted_proxies or request.may_be_rewritten:
        return client_address(peer, (), ())
    legacy, standard = _forwarded(request)
    found = {client_address(peer, values, trusted_proxies) for values in (legacy, standard) if values}
    return found.pop() if len(found) == 1 else client_address(peer, (), ())


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
    networks = _networks(tuple(trusted_proxies))
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


def _forwarded(request: OAuth1Request) -> tuple[list[str], list[str]]:
    """The values of ``X-Forwarded-For``, and the addresses in ``Forwarded`` (RFC 7239 section 5.2)."""
    legacy: list[str] = []
    standard: list[str] = []
    for raw_name, value in request.raw_headers:
        name = raw_name.lower()
        if name == b"x-forwarded-for":
            legacy.append(value.decode("latin-1"))
        elif name == b"forwarded":
            standard += [_node(element) for element in value.decode("latin-1").split(",") if element.strip()]
    return legacy, standard


def _node(element: str) -> str:
    """The address in one element of ``Forwarded``; ``unknown`` if it has none or is malformed."""
    try:
        match = _NODE.match(parse_forwarded(element).get("for", ""))
    except InvalidRequestError:
        return "unknown"
    return match[1] if match else "unknown"


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    with_port = _IPV4_PORT.fullmatch(text)  # some proxies add the port
    try:
        address = ip_address(with_port[1] if with_port else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=16)
def _networks(names: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(name) for name in names)
