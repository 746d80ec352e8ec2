"""OAuth1Request: one HTTP request as it was on the wire, with its OAuth parameters found.

Any octets give an `OAuth1Request` or an ``OAuth1Error``, never anything else.

Signatures are over octets (RFC 5849 section 3.4.1), and frameworks decode: paths lose their escapes, forms their
invalid UTF-8, repeated names all but one value. So this is built from the raw parts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from typing import Any, Literal

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError, RequestTooLargeError
from async_oauth1.policy import SizeLimits

from .authorization_header import other_names, parse_authorization, protocol_parameters
from .base_string import base_string
from .callbacks import is_loopback_host
from .encoding import canonical_form, split_pairs, unescape
from .header_fields import Headers, is_form, is_form_for_everyone, relevant_fields
from .hosts import normalize_host
from .signature import SIGNATURE_METHODS, SigningKeys

__all__ = ["Headers", "OAuth1Request", "is_form", "normalize_host"]

_DEFAULT_LIMITS = SizeLimits()


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
        body_hash_holds: ``oauth_body_hash`` was sent, and is the hash of this body.
        body: the body's octets; ``None`` if it was not read.
        oauth_params: the ``oauth_`` parameters, decoded.
        signature_type: the place they were in: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
        realm: of the Authorization header.
        has_other_header_parameters: the Authorization header has names that do not begin with ``oauth_``.
        may_be_rewritten: the scheme or the peer may be what a client wrote into a header: a server or middleware has
            put it there before this package looked.
        read_body: reads the body if it was not read before; awaited for ``oauth_body_hash``, after the signature.
        client: set once it is looked up.
        credential: set once it is looked up.
        user: the resource owner who approves.
    """

    read_body: Callable[[], Awaitable[bytes] | bytes] | None = None
    client: Any = None
    credential: Any = None
    user: Any = None
    body_hash_holds: bool = False
    may_be_rewritten: bool
    _base_string: str | None

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
        limits: SizeLimits = _DEFAULT_LIMITS,
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
            limits: the largest size of each part; a policy will do.

        Raises:
            InvalidRequestError: malformed header, host or path, or more parameters than the limit.
            DuplicatedOAuthProtocolParameterError: an ``oauth_`` parameter twice, or in two places (section 3.2).
            RequestTooLargeError: over one of the limits in octets.
            UnsupportedMediaTypeError: a Content-Type that some parsers read as a form, and others do not.
        """
        self.method = method
        self.scheme = scheme
        self.host = normalize_host(host, scheme)
        if not raw_path.startswith(b"/"):
            raise InvalidRequestError("The request target is not a path.")
        self.raw_path = raw_path
        self.raw_query = raw_query
        self.raw_headers = tuple(headers)
        self.peer = peer
        self.body = body
        # Read for every request, so not class attributes: those take a search through the bases.
        self.may_be_rewritten = False
        self._base_string = None

        authorization, content_type = relevant_fields(self.raw_headers)
        self.is_form = content_type != b"" and is_form_for_everyone(content_type)
        octets = body if self.is_form and body else b""
        if len(authorization) > limits.max_header_bytes:
            raise _too_large("Authorization header", limits.max_header_bytes)
        if len(raw_query) > limits.max_query_bytes:
            raise _too_large("query", limits.max_query_bytes)
        if len(octets) > limits.max_form_bytes:
            raise _too_large("form", limits.max_form_bytes)
        max_parameters = limits.max_parameters
        self.realm: str | None
        header_form, self.realm = parse_authorization(authorization, max_parameters) or ("", None)
        query_form = canonical_form(raw_query, max_parameters=max_parameters) if raw_query else ""
        body_form = canonical_form(octets, max_parameters=max_parameters) if octets else ""
        self._header_form, self._query_form, self._body_form = header_form, query_form, body_form
        form = header_form
        for more in (query_form, body_form):
            if more:
                form = f"{form}&{more}" if form else more
        self._form = form
        if form.count("=") > max_parameters:  # as many as there are pairs
            raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
        self.has_other_header_parameters: bool
        self.signature_type: str | None
        self.oauth_params: dict[str, str]
        self.signature_type, self.oauth_params = self._find_protocol_parameters()

    def __repr__(self) -> str:
        """Method and place: parameters may hold secrets. Escaped, so that no path forges a line in a log."""
        return f"<OAuth1Request {ascii(f'{self.method} {self.base_string_uri}')[1:-1]}>"

    def _find_protocol_parameters(self) -> tuple[str | None, dict[str, str]]:
        """Section 3.5: the protocol parameters come from one place, and each once (3.1)."""
        if "oauth_" not in self._query_form and "oauth_" not in self._body_form:
            parameters, self.has_other_header_parameters = protocol_parameters(self._header_form)
            return ("HEADER", parameters) if parameters else (None, {})
        in_header, self.has_other_header_parameters = protocol_parameters(self._header_form)
        in_query, _ = protocol_parameters(self._query_form)
        in_body, _ = protocol_parameters(self._body_form)
        places = (("HEADER", in_header), ("QUERY", in_query), ("BODY", in_body))
        found = [(place, parameters) for place, parameters in places if parameters]
        if len(found) > 1:
            names = ", ".join(place for place, _ in found)
            raise DuplicatedOAuthProtocolParameterError(
                f'"oauth_" parameters must come from one place, but were found in {names}.'
            )
        return found[0] if found else (None, {})

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
        """Whether the connection is safe from eavesdroppers: https, or both ends on this machine.

        Not if that is only what a header says, see ``may_be_rewritten``.
        """
        if self.may_be_rewritten:
            return False
        if self.scheme == "https":
            return True
        return is_loopback_host(self.hostname) and (self.peer is None or is_loopback_host(self.peer))

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    @property
    def other_header_parameters(self) -> list[str]:
        """Names in the Authorization header that begin neither with ``oauth_`` nor with ``xoauth_``; not the realm."""
        return other_names(self._header_form) if self.has_other_header_parameters else []

    @property
    def body_protection(self) -> Literal["form", "hash", "none"]:
        """What covers the body, once the request is verified.

        ``form``: the signature, for the body is a form. ``hash``: ``oauth_body_hash``, which was compared. ``none``:
        nothing, whether or not there is a body; always so under PLAINTEXT, which signs nothing.
        """
        if self.signature_method == "PLAINTEXT":
            return "none"
        if self.body_hash_holds:
            return "hash"
        return "form" if self.is_form and self.body is not None else "none"

    # What is signed --------------------------------------------------------------------------------------------------

    def is_signed_with(self, *keys: SigningKeys) -> bool:
        """Whether the signature holds under one of these keys, by one of the shipped methods (section 3.4).

        Nothing else is checked: neither the timestamp, nor the nonce, nor whether this method is accepted at all.
        """
        method = SIGNATURE_METHODS.get(self.oauth_params.get("oauth_signature_method", ""))
        signature = self.signature
        if method is None or not signature:
            return False
        base_string = self.signature_base_string
        for key in keys:
            if method.verify(base_string, signature, key):
                return True
        return False

    @property
    def base_string_uri(self) -> str:
        """Section 3.4.1.2: scheme, host and the path as sent."""
        return f"{self.scheme}://{self.host}{self.raw_path.decode('latin-1')}"

    @property
    def signature_base_string(self) -> str:
        """Section 3.4.1.1."""
        if self._base_string is None:  # cached_property takes a lock on Python 3.11
            path = self.raw_path.decode("latin-1")
            self._base_string = base_string(self.method, self.scheme, self.host, path, self._form)
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
        return _decoded_pairs(self._query_form)

    @cached_property
    def body_params(self) -> list[tuple[str, str]]:
        """The form's parameters, likewise."""
        return _decoded_pairs(self._body_form)

    @cached_property
    def auth_params(self) -> list[tuple[str, str]]:
        """The header's parameters, likewise, with the realm first if there is one."""
        realm = [("realm", self.realm)] if self.realm is not None else []
        return realm + _decoded_pairs(self._header_form)

    @cached_property
    def params(self) -> list[tuple[str, str]]:  # type: ignore[override]  # it can be written, whatever mypy says
        """All parameters."""
        return [*self.query_params, *self.body_params, *self.auth_params]


def _too_large(what: str, limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"The {what} is larger than {limit} bytes.")


def _decoded_pairs(form: str) -> list[tuple[str, str]]:
    return [(unescape(name), unescape(value)) for name, value in split_pairs(form)]
