"""Callback URIs (RFC 5849 sections 2.1, 2.2): their syntax, comparison with registered ones, and appended parameters.

A callback is checked at the first step, so that the client's author sees the error, and not the resource owner. Whole
strings are compared, because comparing prefixes would accept ``legit.com.evil.com`` for ``legit.com``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from async_oauth1.errors import InvalidRequestError

OUT_OF_BAND = "oob"
#: In characters. All browsers and proxies accept this length; the callback is stored with each temporary credential.
MAX_CALLBACK_LENGTH = 2_000
#: The number of cached hosts and peers; parsing an address takes as long as verifying a signature.
ANSWERS_KEPT = 1_024

# The characters of RFC 3986 without "#", since the verifier would become part of the fragment. Control characters,
# spaces, backslashes, quotes and non-ASCII characters are excluded: browsers differ in how they treat them.
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):([A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+)")

_UNDERSCORED = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*_[A-Za-z0-9+.\-_]*:")

# Schemes that run code in the browser or read its data.
_DANGEROUS_SCHEMES = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})

_APPENDED = frozenset({"oauth_token", "oauth_verifier"})

_MALFORMED = "has a malformed host or port"


@lru_cache(maxsize=ANSWERS_KEPT)
def is_loopback_host(host: str | None) -> bool:
    """Return whether a host name or address, without port and brackets, is on the loopback interface."""
    if not host:
        return False
    name = host.lower().removesuffix(".")  # "localhost." is the same host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = parse_address(name)
    return address is not None and address.is_loopback


def name_of_authority(authority: str) -> str:
    """A host as it is in a URL, without its port and brackets."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]


@lru_cache(maxsize=ANSWERS_KEPT)
def is_loopback_authority(authority: str) -> bool:
    """As `is_loopback_host`, for a host as it is in a URL: with a port, or in brackets."""
    return is_loopback_host(name_of_authority(authority))


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address, or return ``None``; an IPv4-mapped address of a dual-stack socket becomes IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def check_callback_syntax(uri: str) -> None:
    """Check that a callback is ``oob``, or a URI that is safe to redirect to.

    Raises:
        InvalidRequestError: the callback is not; the message says why.
    """
    fault = callback_fault(uri)
    if fault is not None:
        raise _refused(fault)


def callback_fault(uri: str) -> str | None:
    """What is wrong with a callback, such as "has no host"; ``None`` if `check_callback_syntax` accepts it."""
    if uri == OUT_OF_BAND:
        return None
    if len(uri) > MAX_CALLBACK_LENGTH:
        return f"is longer than {MAX_CALLBACK_LENGTH} characters"
    match = _URI.fullmatch(uri)
    if match:
        return _fault_of_parts(uri, match[1].lower())
    if uri.lower() == OUT_OF_BAND:
        return f'is "{OUT_OF_BAND}" in capitals; write it in lower case'
    if _UNDERSCORED.match(uri):
        return "has an underscore in its scheme, which RFC 3986 does not allow; use a hyphen or a dot"
    return "is not an absolute URI of printable ASCII without fragment and backslash"


def _fault_of_parts(uri: str, scheme: str) -> str | None:
    if scheme in _DANGEROUS_SCHEMES:
        return "has a scheme that is not safe to redirect to"
    parts = _split(uri)
    if parts is None:
        return _MALFORMED
    if "@" in parts.netloc:
        return "has user information before its host"
    if scheme in ("http", "https") and (not parts.hostname or uri[len(scheme) :][:3] != "://"):
        return "has no host"
    # Names are decoded, and separated at "&" and ";", as any client's parser may do: the appended parameters must be
    # the only ones of these names.
    if any(unquote(piece.partition("=")[0]).lower() in _APPENDED for piece in re.split("[&;]", parts.query)):
        return "already has a parameter that this provider appends"
    return None


def is_web_callback(uri: str) -> bool:
    """Return whether a callback is ``oob`` or http(s), which is required if the client has no list of callbacks."""
    return uri == OUT_OF_BAND or uri.partition(":")[0].lower() in ("http", "https")


def callback_matches(uri: str, registered: Iterable[str], *, query_may_differ: bool = False) -> bool:
    """Return whether a callback is registered.

    Args:
        uri: the callback that the client sent.
        registered: the client's callbacks, with ``oob`` if codes are allowed.
        query_may_differ: ignore the query, for clients that keep their state there.

    Returns:
        True if the strings are equal; the port of a loopback URI may differ (RFC 8252 section 7.3).
    """
    comparable = _comparable(uri, query_may_differ=query_may_differ)
    return any(
        uri == other or comparable == _comparable(other, query_may_differ=query_may_differ) for other in registered
    )


def append_parameters(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Append parameters to the query of a URI; the existing query is not changed (section 2.2)."""
    extra = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)
    _, mark, query = uri.partition("?")
    if not mark:
        return f"{uri}?{extra}"
    return f"{uri}{extra}" if not query or query.endswith("&") else f"{uri}&{extra}"


def _refused(fault: str) -> InvalidRequestError:
    return InvalidRequestError(f'Invalid "oauth_callback" value: it {fault}.')


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises an error if the port is not a number
    except ValueError:
        return None
    return parts


def _comparable(uri: str, *, query_may_differ: bool) -> str:
    if uri == OUT_OF_BAND:
        return uri
    if query_may_differ:
        uri = uri.partition("?")[0]
    parts = _split(uri)
    if parts is None:
        raise _refused(_MALFORMED)
    if parts.scheme in ("http", "https") and is_loopback_host(parts.hostname):
        host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
        return uri.replace(parts.netloc, host, 1)
    return uri
