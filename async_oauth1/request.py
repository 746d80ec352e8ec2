"""OAuth1Request: one HTTP request as it was on the wire, with its OAuth parameters found.

Any octets give an `OAuth1Request` or an ``OAuth1Error``, never anything else.

Signatures are over octets (RFC 5849 section 3.4.1), and frameworks decode: paths lose their escapes, forms their
invalid UTF-8, repeated names all but one value. So this is built from the raw parts.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import cached_property
from ipaddress import IPv6Address
from typing import Any

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

from ._authorization import AuthorizationHeader, parse_authorization
from ._callbacks import is_loopback_host
from ._encoding import Pair, parse_form, unescape, unescape_strictly
from .errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError, RequestTooLargeError
from .signature import signature_base_string

__all__ = ["Headers", "OAuth1Request", "is_form", "normalize_host"]

DEFAULT_PORTS = {"http": 80, "https": 443}

# Labels of 1 to 63 characters, as DNS has them: Werkzeug fails on any other while it routes.
_HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?=[^:]{1,255}(?::|\Z))[A-Za-z0-9\-_~]{1,63}(?:\.[A-Za-z0-9\-_~]{1,63})*+\.?)"
    r"(?::([0-9]{0,5}))?"
)
_FORM = re.compile(rb"[ \t]*application/x-www-form-urlencoded[ \t]*(?:;.*)?", re.IGNORECASE | re.DOTALL)


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; a repeated field's values are joined by commas (RFC 9110 section 5.3)."""

    __slots__ = ("_fields",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Take the fields as octets, as ASGI has them."""
        self._fields: dict[str, str] = {}
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            self._fields[name] = f"{self._fields[name]}, {value}" if name in self._fields else value

    def __getitem__(self, name: str) -> str:
        """The field's value."""
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """The names, in lower case."""
        return iter(self._fields)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._fields)

    def __repr__(self) -> str:
        """The names alone: a signature or a cookie does not belong in a log."""
        return f"<Headers {', '.join(self._fields)}>"


