"""Callback URIs (RFC 5849 sections 2.1, 2.2): what is well formed, what equals a registered one, how it is extended.

A callback is refused at the first step, where the client's author sees the reason, and never at the redirect, where
the resource owner would. Comparison is of the whole string: prefix rules are how ``legit.com.evil.com`` gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from async_oauth1.errors import InvalidRequestError

OUT_OF_BAND = "oob"
#: What every browser and proxy passes on; it is kept with each temporary credential.
MAX_CALLBACK_LENGTH = 2_000
#: Hosts and peers that need not be parsed again; parsing an address takes as long as verifying a signature.
ANSWERS_KEPT = 1_024

# RFC 3986's characters, without "#" (a fragment would swallow the verifier). Leaves out controls, space, backslash,
# quotes and everything beyond ASCII: browsers disagree about each of them.
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):([A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+)")

_UNDERSCORED = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*_[A-Za-z0-9+.\-_]*:")

# Schemes that run in, or read from, the browser that is sent there.
_DANGEROUS_SCHEMES = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})

_APPENDED = frozenset({"oauth_token", "oauth_verifier"})


@lru_cache(maxsize=ANSWERS_KEPT)
def is_loopback_host(host: str | None) -> bool:
    """Whether a host name or address, without port and brackets, never leaves the machine."""
    if not host:
        return False
    name = host.lower().removesuffix(".")  # the root of DNS, written out: the same host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = parse_address(name)
    return address is not None and address.is_loopback


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, or ``None`` if the text is not one; an IPv4 one that a dual-stack socket reports is IPv4 again."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def check_callback_syntax(uri: str) -> None:
    """Refuse a callback that no redirect should be built from; ``oob`` passes.

    Raises:
        InvalidRequestError: says which rule the callback breaks.
    """
    if uri == OUT_OF_BAND:
        return
    if len(uri) > MAX_CALLBACK_LENGTH:
        raise _refused(f"is longer than {MAX_CALLBACK_LENGTH} characters")
    match = _URI.fullmatch(uri)
    if not match:
        if uri.lower() == OUT_OF_BAND:
            raise _refused(f'is "{OUT_OF_BAND}" in capitals; write it in lower case')
        if _UNDERSCORED.match(uri):
            raise _refused("has an underscore in its scheme, which RFC 3986 does not allow; use a hyphen or a dot")
        raise _refused("is not an absolute URI of printable ASCII without fragment and backslash")
    scheme = match[1].lower()
    if scheme in _DANGEROUS_SCHEMES:
        raise _refused("has a scheme that no browser should be sent to")
    parts = _split(uri)
    if "@" in parts.netloc:
        raise _refused("carries user information before its host")
    if scheme in ("http", "https") and (not parts.hostname or uri[len(scheme) :][:3] != "://"):
        raise _refused("names no host")
    # Unescaped, and split where any client's parser might: what it reads first must be what is appended here.
    if any(unquote(piece.partition("=")[0]).lower() in _APPENDED for piece in re.split("[&;]", parts.query)):
        raise _refused("already carries a parameter that this provider appends")


def is_web_callback(uri: str) -> bool:
    """Whether a callback is ``oob`` or http(s): what passes if the client has no list of callbacks."""
    return uri == OUT_OF_BAND or uri.partition(":")[0].lower() in ("http", "https")


def callback_matches(uri: str, registered: Iterable[str], *, query_may_differ: bool = False) -> bool:
    """Whether a callback is one of the registered ones.

    Args:
        uri: as the client sent it.
        registered: the client's callbacks, ``oob`` among them where codes are allowed.
        query_may_differ: let the query differ, for clients that keep their state there.

    Returns:
        True for the same string; for a loopback URI also with another port (RFC 8252 section 7.3).
    """
    comparable = _comparable(uri, query_may_differ=query_may_differ)
    return any(
        uri == other or comparable == _comparable(other, query_may_differ=query_may_differ) for other in registered
    )


def append_parameters(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The URI with parameters appended to its query, which stays as it is to the octet (section 2.2)."""
    extra = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)
    _, mark, query = uri.partition("?")
    if not mark:
        return f"{uri}?{extra}"
    return f"{uri}{extra}" if not query or query.endswith("&") else f"{uri}&{extra}"


def _refused(reason: str) -> InvalidRequestError:
    return InvalidRequestError(f'Invalid "oauth_callback" value: it {reason}.')


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises where the port is no number
    except ValueError:
        raise _refused("has a malformed host or port") from None
    return parts


def _comparable(uri: str, *, query_may_differ: bool) -> str:
    if uri == OUT_OF_BAND:
        return uri
    if query_may_differ:
        uri = uri.partition("?")[0]
    parts = _split(uri)
    if parts.scheme in ("http", "https") and is_loopback_host(parts.hostname):
        host = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
        return uri.replace(parts.netloc, host, 1)
    return uri
