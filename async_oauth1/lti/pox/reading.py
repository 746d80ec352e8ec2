"""Read XML that comes from outside: bounded, in UTF-8, without entities and external documents."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

__all__ = [
    "LARGEST",
    "UnreadableError",
    "check_charset",
    "child",
    "envelope",
    "local_name",
    "require_parser",
    "text_of",
]

#: Octets of a message; a grade takes less than one KiB.
LARGEST = 64 * 1024
#: That of the specification, and that of its first examples, which some programs still use.
_NAMESPACES = ("http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0", "http://www.imsglobal.org/lis/oms1p0/pox")
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']""")
_CHARSET = re.compile(r"""\bcharset\s*=\s*["']?([^"';\s]*)""", re.IGNORECASE)
_READABLE = ("utf-8", "utf8", "us-ascii", "ascii")


class UnreadableError(ValueError):
    """The message is no envelope."""


def check_charset(content_type: str) -> None:
    """Check that a Content-Type names no other encoding.

    Raises:
        UnreadableError: it does.
    """
    found = _CHARSET.search(content_type)
    if found and found[1].lower() not in _READABLE:
        raise UnreadableError("The message is not in UTF-8.")


def envelope(octets: bytes, name: str) -> Any:
    """The root element of a message.

    Args:
        octets: the message.
        name: of the root, which is in one of LTI's two namespaces.

    Raises:
        UnreadableError: it is too large, no XML, in another encoding, or has another root, a DOCTYPE or entities.
    """
    if len(octets) > LARGEST:
        raise UnreadableError(f"The message is larger than {LARGEST} octets.")
    _check_encoding(octets)
    root = _parsed(octets)
    if root.tag not in [f"{{{namespace}}}{name}" for namespace in _NAMESPACES]:
        raise UnreadableError(f"The message is no {name} in the namespace {_NAMESPACES[0]}.")
    return root


def require_parser() -> Any:
    """The module of the parser. It is imported at first use, since only grades need it.

    Raises:
        ModuleNotFoundError: the extra ``lti`` is not installed.
    """
    try:
        return import_module("defusedxml.ElementTree")  # it has no types
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'Grades need {error.name}: install "async-oauth1[lti]".', name=error.name) from error


def child(parent: Any, *names: str) -> Any | None:
    """The descendant at the end of a path in the namespace of the parent; ``None`` unless each step has exactly one."""
    found: Any = parent
    for name in names:
        elements = list(found.findall(f"{_namespace(found.tag)}{name}"))
        if len(elements) != 1:
            return None
        found = elements[0]
    return found


def text_of(parent: Any, *names: str) -> str | None:
    """The text of a descendant; ``None`` unless there is exactly one, without elements in it."""
    found = child(parent, *names)
    return None if found is None or len(found) else found.text or ""


def local_name(element: Any) -> str:
    """The name of an element without its namespace."""
    name: str = element.tag
    return name.rpartition("}")[2]


def _namespace(tag: str) -> str:
    return tag[: tag.find("}") + 1]


def _check_encoding(octets: bytes) -> None:
    """Check that the octets are UTF-8 for every parser: expat reads UTF-16, too, with and without a byte order mark.

    Raises:
        UnreadableError: they are not.
    """
    declared = _ENCODING.match(octets)
    is_other = bool(declared and declared[1].decode("latin-1").lower() not in _READABLE) or b"\0" in octets
    try:
        octets.decode()
    except UnicodeDecodeError:
        is_other = True
    if is_other:
        raise UnreadableError("The message is not in UTF-8.")


def _parsed(octets: bytes) -> Any:
    library = require_parser()
    parser = library.DefusedXMLParser(encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(octets)
        return parser.close()
    except library.ParseError as error:
        line, column = error.position
        raise UnreadableError(f"The message is no XML in UTF-8 (line {line}, column {column}).") from None
    except ValueError:  # of defusedxml
        raise UnreadableError("The message has a DOCTYPE or entities, which are not read.") from None
