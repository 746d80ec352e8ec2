"""An explanation as text for people: the verdict, both base strings part by part, and what to change."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .explanation import Explanation

__all__ = ["Marker", "marked_lines", "report", "verdict"]

#: Characters of a base string that are shown; the rest is counted.
LONGEST_SHOWN = 4_000
#: Parts of base strings that are compared one by one.
MOST_COMPARED = 200


class Marker:
    """Marks what differs; for a terminal in colour, for a pipe with brackets."""

    def __init__(self, *, colour: bool) -> None:
        """Choose how to mark."""
        self._colour = colour

    def good(self, text: str) -> str:
        """A heading of something that holds."""
        return f"\x1b[1;32m{text}\x1b[0m" if self._colour else text

    def bad(self, text: str) -> str:
        """A heading of something that is wrong."""
        return f"\x1b[1;31m{text}\x1b[0m" if self._colour else text

    def different(self, text: str) -> str:
        """A piece that only one of the two has."""
        return f"\x1b[7m{text}\x1b[0m" if self._colour else f"[{text}]"


def report(explanation: Explanation, *, marker: Marker, notes: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines of the report.

    Args:
        explanation: what was found.
        marker: how differences are marked.
        notes: sentences about the secrets and the clock that were assumed.
    """
    yield verdict(explanation, marker)
    yield ""
    if explanation.base_string:
        yield from _strings(explanation, marker)
        yield ""
    for cause in explanation.causes:
        yield from textwrap.wrap(_printable(f"{cause.code}: {cause.text}"), 100)
        yield from textwrap.wrap(_printable(f"To do: {cause.fix}"), 100, initial_indent="  ", subsequent_indent="  ")
    if explanation.tried and explanation.signed is None:
        yield from textwrap.wrap(_nothing_found(explanation), 100)
    for note in notes:
        yield from textwrap.wrap(f"Note: {note}", 100)


def _printable(text: str) -> str:
    """The text with a question mark for each control character, which a terminal would interpret."""
    return "".join(character if character.isprintable() else "?" for character in text)


def verdict(explanation: Explanation, marker: Marker) -> str:
    """The result in one line."""
    if explanation.verifies:
        return marker.good("The request verifies.")
    if not explanation.causes:
        return marker.bad("The signature does not verify, and nothing that was tried explains it.")
    codes = " and ".join(dict.fromkeys(cause.code for cause in explanation.causes))
    return marker.bad(f"The request does not verify: {codes}.")


def _nothing_found(explanation: Explanation) -> str:
    text = (
        f"{explanation.tried} ways to sign were tried: other schemes, hosts, paths, parameters, encodings, orders and "
        "uses of the secrets, alone and two together. What is left is a wrong secret first of all; then a host or a "
        "prefix that stands nowhere in the request, or three mistakes at once."
    )
    return text if explanation.complete else f"{text} The search ended at its bound before everything was tried."


def _strings(explanation: Explanation, marker: Marker) -> Iterator[str]:
    seen, signed = explanation.base_string, explanation.signed
    if signed is None or signed == seen:
        yield "The provider's base string:"
        yield from _parts_of(seen)
        return
    ours, theirs = marked_lines(seen, signed, marker)
    yield "The base strings, with - as the provider builds it and + as the client signs it:"
    for mine, other in zip(ours, theirs, strict=True):
        if mine == other:
            yield f"    {mine}"
        else:
            yield from (f"  {sign} {part}" for sign, part in (("-", mine), ("+", other)) if part)


def _parts_of(base_string: str) -> Iterator[str]:
    for part in _lines(base_string):
        yield f"    {part}"


def _lines(base_string: str) -> list[str]:
    """Method, URI, and each parameter on a line of its own."""
    shown = _printable(base_string[:LONGEST_SHOWN])
    if len(base_string) > LONGEST_SHOWN:
        shown += f"... ({len(base_string)} characters)"
    method, _, rest = shown.partition("&")
    uri, _, parameters = rest.partition("&")
    return [method, uri, *parameters.split("%26")][:MOST_COMPARED]


def marked_lines(seen: str, signed: str, marker: Marker) -> tuple[list[str], list[str]]:
    """Both base strings as lines of equal number, with what differs marked."""
    left, right = _lines(seen), _lines(signed)
    ours: list[str] = []
    theirs: list[str] = []
    for tag, start, end, other_start, other_end in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        mine, other = left[start:end], right[other_start:other_end]
        if tag == "equal":
            ours += mine
            theirs += other
            continue
        length = max(len(mine), len(other))
        for index in range(length):
            one = mine[index] if index < len(mine) else ""
            two = other[index] if index < len(other) else ""
            one, two = _differences(one, two, marker)
            ours.append(one)
            theirs.append(two)
    return ours, theirs


def _differences(left: str, right: str, marker: Marker) -> tuple[str, str]:
    """Two lines with the pieces marked that only one of them has."""
    if not left or not right:
        return (marker.different(left) if left else ""), (marker.different(right) if right else "")
    ours: list[str] = []
    theirs: list[str] = []
    for tag, start, end, other_start, other_end in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        one, two = left[start:end], right[other_start:other_end]
        if tag == "equal":
            ours.append(one)
            theirs.append(two)
        else:
            ours.append(marker.different(one) if one else "")
            theirs.append(marker.different(two) if two else "")
    return "".join(ours), "".join(theirs)
