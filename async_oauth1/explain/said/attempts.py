"""The nonce and the timestamp of another attempt, replaced by those of this request."""

from __future__ import annotations

import re

__all__ = ["this_attempt"]

_NAMES = ("oauth_nonce", "oauth_timestamp")


def this_attempt(theirs: str, ours: str) -> str:
    """The provider's base string with the nonce and the timestamp of ours.

    Args:
        theirs: the provider's base string.
        ours: what the request signs.
    """
    for name in _NAMES:
        pattern = re.compile(rf"((?:&|%26){name}(?:%3D|=))((?:(?!%26)[^&])*)", re.IGNORECASE)
        mine, other = pattern.search(ours), pattern.search(theirs)
        if mine and other and mine[2] != other[2]:
            theirs = f"{theirs[: other.start(2)]}{mine[2]}{theirs[other.end(2) :]}"
    return theirs
