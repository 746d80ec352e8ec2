"""Header fields as octets, in particular Authorization and Content-Type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from async_oauth1.errors import InvalidRequestError, UnsupportedMediaTypeError

_FORM = b"application/x-www-form-urlencoded"
#: The maximum length of a form's Content-Type in bytes; clients send about fifty.
_MAX_FORM_LABEL = 255
#: The number of cached Content-Types; clients use only a few.
_LABELS_KEPT = 256
# An optional parameter of a form's media type after a semicolon. This is stricter than RFC 9110, because some parsers
# split at commas and ignore quotes, and one uses the first "charset=" anywhere in the field. So a charset must be
# compatible with ASCII, and no other parameter may contain the word.
_FORM_PARAMETER = re.compile(
    rb"""[ \t]*+
        (?: charset=(?P<quote>"?+) (?: utf-?8 | (?:us-)?ascii | iso-?8859-[0-9]{1,2} | latin-?1 | windows-125[0-9] )
            (?P=quote)
          | (?! [^=]*charset ) [A-Za-z0-9_.\-]++ = (?P<mark>"?+) [A-Za-z0-9_.\-/+:]*+ (?P=mark)
        )?+
        [ \t]*+""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_LETTERS = bytes(code for code in range(256) if not chr(code).isascii() or not chr(code).isalpha())


class Headers(Mapping[str, str]):
    """Header fields by name, in any case; a repeated field's values are joined by commas (RFC 9110 section 5.3)."""

    __slots__ = ("_fields",)

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Read the fields from pairs of octets, as in an ASGI scope."""
        self._fields: dict[str, str] = {}
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            self._fields[name] = f"{self._fields[name]}, {value}" if name in self._fields else value

    def __getitem__(self, name: str) -> str:
        """Return the field's value."""
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in lower case."""
        return iter(self._fields)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._fields)

    def __repr__(self) -> str:
        """Show only the names, so that no signature or cookie is logged."""
        return f"<Headers {', '.join(self._fields)}>"


def is_form(content_type: bytes | None) -> bool:
    """Return whether a Content-Type is ``application/x-www-form-urlencoded``, in any case, with harmless parameters."""
    if content_type == _FORM:
        return True
    if not content_type or len(content_type) > _MAX_FORM_LABEL:
        return False
    return _is_form(content_type)


@lru_cache(maxsize=_LABELS_KEPT)
def _is_form(content_type: bytes) -> bool:
    media_type, *parameters = content_type.split(b";")
    return media_type.strip(b" \t").lower() == _FORM and all(map(_FORM_PARAMETER.fullmatch, parameters))


def is_form_for_everyone(content_type: bytes) -> bool:
    """Like `is_form`, but refuse a Content-Type that some other parser would treat as a form's.

    Some parsers search for the name anywhere in the field, strip octets that are not white space, accept other names
    (``application/x-url-encoded``), or read the field as a list of media ranges with wildcards, as in ``Accept``. The
    view would get such a body as a form, although the signature does not cover it.

    Raises:
        UnsupportedMediaTypeError: it is not a form's, but some parser could read the body as a form.
    """
    if content_type == _FORM:
        return True
    if len(content_type) > _MAX_FORM_LABEL:
        _refuse_lookalike(content_type)
        return False
    return _is_form_for_everyone(content_type)


@lru_cache(maxsize=_LABELS_KEPT)
def _is_form_for_everyone(content_type: bytes) -> bool:
    if _is_form(content_type):
        return True
    _refuse_lookalike(content_type)
    return False


def _refuse_lookalike(content_type: bytes) -> None:
    if b"*" in content_type or b"urlencoded" in content_type.translate(None, _NO_LETTERS).lower():
        raise UnsupportedMediaTypeError(
            f"Some parsers read a body of the Content-Type {content_type[:100].decode('latin-1')!a} as a form, so "
            "its signature could not be relied on. Send a form as application/x-www-form-urlencoded, with no parameter "
            'but charset=UTF-8; send anything else under a media type without "urlencoded" and "*".'
        )


def relevant_fields(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Return the values of Authorization and Content-Type, or empty ones.

    Raises:
        InvalidRequestError: one of them is repeated, so that another parser could use the other value.
    """
    authorization = content_type = None
    for raw_name, value in headers:
        name = raw_name.lower()
        if name == b"authorization":
            if authorization is not None:
                raise InvalidRequestError("The request has two Authorization headers.")
            authorization = value
        elif name == b"content-type":
            if content_type is not None:
                raise InvalidRequestError("The request has two Content-Type headers.")
            content_type = value
    return authorization or b"", content_type or b""


def announces_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether Content-Length or Transfer-Encoding announces a body; in HTTP/2 there may be one without them."""
    return any(
        (lower := name.lower()) == b"transfer-encoding" or (lower == b"content-length" and value.strip() != b"0")
        for name, value in headers
    )
