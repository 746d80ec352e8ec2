"""OAuth1Request: an HTTP request as it was sent, with its OAuth parameters.

Any octets give an `OAuth1Request` or an ``OAuth1Error``, and no other exception.

Signatures are over octets (RFC 5849 section 3.4.1), but frameworks decode paths, replace invalid UTF-8 in forms, and
may keep only one value of a repeated name. Therefore the request is built from the raw octets.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import cached_property
from typing import Any, Literal

from async_oauth1 import native
from async_oauth1.errors import InvalidRequestError, OAuth1Error
from async_oauth1.policy import SizeLimits
from async_oauth1.tolerances import PARAMETERS_IN_TWO_PLACES

from .authorization_header import other_names, protocol_parameters
from .base_string import base_string
from .callbacks import is_loopback_authority, is_loopback_host, name_of_authority
from .encoding import split_pairs, unescape
from .header_fields import Headers, is_form, is_form_for_everyone, relevant_fields
from .hosts import normalize_host
from .lenient_forms import find_lenient_form, lenient_forms
from .named_parameters import NamedParameters
from .places import find_protocol_parameters
from .reading import check_sizes, read_forms
from .signature import SIGNATURE_METHODS, SignatureMethod, SigningKeys

__all__ = ["Headers", "OAuth1Request", "is_form", "normalize_host"]

_DEFAULT_LIMITS = SizeLimits()
_NO_LIMIT = sys.maxsize
_new = object.__new__


class OAuth1Request(NamedParameters):
    """A request that was read, but not yet verified. Attributes have Authlib's names.

    Attributes:
        raw_query: the query as sent, without the question mark.
        raw_headers: the header fields, as octets.
        peer: the client's address; ``None`` for a Unix socket and within a process.
        is_form: whether the body is ``application/x-www-form-urlencoded``.
        body_hash_holds: whether ``oauth_body_hash`` was sent, and is the hash of this body.
        body: the body's octets; ``None`` if it was not read.
        oauth_params: the ``oauth_`` parameters, decoded; ``protocol_parameters`` to read them without editing.
        signature_type: the place of the signature: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
        realm: the realm of the Authorization header.
        has_other_header_parameters: whether the Authorization header has other names than ``oauth_``.
        may_be_rewritten: whether the scheme or the peer may come from a header that the client can write.
        read_body: reads the body if it was not read yet; called after the signature was verified.
        digest_body: receives the body and returns its hash by the named algorithm, without keeping it in memory.
        body_hash_follows: the hash is compared while the application receives the body, which ends only if it holds.
        response_fields: header fields for the response to this request.
        websocket_scheme: of the handshake of a WebSocket, ``ws`` or ``wss``: a signature over this scheme holds, too.
        deviations: what is refused unless the client is allowed it: the name of each tolerance, and the error.
        requested_scope: what the client asks for at the first step; ``granted_scope`` is what the owner grants.
        tolerances: the tolerances of this client; set after its look-up.
        tolerances_used: the tolerances without which the signature would not verify.
        timestamp_window: the client's own window, in seconds; ``None`` for the policy's.
        tried_keys: the keys with which the signature does not verify.
        client: the client; set after its look-up, as ``credential`` is.
        watched_by: what observes the verification; ``user`` is the resource owner who approves the request.
    """

    read_body: Callable[[], Awaitable[bytes] | bytes] | None = None
    client: Any = None
    credential: Any = None
    user: Any = None
    body_hash_holds: bool = False
    body_hash_follows: bool = False
    digest_body: Callable[[str], Awaitable[bytes]] | None = None
    websocket_scheme: str | None = None
    watched_by: object = None
    response_fields: Sequence[tuple[str, str]] = ()
    requested_scope: str = ""
    granted_scope: str = ""
    may_be_rewritten: bool
    tried_keys: tuple[SigningKeys, ...] = ()
    tolerances: Collection[str] = ()
    tolerances_used: tuple[str, ...] = ()
    timestamp_window: int | None = None
    _last_verdict: tuple[tuple[SignatureMethod, SigningKeys, str, str], bool] | None

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
        host = normalize_host(host, scheme)
        if not raw_path.startswith(b"/"):
            raise InvalidRequestError("The request target is not a path.")
        fields = tuple(headers)
        authorization, content_type = relevant_fields(fields)
        is_a_form = content_type != b"" and is_form_for_everyone(content_type)
        octets = authorization, raw_query, body if is_a_form and body else b""
        check_sizes(octets, limits)
        self.deviations: tuple[tuple[str, OAuth1Error], ...] = ()
        self._forms: tuple[str, str, str] | None = None
        is_plain = not self.is_customized  # the native reader would ignore what a subclass overrides
        parts = is_plain and native.read(method, scheme, host, raw_path, *octets, limits.max_parameters)
        parts = parts or self._read_in_python(octets, limits.max_parameters)
        self._keep(body, (method, scheme, host, raw_path, fields, peer, is_a_form, octets, *parts))

    @classmethod
    def of_scope(cls, body: bytes | None, read: native.ReadScope) -> OAuth1Request:
        """Make a request from what `async_oauth1.native.read_scope` has read of an ASGI scope and a form."""
        self = _new(cls)
        self.deviations = ()
        self._forms = None
        self._keep(body, read)
        return self

    def _keep(self, body: bytes | None, read: native.ReadScope) -> None:
        self.raw_headers: tuple[tuple[bytes, bytes], ...]
        self.peer: str | None
        self.is_form: bool
        self.realm: str | None
        self.has_other_header_parameters: bool
        (
            self._method,
            self._scheme,
            self._host,
            self._raw_path,
            self.raw_headers,
            self.peer,
            self.is_form,
            self._octets,
            self.signature_type,
            self.protocol_parameters,
            self.realm,
            self.has_other_header_parameters,
            self._base_string,
            self.usual_timestamp,
            self.identifiers_size,
        ) = read
        self.raw_query = self._octets[1]
        self.body = body
        # Instance attributes, because they are read for every request, and class attributes are slower to find.
        self.may_be_rewritten = False
        self._last_verdict = None

    def _read_in_python(self, octets: tuple[bytes, bytes, bytes], max_parameters: int) -> native.ReadParts:
        """Find the protocol parameters: in one place (section 3.5) unless more are tolerated, and each once (3.1)."""
        self._forms, realm = read_forms(*octets, max_parameters)
        header_form, query_form, body_form = self._forms
        if "oauth_" not in query_form and "oauth_" not in body_form:
            parameters, others = protocol_parameters(header_form)
            return "HEADER" if parameters else None, parameters, realm, others, None, 0, 0
        found = find_protocol_parameters(header_form, query_form, body_form)
        if found.in_several_places is not None:
            self.note_deviation(PARAMETERS_IN_TWO_PLACES, found.in_several_places)
        return found.place, found.parameters, realm, found.has_other_header_parameters, None, 0, 0

    def __repr__(self) -> str:
        """Show only method and URI, without secrets, and escaped, so that a path cannot forge a line of the log."""
        return f"<OAuth1Request {ascii(f'{self.method} {self.base_string_uri}')[1:-1]}>"

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

    @property
    def is_secure(self) -> bool:
        """Whether the connection is protected from eavesdroppers: it uses https, or both ends are on loopback.

        False if this is known only from a header that the client can write, see ``may_be_rewritten``.
        """
        if self.may_be_rewritten:
            return False
        if self.scheme == "https":
            return True
        return is_loopback_authority(self.host) and (self.peer is None or is_loopback_host(self.peer))

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        return name_of_authority(self.host)

    @property
    def canonical_forms(self) -> tuple[str, str, str]:
        """The parameters of the Authorization header, the query and the form, each in canonical form."""
        if self._forms is None:  # read natively
            self._forms, _ = read_forms(*self._octets, _NO_LIMIT)
        return self._forms

    @property
    def other_header_parameters(self) -> list[str]:
        """Names in the Authorization header that begin neither with ``oauth_`` nor with ``xoauth_``; not the realm."""
        return [*other_names(self.canonical_forms[0])] if self.has_other_header_parameters else []

    @property
    def body_protection(self) -> Literal["form", "hash", "none"]:
        """How the body of a verified request is signed.

        ``form``: the body is a form, which the signature covers. ``hash``: ``oauth_body_hash`` was sent and is right,
        or the body does not end unless it is.
        ``none``: the body is not signed, or there is none; always so with PLAINTEXT and bearer tokens.
        """
        if self.signature_method in ("PLAINTEXT", None):
            return "none"
        if self.body_hash_holds or self.body_hash_follows:
            return "hash"
        return "form" if self.is_form and self.body is not None else "none"

    # What is signed --------------------------------------------------------------------------------------------------

    def is_signed_with(self, *keys: SigningKeys) -> bool:
        """Return whether the signature verifies with one of these keys and a built-in method (section 3.4).

        The timestamp, the nonce, and whether the method is enabled are not checked. With a
        deviation that is not in ``self.tolerances``, no signature verifies.
        """
        method = SIGNATURE_METHODS.get(self.protocol_parameters.get("oauth_signature_method", ""))
        signature = self.signature
        if method is None or not signature:
            return False
        for key in keys:
            if self.is_signed_by(method, key):
                return not self.deviations or self.find_untolerated() is None
        if not self.tolerances or method.name == "PLAINTEXT" or self.find_untolerated() is not None:
            return False
        sent, in_header = self.protocol_parameters, self.signature_type == "HEADER"
        forms = lenient_forms(self.signature_base_string, signature, sent, self.tolerances, in_header=in_header)
        used = find_lenient_form(forms, method, keys)
        self.tolerances_used = used or ()
        return used is not None

    def is_signed_by(self, method: SignatureMethod, keys: SigningKeys) -> bool:
        """Return whether the signature verifies, without tolerances. The last verdict is remembered."""
        in_header = self.signature_type == "HEADER"
        signature = (self.protocol_parameters.get("oauth_signature") if in_header else self.signature) or ""
        text = self.signature_base_string
        question = method, keys, signature, text
        if self._last_verdict is not None and self._last_verdict[0] == question:
            return self._last_verdict[1]
        holds = method.verify(text, signature, keys)
        if not holds and self.websocket_scheme is not None:
            holds = method.verify(self._base_string_of(self.websocket_scheme), signature, keys)
        self._last_verdict = question, holds
        return holds

    @property
    def base_string_uri(self) -> str:
        """The base string URI (section 3.4.1.2): scheme, host, and the path as sent."""
        return f"{self.scheme}://{self.host}{self.raw_path.decode('latin-1')}"

    @property
    def signature_base_string(self) -> str:
        """The signature base string (section 3.4.1.1), of the method, scheme, host and path that are set now."""
        if self._base_string is None:  # cached_property uses a lock on Python 3.11
            self._base_string = self._base_string_of(self.scheme)
        return self._base_string

    def _base_string_of(self, scheme: str) -> str:
        path = self.raw_path.decode("latin-1")
        return base_string(self.method, scheme, self.host, path, "&".join(filter(None, self.canonical_forms)))

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
        return _decoded_pairs(self.canonical_forms[1])

    @cached_property
    def body_params(self) -> list[tuple[str, str]]:
        """The form's parameters, decoded in the same way."""
        return _decoded_pairs(self.canonical_forms[2])

    @cached_property
    def auth_params(self) -> list[tuple[str, str]]:
        """The header's parameters, decoded in the same way, after the realm if there is one."""
        realm = [("realm", self.realm)] if self.realm is not None else []
        return realm + _decoded_pairs(self.canonical_forms[0])

    @cached_property
    def params(self) -> list[tuple[str, str]]:  # type: ignore[override]  # this property can be set
        """All parameters."""
        return [*self.query_params, *self.body_params, *self.auth_params]


def _decoded_pairs(form: str) -> list[tuple[str, str]]:
    return [(unescape(name), unescape(value)) for name, value in split_pairs(form)]
