"""Read what has the parameters of a request (RFC 5849 section 3.4.1.3.1): the header, the query and the form."""

from __future__ import annotations

from typing import NamedTuple

from async_oauth1.errors import InvalidRequestError

from .authorization_header import parse_authorization
from .encoding import canonical_form

__all__ = ["Octets", "read_forms"]


class Octets(NamedTuple):
    """What has the parameters of a request, as sent; each may be empty.

    Attributes:
        header: the value of the Authorization header.
        query: without the question mark.
        form: the body, if it is a form.
    """

    header: bytes
    query: bytes
    form: bytes


def read_forms(octets: Octets, max_parameters: int) -> tuple[tuple[str, str, str], str | None]:
    """Read header, query and form, each to a canonical form, and the realm.

    Raises:
        InvalidRequestError: the header is malformed, or there are too many parameters.
        DuplicatedOAuthProtocolParameterError: the header has more than one realm.
    """
    header_form, realm = parse_authorization(octets.header, max_parameters) or ("", None)
    query_form = canonical_form(octets.query, max_parameters=max_parameters) if octets.query else ""
    body_form = canonical_form(octets.form, max_parameters=max_parameters) if octets.form else ""
    # There are as many "=" as pairs.
    if header_form.count("=") + query_form.count("=") + body_form.count("=") > max_parameters:
        raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
    return (header_form, query_form, body_form), realm
