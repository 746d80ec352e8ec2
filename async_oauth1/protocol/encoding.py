"""Percent-encoding (RFC 5849 section 3.6) and form-urlencoded pairs (section 3.4.1.3.1), over octets.

Names and values live here in their *canonical* form: ASCII text in which every octet outside the unreserved set is
``%XX`` in upper case, and nothing else is escaped. Two reasons. It is one-to-one with the decoded octets, so ``%FF``,
``%FE`` and U+FFFD stay different, where text decoded with replacement characters would let one be exchanged for
another. And it is what the signature base string is made of, so what arrives canonical, as nearly everything does, is
never decoded and encoded again.

Parameters live in a *canonical form*: one text, ``name=value&name=value``, in the order received, in which each
parameter has its ``=`` and none is empty. Most queries and forms are that already, and a header nearly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast
from urllib.parse import quote_from_bytes, unquote_to_bytes

from async_oauth1.errors import InvalidRequestError

from .recoding import recode

#: Name and value, both canonical.
Pair = tuple[str, str]

#: Octets. Longer input is not matched against a regular expression first: `recode` is faster for each octet.
LONG = 2_048

# RFC 3986: unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~". The escapes are those of every other octet.
UNRESERVED = r"A-Za-z0-9\-._~"
_ESCAPES = r"%(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[BCDF]|[89A-F][0-9A-F])"
#: Matches canonical text. Possessive: no input is scanned twice.
CANONICAL = rf"[{UNRESERVED}]*+(?:{_ESCAPES}[{UNRESERVED}]*+)*+"
_is_canonical = re.compile(CANONICAL).fullmatch
_is_canonical_form = re.compile(rf"{CANONICAL}={CANONICAL}(?:&{CANONICAL}={CANONICAL})*+").fullmatch
_is_unreserved = re.compile(rf"[{UNRESERVED}]*+").fullmatch
_is_plain_uri = re.compile(rf"[{UNRESERVED}:/]*+").fullmatch


def escape(octets: bytes) -> str:
    """Encode octets as section 3.6 says."""
    return quote_from_bytes(octets, safe="~")


def escape_text(text: str) -> str:
    """Encode text as section 3.6 says: UTF-8 first."""
    if _is_unreserved(text):
        return text
    return escape(text.encode("utf-8", "surrogatepass"))


def as_text(value: object) -> str:
    """Convert a value that a model returned to text: databases and caches may return octets or numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(cast("bytes", value)).decode("utf-8", "replace")
    return str(value)


def escape_uri(uri: str) -> str:
    """Encode a URI whose octets are given as Latin-1 text; at a fifth of the time for what most URIs consist of."""
    if _is_plain_uri(uri):
        return uri.replace(":", "%3A").replace("/", "%2F")
    return escape(uri.encode("latin-1"))


def canonical(text: str) -> str:
    """The canonical form of an escaped name or value.

    Args:
        text: octets as Latin-1 text, percent-encoded by whatever rules the sender has. A malformed escape (``%zz``)
            stands for itself.
    """
    if len(text) <= LONG and _is_canonical(text):
        return text
    return recode(text.encode("latin-1"))


def unescape(canonical_text: str) -> str:
    """Decode canonical text as UTF-8 to show it; what is not UTF-8 becomes U+FFFD."""
    if "%" not in canonical_text:
        return canonical_text
    return unquote_to_bytes(canonical_text).decode("utf-8", "replace")


def unescape_strictly(canonical_text: str) -> str:
    """Decode canonical text as UTF-8.

    Raises:
        UnicodeDecodeError: the octets are not UTF-8; surrogates, and more than 21 bits, are not.
    """
    if "%" not in canonical_text:
        return canonical_text
    # What a signature in Base64 consists of, in every request. None of the three characters makes a new escape.
    text = canonical_text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
    return unquote_to_bytes(text).decode("utf-8") if "%" in text else text


def canonical_form(octets: bytes, *, max_parameters: int) -> str:
    """Read a query or a form.

    ``&`` alone separates; ``a`` is ``a=``; ``+`` is a space; empty pieces add nothing. No input is refused but for its
    number of pieces, and none is dropped: what a view could see is what was signed.

    Args:
        octets: the query without its question mark, or the body.
        max_parameters: the number of pieces at which nothing is read at all.

    Raises:
        InvalidRequestError: there are more pieces than that.
    """
    if not octets:
        return ""
    if octets.count(b"&") >= max_parameters:
        raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
    if len(octets) > LONG:
        # A space is not canonical either, but a third of the octets.
        text = octets.replace(b"+", b" ").decode("latin-1")
    else:
        text = octets.decode("latin-1").replace("+", "%20")
        if _is_canonical_form(text):
            return text
    split = [piece.partition("=") for piece in text.split("&") if piece]
    return join_pairs((canonical(name), canonical(value)) for name, _, value in split)


def join_pairs(pairs: Iterable[Pair]) -> str:
    """The canonical form of canonical names and values."""
    return "&".join([f"{name}={value}" for name, value in pairs])


def split_pairs(form: str) -> list[Pair]:
    """The names and values of a canonical form."""
    if not form:
        return []
    return [(name, value) for name, _, value in [piece.partition("=") for piece in form.split("&")]]
