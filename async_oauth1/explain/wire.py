"""The request to explain, as octets, read as far as it can be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_to_bytes

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.authorization_header import parse_authorization
from async_oauth1.protocol.encoding import split_pairs
from async_oauth1.protocol.header_fields import is_form
from async_oauth1.protocol.raw_request import Place, RawRequest
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.tolerances import PARAMETERS_IN_TWO_PLACES

__all__ = ["Parameter", "WireRequest", "read"]

#: More parameters are not searched one by one.
MAX_PARAMETERS = 1_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, with its octets as Latin-1 text. Its value is not in the ``repr``.

    Attributes:
        name: decoded once.
        value: decoded once.
        place: where it was found.
        raw_name: the name as it was sent, still escaped.
        raw_value: the value likewise.
        encodings: how often a client encodes it for the base string: 1 by the RFC.
    """

    name: str
    value: str = field(repr=False)
    place: Place
    raw_name: str = ""
    raw_value: str = field(default="", repr=False)
    encodings: int = 1

    @property
    def is_protocol(self) -> bool:
        """Whether the protocol defines it."""
        return self.name.startswith("oauth_")


@dataclass(frozen=True, kw_only=True)
class WireRequest(RawRequest):
    """A request as a client sent it, with scheme, host and path as the provider sees them.

    Attributes:
        fragment: what followed ``#`` in the URL, if the source still shows it.
        base_path: the prefix in front of the path that the request line had, from the provider's base URL.
    """

    fragment: str | None = None
    base_path: str = ""

    @classmethod
    def of(cls, request: OAuth1Request) -> WireRequest:
        """The octets of a request that a server has read."""
        return cls(
            method=request.method,
            scheme=request.scheme,
            host=request.host,
            path=request.raw_path,
            query=request.raw_query,
            headers=request.raw_headers,
            body=request.body or b"",
            peer=request.peer,
        )

    def header(self, name: str) -> str | None:
        """The first header field of this name, or ``None``."""
        wanted = name.lower().encode()
        for field_name, value in self.headers:
            if field_name.lower() == wanted:
                return value.decode("latin-1").strip()
        return None

    @cached_property
    def has_form(self) -> bool:
        """Whether the body is a form."""
        return is_form((self.header("Content-Type") or "").encode("latin-1")) and bool(self.body)

    @cached_property
    def realm(self) -> str | None:
        """The realm of the Authorization header."""
        return self._header[1] if self._header else None

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters in the order of header, query and form; an unreadable header has none."""
        pairs = self._header[0] if self._header else []
        header = [Parameter(name, value, "header", name, value) for name, value in pairs]
        form = _read_form(self.body, "form") if self.has_form else []
        return (*header, *_read_form(self.query, "query"), *form)

    @cached_property
    def protocol(self) -> dict[str, str]:
        """The protocol parameters; the first value of a repeated one."""
        found: dict[str, str] = {}
        for parameter in self.parameters:
            if parameter.is_protocol:
                found.setdefault(parameter.name, _text(parameter.value))
        return found

    @cached_property
    def protocol_place(self) -> Place | None:
        """Where the signature is."""
        return next((parameter.place for parameter in self.parameters if parameter.name == "oauth_signature"), None)

    @property
    def is_readable(self) -> bool:
        """Whether the Authorization header can be read; a missing one can."""
        return self._header is not None

    @cached_property
    def _header(self) -> tuple[list[tuple[str, str]], str | None] | None:
        octets = (self.header("Authorization") or "").encode("latin-1")
        try:
            form, realm = parse_authorization(octets, MAX_PARAMETERS) or ("", None)
        except DuplicatedOAuthProtocolParameterError:
            return [], None
        except OAuth1Error:
            return None
        return [(_octets(name), _octets(value)) for name, value in split_pairs(form)], realm


def _read_form(octets: bytes, place: Place) -> list[Parameter]:
    """The parameters of a query or form, each with its value as sent."""
    parameters: list[Parameter] = []
    for piece in octets.decode("latin-1").split("&")[: MAX_PARAMETERS + 1]:
        if piece:
            raw_name, _, raw_value = piece.partition("=")
            name, value = (_octets(raw.replace("+", " ")) for raw in (raw_name, raw_value))
            parameters.append(Parameter(name, value, place, raw_name, raw_value))
    return parameters


def _octets(escaped: str) -> str:
    return unquote_to_bytes(escaped.encode("latin-1")).decode("latin-1")


def _text(octets: str) -> str:
    return octets.encode("latin-1").decode("utf-8", "replace")


def read(wire: WireRequest, policy: Policy) -> OAuth1Request:
    """Read the request as the provider does, within its limits.

    Raises:
        OAuth1Error: the request is malformed, repeats a protocol parameter, or is too large.
    """
    request = wire.parse(policy)
    tolerated = PARAMETERS_IN_TWO_PLACES in policy.tolerances
    for name, error in request.deviations:
        if name == PARAMETERS_IN_TWO_PLACES and not tolerated:
            raise error
    return request
