"""Octets as Latin-1 text, in which the search works, and the text that people read."""

from __future__ import annotations

__all__ = ["octets_of", "quoted", "shown"]


def octets_of(text: str) -> str:
    """The UTF-8 octets of a text, as Latin-1 text."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def shown(octets: str) -> str:
    """The text of UTF-8 octets that are given as Latin-1 text."""
    return octets.encode("latin-1", "replace").decode("utf-8", "replace")


def quoted(octets: str, longest: int = 80) -> str:
    """The same, in quotes, without control characters and not too long."""
    return repr(shown(octets)[:longest])
