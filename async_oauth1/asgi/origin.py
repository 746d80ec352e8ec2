"""Finds the scheme and host that the client used and signed, also behind proxies (RFC 5849 section 3.4.1.2).

Headers that name another scheme or host are only accepted from trusted proxies. A client that forges the Host header
only invalidates its own signature. With a forged X-Forwarded-Host, a signature for one host could be accepted at
another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import quote, unquote

from async_oauth1.errors import InvalidRequestError, MisdirectedRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.callbacks import is_loopback_host, parse_address
from async_oauth1.protocol.hosts import normalize_host

_ABSOLUTE = re.compile(rb"(https?)://([^/?#]*)([^?#]*)", re.IGNORECASE)
_FORWARDED_PAIR = re.compile(r'[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))[ \t]*(?:;|\Z)')
_PORT = re.compile(r":[0-9]*\Z")
#: Headers from which servers and middleware take the scheme or the peer's address.
_REWRITING = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-protocol", b"x-forwarded-ssl"}
)
_SAYS_HTTPS = re.compile(rb"\b(?:https|wss|ssl|on)\b", re.IGNORECASE)
#: The scheme of the handshake of a WebSocket.
HTTP_SCHEMES = {"ws": "http", "wss": "https"}
_SCHEMES = {"http": "http", "https": "https"}
_AMBIGUOUS = (
    "The proxy's headers disagree: configure it to set either Forwarded or X-Forwarded-*, and remove the other."
)


def request_origin(scope: Mapping[str, Any], policy: Policy) -> tuple[str, str, str]:
    """Find the origin of a request.

    Args:
        scope: ASGI scope.
        policy: sets the external base URL and the trusted proxies.

    Returns:
        Scheme; host with port, not yet normalised; and the path that a proxy removed, without a slash at its end.

    Raises:
        InvalidRequestError: no usable Host header, or a trusted proxy's headers are malformed.
    """
    base_url = policy.external_base_url and _base_url(scope, policy)
    if base_url:
        scheme, _, rest = base_url.partition("://")
        host, slash, path = rest.partition("/")
        return scheme.lower(), host, (slash + path).rstrip("/")
    scheme, host = scope.get("scheme", "http"), single_host(scope["headers"])
    if policy.trusted_proxies and _comes_from_proxy(scope, policy):
        known = {**HTTP_SCHEMES, **_SCHEMES} if scope.get("type") == "websocket" else _SCHEMES  # Traefik says wss
        return (*_forwarded_origin(scope["headers"], scheme, host, known), "")
    return scheme, host, ""


def _base_url(scope: Mapping[str, Any], policy: Policy) -> str:
    base_url = policy.external_base_url
    return (base_url(scope) if callable(base_url) else base_url) or ""


def peer_address(scope: Mapping[str, Any]) -> str | None:
    """The address of the connection's other end, as the server reports it."""
    client = scope.get("client")
    return client[0] if client else None


