"""Read what has the parameters of a request (RFC 5849 section 3.4.1.3.1): the header, the query and the form."""

from __future__ import annotations

from async_oauth1.errors import InvalidRequestError, RequestTooLargeError
from async_oauth1.policy import SizeLimits

from .authorization_header import parse_authorization
from .encoding import canonical_form

__all__ = ["check_sizes", "read_forms"]


def read_forms(
    header: bytes, query: bytes, form: bytes, max_parameters: int
) -> tuple[tuple[str, str, str], str | None]:
    """Read all three, each to a canonical form, and the realm.

    Args:
        header: the value of the Authorization header; each part may be empty.
        query: without the question mark.
        form: the body, if it is a form.
        max_parameters: of all three together.

    Raises:
        InvalidRequestError: the header is malformed, or there are too many parameters.
        DuplicatedOAuthProtocolParameterError: the header has more than one realm.
    """
    header_form, realm = parse_authorization(header, max_parameters) or ("", None)
    query_form = canonical_form(query, max_parameters=max_parameters) if query else ""
    body_form = canonical_form(form, max_parameters=max_parameters) if form else ""
    # There are as many "=" as pairs.
    if header_form.count("=") + query_form.count("=") + body_form.count("=") > max_parameters:
        raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
    return (header_form, query_form, body_form), realm


def check_sizes(octets: tuple[bytes, bytes, bytes], limits: SizeLimits) -> None:
    """Check the sizes of the Authorization header, the query and the form.

    Raises:
        RequestTooLargeError: one is larger than its limit.
    """
    header, query, form = octets
    if (
        len(header) <= limits.max_header_bytes
        and len(query) <= limits.max_query_bytes
        and len(form) <= limits.max_form_bytes
    ):
        return
    for what, part, limit in (
        ("Authorization header", header, limits.max_header_bytes),
        ("query", query, limits.max_query_bytes),
        ("form", form, limits.max_form_bytes),
    ):
        if len(part) > limit:
            raise RequestTooLargeError(f"The {what} is larger than {limit} bytes.")