class OAuth1Request(AuthlibOAuth1Request):
    """A request, read but not yet verified. Attributes have Authlib's names.

    Attributes:
        method: HTTP method, as sent.
        scheme: ``http`` or ``https``, as the client saw it.
        host: host and port as the client saw them, in lower case, without the scheme's default port.
        raw_path: path as sent, without the query.
        raw_query: query as sent, without the question mark.
        raw_headers: the header fields, as octets.
        peer: address of the connection's other end; ``None`` for a Unix socket and within a process.
        is_form: the body is ``application/x-www-form-urlencoded``.
        body: the body's octets; ``None`` where it was not read.
        oauth_params: the ``oauth_`` parameters, decoded.
        signature_type: where they were: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
        realm: of the Authorization header.
        read_body: reads the body where it was not read; awaited once the signature holds, for ``oauth_body_hash``.
        client: set once it is looked up.
        credential: set once it is looked up.
        user: the resource owner who approves.
    """

    def __init__(
        self,
        method: str,
        *,
        scheme: str,
        host: str,
        raw_path: bytes,
        raw_query: bytes = b"",
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes | None = None,
        peer: str | None = None,
        max_parameters: int = 1_000,
        max_header_bytes: int = 64 * 1024,
        max_query_bytes: int = 64 * 1024,
        max_form_bytes: int = 1024 * 1024,
    ) -> None:
        """Read the request.

        Args:
            method: HTTP method.
            scheme: ``http`` or ``https``.
            host: as the Host header has it, or as a trusted proxy or the configuration says.
            raw_path: path as sent, beginning with a slash.
            raw_query: query as sent.
            headers: name and value pairs; names in any case.
            body: needed for a form; of other bodies only for ``oauth_body_hash``.
            peer: address of the connection's other end; ``None`` for a Unix socket and within a process.
            max_parameters: in header, query and form together.
            max_header_bytes: of the Authorization header.
            max_query_bytes: of the query.
            max_form_bytes: of a form.

        Raises:
            InvalidRequestError: malformed header, host or path, or more parameters than the limit.
            DuplicatedOAuthProtocolParameterError: an ``oauth_`` parameter twice, or in two places (section 3.2).
            RequestTooLargeError: over one of the limits in octets.
        """
        self.method = method
        self.scheme = scheme
        self.host = normalize_host(host, scheme)
        self.raw_path = _checked_path(raw_path)
        self.raw_query = _limited(raw_query, max_query_bytes, "query")
        self.raw_headers = tuple(headers)
        self.peer = peer
        self.body = body
        self.read_body: Callable[[], Awaitable[bytes] | bytes] | None = None
        self.client: Any = None
        self.credential: Any = None
        self.user: Any = None
        self._base_string: str | None = None

        authorization, content_type = _relevant_fields(self.raw_headers)
        self.is_form = is_form(content_type)
        header = parse_authorization(_limited(authorization, max_header_bytes, "Authorization header"))
        self._auth_pairs, self.realm = header or AuthorizationHeader([], None)
        self._query_pairs = parse_form(self.raw_query, max_pairs=max_parameters)
        form = _limited(body, max_form_bytes, "form") if self.is_form and body else b""
        self._body_pairs = parse_form(form, max_pairs=max_parameters)
        if len(self._auth_pairs) + len(self._query_pairs) + len(self._body_pairs) > max_parameters:
            raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
        self.signature_type: str | None
        self.oauth_params: dict[str, str]
        self.signature_type, self.oauth_params = self._find_protocol_parameters()

    def __repr__(self) -> str:
        """Method and place: parameters may hold secrets. Escaped, so that no path forges a line in a log."""
        return f"<OAuth1Request {ascii(f'{self.method} {self.base_string_uri}')[1:-1]}>"

    def _find_protocol_parameters(self) -> tuple[str | None, dict[str, str]]:
        """Section 3.5: the protocol parameters come from one place, and each once (3.1)."""
        found: list[tuple[str, list[Pair]]] = []
        for place, pairs in (("HEADER", self._auth_pairs), ("QUERY", self._query_pairs), ("BODY", self._body_pairs)):
            protocol = [pair for pair in pairs if pair[0].startswith("oauth_")]
            if protocol:
                found.append((place, protocol))
        if not found:
            return None, {}
        if len(found) > 1:
            names = ", ".join(place for place, _ in found)
            raise DuplicatedOAuthProtocolParameterError(
                f'"oauth_" parameters must come from one place, but were found in {names}.'
            )
        [(place, protocol)] = found
        parameters = dict(protocol)
        if len(parameters) < len(protocol):
            raise DuplicatedOAuthProtocolParameterError('An "oauth_" parameter stands more than once.')
        for name, value in protocol:
            if "%" in value:
                parameters[name] = _decoded(name, value)
        return place, parameters

    # Authlib's names for the parameters ------------------------------------------------------------------------------

    @property
    def client_id(self) -> str | None:
        """``oauth_consumer_key``."""
        return self.oauth_params.get("oauth_consumer_key")

    @property
    def token(self) -> str | None:
        """``oauth_token``; an empty one counts as absent, but stays in the base string."""
        return self.oauth_params.get("oauth_token") or None

    @property
    def timestamp(self) -> str | None:
        """``oauth_timestamp``, as text."""
        return self.oauth_params.get("oauth_timestamp")

    @property
    def nonce(self) -> str | None:
        """``oauth_nonce``."""
        return self.oauth_params.get("oauth_nonce")

    @property
    def redirect_uri(self) -> str | None:
        """``oauth_callback``."""
        return self.oauth_params.get("oauth_callback")

    @property
    def verifier(self) -> str | None:
        """``oauth_verifier``."""
        return self.oauth_params.get("oauth_verifier")

    @property
    def signature_method(self) -> str | None:
        """``oauth_signature_method``."""
        return self.oauth_params.get("oauth_signature_method")

    @property
    def signature(self) -> str | None:
        """``oauth_signature``.

        Some clients put Base64 into a query or form without escaping it. A space there can only have been a ``+``.
        """
        signature = self.oauth_params.get("oauth_signature")
        if signature and self.signature_type != "HEADER" and self.signature_method != "PLAINTEXT":
            return signature.replace(" ", "+")
        return signature

    @property
    def is_secure(self) -> bool:
        """Whether nobody between client and server can listen: https, or both ends on this machine."""
        local_peer = self.peer is None or is_loopback_host(self.peer)
        return self.scheme == "https" or (local_peer and is_loopback_host(self.hostname))

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    # What is signed --------------------------------------------------------------------------------------------------

    @property
    def base_string_uri(self) -> str:
        """Section 3.4.1.2: scheme, host and the path as sent."""
        return f"{self.scheme}://{self.host}{self.raw_path.decode('latin-1')}"

    @property
    def signature_base_string(self) -> str:
        """Section 3.4.1.1."""
        if self._base_string is None:  # cached_property takes a lock on Python 3.11
            pairs = self._auth_pairs + self._query_pairs + self._body_pairs
            self._base_string = signature_base_string(self.method, self.base_string_uri, pairs)
        return self._base_string

    # What Authlib's request has besides ------------------------------------------------------------------------------

    @cached_property
    def uri(self) -> str:
        """The whole URI as sent."""
        query = self.raw_query.decode("latin-1")
        return f"{self.base_string_uri}?{query}" if query else self.base_string_uri

    @cached_property
    def headers(self) -> Headers:
        """The header fields."""
        return Headers(self.raw_headers)

    @cached_property
    def query(self) -> str:
        """The query as sent."""
        return self.raw_query.decode("latin-1")

    @cached_property
    def query_params(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded, in the order received; what is not UTF-8 shows as U+FFFD."""
        return _decoded_pairs(self._query_pairs)

    @cached_property
    def body_params(self) -> list[tuple[str, str]]:
        """The form's parameters, likewise."""
        return _decoded_pairs(self._body_pairs)

    @cached_property
    def auth_params(self) -> list[tuple[str, str]]:
        """The header's parameters, likewise, with the realm first where there is one."""
        realm = [("realm", self.realm)] if self.realm is not None else []
        return realm + _decoded_pairs(self._auth_pairs)

    @cached_property
    def params(self) -> list[tuple[str, str]]:  # type: ignore[override]  # it can be written, whatever mypy says
        """All parameters."""
        return [*self.query_params, *self.body_params, *self.auth_params]


def is_form(content_type: bytes | None) -> bool:
    """Whether a Content-Type is ``application/x-www-form-urlencoded``, in any case, with or without parameters."""
    return bool(content_type) and _FORM.fullmatch(content_type or b"") is not None


def normalize_host(host: str, scheme: str) -> str:
    """Check a host, lower its case and drop the scheme's default port (section 3.4.1.2).

    Raises:
        InvalidRequestError: the host is malformed.
    """
    match = _HOST.fullmatch(host)
    if not match:
        raise InvalidRequestError("The Host header is missing or malformed.")
    name, port = match[1].lower(), match[2]
    if name.startswith("["):
        try:
            IPv6Address(name[1:-1])
        except ValueError:
            raise InvalidRequestError("The Host header has a malformed IPv6 address.") from None
    if not port or int(port) == DEFAULT_PORTS.get(scheme):
        return name
    if not 0 < int(port) < 65_536:
        raise InvalidRequestError("The Host header has a port that does not exist.")
    return f"{name}:{int(port)}"


def _relevant_fields(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Authorization and Content-Type; a second one of either would be read differently by whoever reads next."""
    found = {b"authorization": b"", b"content-type": b""}
    seen: set[bytes] = set()
    for raw_name, value in headers:
        name = raw_name.lower()
        if name in found:
            if name in seen:
                raise InvalidRequestError(f"The request has two {name.decode().title()} headers.")
            seen.add(name)
            found[name] = value
    return found[b"authorization"], found[b"content-type"]


def _limited(octets: bytes, limit: int, what: str) -> bytes:
    if len(octets) > limit:
        raise RequestTooLargeError(f"The {what} is larger than {limit} bytes.")
    return octets


def _checked_path(raw_path: bytes) -> bytes:
    if not raw_path.startswith(b"/"):
        raise InvalidRequestError("The request target is not a path.")
    return raw_path


def _decoded(name: str, value: str) -> str:
    try:
        return unescape_strictly(value)
    except UnicodeDecodeError:
        raise InvalidRequestError(f'"{unescape(name)}" is not UTF-8.') from None


def _decoded_pairs(pairs: Iterable[Pair]) -> list[tuple[str, str]]:
    return [(unescape(name), unescape(value)) for name, value in pairs]
