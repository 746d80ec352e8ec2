"""Header fields, as octets: those that say how a request is to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from async_oauth1.errors import InvalidRequestError, UnsupportedMediaTypeError

_FORM = b"application/x-www-form-urlencoded"
#: In bytes; clients send some fifty.
_MAX_FORM_LABEL = 255
#: Answers about labels that are kept; clients use few.
_LABELS_KEPT = 256
# One parameter of a form's media type, or none behind a semicolon. Stricter than RFC 9110: some parsers split at commas
# and know no quotes, and one decodes the form by the first "charset=" anywhere. So the charset is one that leaves every
# ASCII character as it is, and nothing else looks like it.
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


def is_form(content_type: bytes | None) -> bool:
    """Whether a Content-Type is ``application/x-www-form-urlencoded``, in any case, with no or harmless parameters."""
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
    """As `is_form`, but a Content-Type that is not a form's must not be one for any other parser either.

    Parsers search for the name anywhere in the field, strip octets that are not white space, know other names
    (``application/x-url-encoded``), or read the field as a list of media ranges with wildcards, as in ``Accept``. Such
    a body would reach the view as a form, and no signature would cover it.

    Raises:
        UnsupportedMediaTypeError: it is not a form's, but some parser could read the body as one.
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
    """Authorization and Content-Type; a second one of either would be read differently by the next parser."""
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
    """Whether Content-Length or Transfer-Encoding says that there is a body; without them, only reading tells."""
    return any(
        (lower := name.lower()) == b"transfer-encoding" or (lower == b"content-length" and value.strip() != b"0")
        for name, value in headers
    )
