"""Header fields, as octets: those that say how a request is to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from .errors import InvalidRequestError

_FORM = re.compile(rb"[ \t]*application/x-www-form-urlencoded[ \t]*(?:;.*)?", re.IGNORECASE | re.DOTALL)


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
    """Whether a Content-Type is ``application/x-www-form-urlencoded``, in any case, with or without parameters."""
    return bool(content_type) and _FORM.fullmatch(content_type or b"") is not None


def relevant_fields(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Authorization and Content-Type; a second one of either would be read differently by whoever reads next."""
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
