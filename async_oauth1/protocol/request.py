"""OAuth1Request: an HTTP request as it was sent, with its OAuth parameters.

Any octets give an `OAuth1Request` or an ``OAuth1Error``, and no other exception.

Signatures are over octets (RFC 5849 section 3.4.1), but frameworks decode paths, replace invalid UTF-8 in forms, and
may keep only one value of a repeated name. Therefore the request is built from the raw octets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import cached_property
from typing import Any, Literal

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

from async_oauth1.errors import InvalidRequestError, OAuth1Error, RequestTooLargeError
from async_oauth1.policy import SizeLimits
from async_oauth1.tolerances import PARAMETERS_IN_TWO_PLACES

from .authorization_header import other_names, parse_authorization, protocol_parameters
from .base_string import base_string
from .callbacks import is_loopback_host
from .encoding import canonical_form, split_pairs, unescape
from .header_fields import Headers, is_form, is_form_for_everyone, relevant_fields
from .hosts import normalize_host
from .lenient_forms import find_lenient_form, lenient_forms
from .places import find_protocol_parameters
from .signature import SIGNATURE_METHODS, SigningKeys

__all__ = ["Headers", "OAuth1Request", "is_form", "normalize_host"]

_DEFAULT_LIMITS = SizeLimits()


class OAuth1Request(AuthlibOAuth1Request):
    """A request that was read, but not yet verified. Attributes have Authlib's names.

    Attributes:
        method: HTTP method, as sent.
        scheme: ``http`` or ``https``, as the client saw it.
        host: host and port as the client saw them, in lower case, without the scheme's default port.
        raw_path: the path as sent, without the query.
        raw_query: the query as sent, without the question mark.
        raw_headers: the header fields, as octets.
        peer: the client's address; ``None`` for a Unix socket and within a process.
        is_form: whether the body is ``application/x-www-form-urlencoded``.
        body_hash_holds: whether ``oauth_body_hash`` was sent, and is the hash of this body.
        body: the body's octets; ``None`` if it was not read.
        oauth_params: the ``oauth_`` parameters, decoded.
        signature_type: the place of the signature: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
        realm: the realm of the Authorization header.
        has_other_header_parameters: whether the Authorization header has names that do not begin with ``oauth_``.
        may_be_rewritten: whether the scheme or the peer may come from a header that the client can write.
        read_body: reads the body if it was not read yet; called after the signature was verified.
        deviations: what is refused unless the client is allowed it: the name of each tolerance, and the error.
        requested_scope: what the client asks for at the first step; ``granted_scope`` is what the owner grants.
        tolerances: the tolerances of this client; set after its look-up.
        tolerances_used: the tolerances without which the signature would not verify.
        timestamp_window: the client's own window, in seconds; ``None`` for the policy's.
        tried_keys: the keys with which the signature does not verify.
        client: the client; set after its look-up, as ``credential`` is.
        user: the resource owner who approves the request.
    """

    read_body: Callable[[], Awaitable[bytes] | bytes] | None = None
    client: Any = None
    credential: Any = None
    user: Any = None
    body_hash_holds: bool = False
    requested_scope: str = ""
    granted_scope: str = ""
    may_be_rewritten: bool
    tried_keys: tuple[SigningKeys, ...] = ()
    tolerances: Collection[str] = ()
    tolerances_used: tuple[str, ...] = ()
    timestamp_window: int | None = None
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
            host: the host from the Host header, a trusted proxy or the configuration.
            raw_path: the path as sent, with a leading slash.
            raw_query: the query as sent.
            headers: name and value pairs; names in any case.
            body: the body of a form; other bodies are needed only for ``oauth_body_hash``.
            peer: the client's address; ``None`` for a Unix socket and within a process.
            limits: the maximum size of each part; may be a policy.

        Raises:
            InvalidRequestError: a header, the host or the path is malformed, or there are too many parameters.
            DuplicatedOAuthProtocolParameterError: an ``oauth_`` parameter is repeated (section 3.1).
            RequestTooLargeError: a part exceeds its limit in octets.
            UnsupportedMediaTypeError: the Content-Type is read as a form's by some parsers only.
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
        # Instance attributes, because they are read for every request, and class attributes are slower to find.
        self.may_be_rewritten = False
        self.deviations: tuple[tuple[str, OAuth1Error], ...] = ()
        self._base_string = None

        authorization, content_type = relevant_fields(self.raw_headers)
        self.is_form = content_type != b"" and is_form_for_everyone(content_type)
        octets = body if self.is_form and body else b""
        for what, part, limit in (
            ("Authorization header", authorization, limits.max_header_bytes),
            ("query", raw_query, limits.max_query_bytes),
            ("form", octets, limits.max_form_bytes),
        ):
            if len(part) > limit:
                raise RequestTooLargeError(f"The {what} is larger than {limit} bytes.")
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
        """Show only method and URI, without secrets, and escaped, so that a path cannot forge a line of the log."""
        return f"<OAuth1Request {ascii(f'{self.method} {self.base_string_uri}')[1:-1]}>"

    def _find_protocol_parameters(self) -> tuple[str | None, dict[str, str]]:
        """Find the protocol parameters: in one place (section 3.5) unless more are tolerated, and each once (3.1)."""
        if "oauth_" not in self._query_form and "oauth_" not in self._body_form:
            parameters, self.has_other_header_parameters = protocol_parameters(self._header_form)
            return ("HEADER", parameters) if parameters else (None, {})
        found = find_protocol_parameters(self._header_form, self._query_form, self._body_form)
        self.has_other_header_parameters = found.has_other_header_parameters
        if found.in_several_places is not None:
            self.note_deviation(PARAMETERS_IN_TWO_PLACES, found.in_several_places)
        return found.place, found.parameters

    def note_deviation(self, name: str, error: OAuth1Error) -> None:
        """Remember what is refused unless the tolerance of that name covers it."""
        self.deviations = (*self.deviations, (name, error))

    def find_untolerated(self, tolerances: Collection[str] | None = None) -> OAuth1Error | None:
        """The error of the first deviation that is not among some tolerances, or else ``self.tolerances``."""
        tolerated = self.tolerances if tolerances is None else tolerances
        for name, error in self.deviations:
            if name not in tolerated:
                return error
        return None

    # Authlib's names for the parameters ------------------------------------------------------------------------------

    @property
    def client_id(self) -> str | None:
        """``oauth_consumer_key``."""
        return self.oauth_params.get("oauth_consumer_key")

    @property
    def token(self) -> str | None:
        """``oauth_token``; an empty one counts as absent, but is signed."""
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

        Some clients do not escape the Base64 in a query or a form, so that each ``+`` is decoded as a space.
        """
        signature = self.oauth_params.get("oauth_signature")
        if signature and self.signature_type != "HEADER" and self.signature_method != "PLAINTEXT":
            return signature.replace(" ", "+")
        return signature

    @property
    def is_secure(self) -> bool:
        """Whether the connection is protected from eavesdroppers: it uses https, or both ends are on loopback.

        False if this is known only from a header that the client can write, see ``may_be_rewritten``.
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
    def canonical_forms(self) -> tuple[str, str, str]:
        """The parameters of the Authorization header, the query and the form, each in canonical form."""
        return self._header_form, self._query_form, self._body_form

    @property
    def other_header_parameters(self) -> list[str]:
        """Names in the Authorization header that begin neither with ``oauth_`` nor with ``xoauth_``; not the realm."""
        return other_names(self._header_form) if self.has_other_header_parameters else []

    @property
    def body_protection(self) -> Literal["form", "hash", "none"]:
        """How the body of a verified request is signed.

        ``form``: the body is a form, which the signature covers. ``hash``: ``oauth_body_hash`` was sent and is right.
        ``none``: the body is not signed, or there is none; always so with PLAINTEXT.
        """
        if self.signature_method == "PLAINTEXT":
            return "none"
        if self.body_hash_holds:
            return "hash"
        return "form" if self.is_form and self.body is not None else "none"

    # What is signed --------------------------------------------------------------------------------------------------

    def is_signed_with(self, *keys: SigningKeys) -> bool:
        """Return whether the signature verifies with one of these keys and a built-in method (section 3.4).

        The timestamp, the nonce, and whether the method is enabled are not checked. With a
        deviation that is not in ``self.tolerances``, no signature verifies.
        """
        method = SIGNATURE_METHODS.get(self.oauth_params.get("oauth_signature_method", ""))
        signature = self.signature
        if method is None or not signature:
            return False
        base_string = self.signature_base_string
        for key in keys:
            if method.verify(base_string, signature, key):
                return not self.deviations or self.find_untolerated() is None
        if not self.tolerances or method.name == "PLAINTEXT" or self.find_untolerated() is not None:
            return False
        in_header = self.signature_type == "HEADER"
        forms = lenient_forms(base_string, signature, self.oauth_params, self.tolerances, in_header=in_header)
        used = find_lenient_form(forms, method, keys)
        self.tolerances_used = used or ()
        return used is not None

    @property
    def base_string_uri(self) -> str:
        """The base string URI (section 3.4.1.2): scheme, host, and the path as sent."""
        return f"{self.scheme}://{self.host}{self.raw_path.decode('latin-1')}"

    @property
    def signature_base_string(self) -> str:
        """The signature base string (section 3.4.1.1)."""
        if self._base_string is None:  # cached_property uses a lock on Python 3.11
            path = self.raw_path.decode("latin-1")
            self._base_string = base_string(self.method, self.scheme, self.host, path, self._form)
        return self._base_string

    # Further attributes of Authlib's request -------------------------------------------------------------------------

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
        """The query's parameters, decoded, in the order received, with U+FFFD for octets that are not UTF-8."""
        return _decoded_pairs(self._query_form)

    @cached_property
    def body_params(self) -> list[tuple[str, str]]:
        """The form's parameters, decoded in the same way."""
        return _decoded_pairs(self._body_form)

    @cached_property
    def auth_params(self) -> list[tuple[str, str]]:
        """The header's parameters, decoded in the same way, after the realm if there is one."""
        realm = [("realm", self.realm)] if self.realm is not None else []
        return realm + _decoded_pairs(self._header_form)

    @cached_property
    def params(self) -> list[tuple[str, str]]:  # type: ignore[override]  # this property can be set
        """All parameters."""
        return [*self.query_params, *self.body_params, *self.auth_params]


def _decoded_pairs(form: str) -> list[tuple[str, str]]:
    return [(unescape(name), unescape(value)) for name, value in split_pairs(form)]
