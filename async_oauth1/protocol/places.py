"""Where the protocol parameters are: header, query or form (RFC 5849 section 3.5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError

from .authorization_header import protocol_parameters

__all__ = ["Found", "find_protocol_parameters"]


class Found(NamedTuple):
    """The protocol parameters of a request.

    Attributes:
        place: ``HEADER``, ``QUERY``, ``BODY``, or ``None``; of several places, that of the signature.
        parameters: decoded.
        has_other_header_parameters: the header has names that do not begin with ``oauth_``.
        in_several_places: the error of a request whose parameters are in several places, or ``None``.
    """

    place: str | None
    parameters: dict[str, str]
    has_other_header_parameters: bool
    in_several_places: DuplicatedOAuthProtocolParameterError | None = None


def find_protocol_parameters(header: str, query: str, body: str) -> Found:
    """Find them in three canonical forms.

    Raises:
        DuplicatedOAuthProtocolParameterError: one of them stands more than once (section 3.1).
        InvalidRequestError: a value is not UTF-8.
    """
    in_header, has_others = protocol_parameters(header)
    in_query, _ = protocol_parameters(query)
    in_body, _ = protocol_parameters(body)
    places = (("HEADER", in_header), ("QUERY", in_query), ("BODY", in_body))
    found = [(place, parameters) for place, parameters in places if parameters]
    if not found:
        return Found(None, {}, has_others)
    if len(found) == 1:
        return Found(*found[0], has_others)
    names = " and ".join(f"{place} ({_listed(parameters)})" for place, parameters in found)
    error = DuplicatedOAuthProtocolParameterError(
        f'"oauth_" parameters must come from one place, but were found in {names}.'
    )
    merged = {name: value for _, parameters in found for name, value in parameters.items()}
    if len(merged) < sum(len(parameters) for _, parameters in found):
        raise error
    signed = next((place for place, parameters in found if "oauth_signature" in parameters), found[0][0])
    return Found(signed, merged, has_others, error)


def _listed(names: Iterable[str]) -> str:
    """Names for an error message, escaped and cut: the client chose them."""
    return ", ".join(ascii(name[:50])[1:-1] for name, _ in zip(names, range(10), strict=False))
