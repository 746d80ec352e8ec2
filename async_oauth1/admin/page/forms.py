"""Reading the queries and forms of the admin page: UTF-8, and each field once."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from async_oauth1.asgi.bodies.received import ReceivedBody
from async_oauth1.asgi.requests import Receive, Scope, content_type_of
from async_oauth1.errors import InvalidRequestError, UnsupportedMediaTypeError
from async_oauth1.protocol.request import is_form

__all__ = ["read_fields", "read_form"]

#: Bytes; the longest field is a public key of a few thousand.
LARGEST_FORM = 64 * 1024
_MOST_FIELDS = 50
#: Seconds in which a form must have arrived.
_FORM_TIMEOUT = 60.0


async def read_form(scope: Scope, receive: Receive) -> Mapping[str, str]:
    """Read the form of a request.

    Raises:
        UnsupportedMediaTypeError: it is not a form.
        InvalidRequestError: it is malformed or slow.
        RequestTooLargeError: it is larger than `LARGEST_FORM`.
        ClientHasLeftError: the browser is gone.
    """
    if not is_form(content_type_of(scope)):
        raise UnsupportedMediaTypeError("This page accepts only forms.")
    return read_fields(await ReceivedBody(receive, _FORM_TIMEOUT).read("form", LARGEST_FORM))


def read_fields(octets: bytes) -> Mapping[str, str]:
    """The fields of a query or a form.

    Raises:
        InvalidRequestError: they are not UTF-8, too many, or one of them is repeated or contains a NUL.
    """
    try:
        fields = parse_qsl(octets.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequestError("The fields are not UTF-8, or there are too many.") from None
    named = dict(fields)
    if len(named) < len(fields) or any("\0" in text for field in fields for text in field):
        raise InvalidRequestError("A field is repeated, or has a character that cannot be typed.")
    return named
