"""Find a signature base string in the body of a refusal: within JSON, HTML and form encoding, escaped once or twice."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

__all__ = ["find_base_string"]

#: Characters of a body that are searched.
LONGEST = 1024 * 1024
#: A method, an encoded URI, and encoded parameters among which is one of the protocol's.
_BASE_STRING = re.compile(
    r"(?<![A-Za-z])([A-Za-z]{3,20})&(https?%3A%2F%2F[^&\s\"'<>\\]{1,8192})&([A-Za-z0-9\-._~%!*'()+,/:@$]{1,1048576})",
    re.IGNORECASE,
)
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([/\"\\]))")


def find_base_string(text: str) -> str | None:
    """The first base string in a text, with the parameters as they stand in it; ``None`` if there is none.

    Args:
        text: the body of a refusal, or the base string itself.
    """
    seen = {text[:LONGEST]}
    layer = [text[:LONGEST]]
    for _ in range(4):
        for each in layer:
            found = _found(each)
            if found is not None:
                return found
        layer = list(_unwrapped(layer, seen))
    return None


def _found(text: str) -> str | None:
    for match in _BASE_STRING.finditer(text):
        if "oauth_" in match[3]:
            parameters = re.split(r"&(?:quot|lt|gt|apos|#)", match[3])[0]
            return f"{match[1]}&{match[2]}&{parameters.rstrip('.,:)')}"
    return None


def _unwrapped(layer: list[str], seen: set[str]) -> Iterator[str]:
    """Each text with one kind of escapes taken away."""
    for text in layer:
        for unwrap in _UNWRAPPINGS:
            plain = unwrap(text)
            if plain not in seen:
                seen.add(plain)
                yield plain


def _without_json(text: str) -> str:
    return _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)


def _without_form(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


_UNWRAPPINGS: tuple[Callable[[str], str], ...] = (html.unescape, _without_json, _without_form)
