"""Write XML. It is ASCII: no parser can take its encoding for another one, and each character is one octet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

__all__ = ["DECLARATION", "element", "text_element"]

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
# XML 1.0 has no way to write these.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def element(name: str, *content: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around XML that is written already.

    Args:
        name: of the element.
        content: XML.
        attributes: text by name.
    """
    shown = "".join(f' {one}="{_escaped(value)}"' for one, value in (attributes or {}).items())
    return f"<{name}{shown}>{''.join(content)}</{name}>"


def text_element(name: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around text.

    Raises:
        ValueError: the text has a character that XML does not have.
    """
    return element(name, _escaped(text), attributes=attributes)


def _escaped(text: str) -> str:
    if found := _FORBIDDEN.search(text):
        raise ValueError(f"XML cannot have the character U+{ord(found[0]):04X}.")
    # Parsers turn a bare carriage return into a line feed, and all blanks of an attribute into spaces.
    escaped = re.sub("[\t\n\r]", lambda blank: f"&#{ord(blank[0])};", escape(text))
    return escaped.encode("ascii", "xmlcharrefreplace").decode()