def single_host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The value of the Host header, or "" if there is no such header.

    Raises:
        InvalidRequestError: there are two.
    """
    host = None
    for name, value in headers:
        if name == b"host":
            if host is not None:
                raise InvalidRequestError("The request has two Host headers.")
            host = value
    return host.decode("latin-1").strip() if host is not None else ""


def request_path(scope: Mapping[str, Any]) -> bytes:
    """The path as sent, without the query. If the server only has the decoded path, it is encoded again."""
    raw_path: bytes | None = scope.get("raw_path")
    if raw_path is None:
        return quote(scope["path"], safe="/:@!$&'()*+,;=~", errors="surrogatepass").encode()
    return raw_path.partition(b"?")[0]


def origin_form(scope: Mapping[str, Any], policy: Policy) -> bytes:
    """The path of a request target in origin-form or absolute-form (RFC 9112 section 3.2).

    Raises:
        InvalidRequestError: the target has another form.
        MisdirectedRequestError: absolute-form, for an authority that is not this provider's.
    """
    raw_path: bytes | None = scope.get("raw_path")
    if raw_path and raw_path.startswith(b"/") and b"?" not in raw_path:
        return raw_path  # the usual case
    target = request_path(scope)
    if target.startswith(b"/"):
        return target
    match = _ABSOLUTE.fullmatch(target)
    if not match:
        raise InvalidRequestError("The request target is neither a path nor an http URL.")
    scheme = match[1].decode().lower()
    authority = normalize_host(match[2].decode("latin-1"), scheme)
    own_scheme, own_host, _ = request_origin(scope, policy)
    if authority not in {normalize_host(own_host, own_scheme), normalize_host(own_host, scheme)}:
        raise MisdirectedRequestError()
    return match[3] or b"/"


def with_path(scope: MutableMapping[str, Any], policy: Policy) -> MutableMapping[str, Any]:
    """The scope with a path as target, even if the target was in absolute-form (RFC 9112 section 3.2.2).

    Raises:
        OAuth1Error: as for `origin_form`.
    """
    if scope["path"].startswith("/"):
        return scope
    target = origin_form(scope, policy)
    return {**scope, "raw_path": target, "path": unquote(target.decode("latin-1"))}


def _forwarded_origin(
    headers: Iterable[tuple[bytes, bytes]], scheme: str, host: str, known: Mapping[str, str]
) -> tuple[str, str]:
    """The scheme and host from the nearest proxy: the last element of its header, because proxies append.

    A proxy that sets one kind of header passes the other kind on as the client sent it. So they must not disagree.
    """
    fields: dict[bytes, str] = {}
    for name, value in headers:
        if name == b"forwarded" or name.startswith(b"x-forwarded-"):
            fields[name] = value.decode("latin-1").rpartition(",")[2].strip()
    forwarded = parse_forwarded(fields.get(b"forwarded", ""))
    standard = {key: forwarded[key] for key in ("proto", "host") if forwarded.get(key)}
    legacy = _legacy_forwarded(fields, host)
    if standard and legacy and standard != legacy:
        raise InvalidRequestError(_AMBIGUOUS)
    said = standard or legacy
    scheme = said.get("proto", scheme).lower()
    if scheme not in known:
        raise InvalidRequestError("The scheme in the proxy's headers is neither http nor https.")
    return known[scheme], said.get("host", host)


def _legacy_forwarded(fields: Mapping[bytes, str], host: str) -> dict[str, str]:
    said = {key: fields[name] for key in ("proto", "host") if fields.get(name := b"x-forwarded-" + key.encode())}
    port = fields.get(b"x-forwarded-port")
    if port and not _PORT.search(said.get("host", "")):
        said["host"] = f"{said.get('host') or _PORT.sub('', host)}:{port}"
    return said


def parse_forwarded(element: str) -> dict[str, str]:
    """Parse one element of a Forwarded header (RFC 7239 section 4).

    Raises:
        InvalidRequestError: it is malformed, or has a parameter twice.
    """
    pairs: dict[str, str] = {}
    position = 0
    while position < len(element):
        match = _FORWARDED_PAIR.match(element, position)
        if not match or match[1].lower() in pairs:
            raise InvalidRequestError("The proxy's Forwarded header is malformed.")
        pairs[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        position = match.end()
    return pairs


def may_be_rewritten(scope: Mapping[str, Any], policy: Policy) -> bool:
    """Whether a server or middleware may have replaced the scope's scheme or peer by the value of a header.

    By default, uvicorn does so for peers on the same machine, and gunicorn does so for the scheme. ``ProxyFix`` of
    hypercorn and granian's wrapper do so if they are used. Afterwards it is unknown whether a proxy set the header.

    It is assumed if the port of the peer is 0 or is in the header together with the address. It is also assumed for
    https from a peer on the same machine whose headers say https, unless the policy trusts that peer. It does not
    matter if the external base URL is https.
    """
    if policy.external_base_url and _base_url(scope, policy).lower().startswith("https:"):
        return False
    client = scope.get("client")
    if client and client[1] == 0:
        return True
    for name, _ in scope["headers"]:
        if name in _REWRITING:
            return _is_rewritten(scope, policy)
    return False


def _is_rewritten(scope: Mapping[str, Any], policy: Policy) -> bool:
    if _peer_is_rewritten(scope):
        return True
    if scope.get("scheme") != "https" or _comes_from_proxy(scope, policy):
        return False
    peer = peer_address(scope)
    if peer is not None and not is_loopback_host(peer):
        return False  # by default, servers accept these headers only from peers on the same machine
    return any(
        _SAYS_HTTPS.search(value)
        for name, value in scope["headers"]
        if name in _REWRITING and name != b"x-forwarded-for"
    )


def _peer_is_rewritten(scope: Mapping[str, Any]) -> bool:
    client = scope.get("client")
    if not client:
        return False
    if client[1] == 0:  # never the port of a real connection
        return True
    ends = tuple(f"{start}{client[0]}{end}:" for start, end in (("", ""), ("[", "]")))
    return any(
        element.strip().startswith(ends)
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
        for element in value.decode("latin-1").split(",")
    )


def _comes_from_proxy(scope: Mapping[str, Any], policy: Policy) -> bool:
    """Whether the peer is a trusted proxy. An address that was copied from a header does not count."""
    return _is_trusted(peer_address(scope), policy.trusted_proxies) and not _peer_is_rewritten(scope)


def _is_trusted(peer: str | None, networks: tuple[str, ...]) -> bool:
    address = parse_address(peer or "")
    return address is not None and any(address in network for network in _networks(networks))


@lru_cache(maxsize=16)
def _networks(names: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(name) for name in names)
