"""Other base strings and signatures that a tolerated client may have meant, see `async_oauth1.tolerances`.

Each is compared with what the client's secret or key makes of it, as the strict ones are. So a tolerance accepts
another spelling, and never a signature that was not made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from async_oauth1.tolerances import LOOSE_BASE64, SPACE_FOR_PLUS, UNESCAPED_BODY_HASH

from .encoding import escape_text
from .signature import SignatureMethod, SigningKeys

__all__ = ["find_lenient_form", "lenient_forms", "tidy_base64"]

_Tolerated = tuple[str, ...]

# Values that some clients sign without escaping them first. None contains "&", so two requests never have the same base
# string: a proper one has none of these characters in a value.
_BODY_HASH = re.compile(r"[A-Za-z0-9+/]++={0,2}+")
_CLIENT_ID = re.compile(r"[A-Za-z0-9\-._~!]++")


def lenient_forms(
    base_string: str, signature: str, parameters: Mapping[str, str], tolerances: Collection[str], *, in_header: bool
) -> Iterator[tuple[str, str, _Tolerated]]:
    """The base strings and signatures that verify under tolerances, and the tolerances that each needs.

    Args:
        base_string: the proper one.
        signature: as received.
        parameters: the protocol parameters, decoded.
        tolerances: names.
        in_header: the signature was in the Authorization header.
    """
    spelled, used = _spelling(signature, tolerances, in_header=in_header)
    if used:
        yield base_string, spelled, used
    if UNESCAPED_BODY_HASH in tolerances:
        other = _unescaped(base_string, parameters)
        if other != base_string:
            yield other, spelled, (*used, UNESCAPED_BODY_HASH)


def find_lenient_form(
    forms: Iterable[tuple[str, str, _Tolerated]], method: SignatureMethod, keys: Iterable[SigningKeys]
) -> _Tolerated | None:
    """The tolerances under which a signature holds; ``None`` if it does not."""
    for base_string, spelled, used in forms:
        if any(method.verify(base_string, spelled, key) for key in keys):
            return used
    return None


def _spelling(signature: str, tolerances: Collection[str], *, in_header: bool) -> tuple[str, _Tolerated]:
    """The signature as the client must have made it."""
    used: list[str] = []
    if SPACE_FOR_PLUS in tolerances and in_header and " " in signature:
        signature = signature.replace(" ", "+")
        used.append(SPACE_FOR_PLUS)
    if LOOSE_BASE64 in tolerances:
        tidy = tidy_base64(signature)
        if tidy != signature:
            signature = tidy
            used.append(LOOSE_BASE64)
    return signature, tuple(used)


def tidy_base64(text: str) -> str:
    """Base64 without line breaks and with its padding."""
    text = text.replace("\r", "").replace("\n", "")
    return text + "=" * (-len(text) % 4)


def _unescaped(base_string: str, parameters: Mapping[str, str]) -> str:
    """The base string with the body hash and the client's identifier escaped once instead of twice."""
    head, _, pairs = base_string.rpartition("&")
    pieces = pairs.split("%26")
    for name, allowed in (("oauth_body_hash", _BODY_HASH), ("oauth_consumer_key", _CLIENT_ID)):
        value = parameters.get(name, "")
        proper = f"{name}%3D{escape_text(escape_text(value))}"
        if allowed.fullmatch(value) and proper in pieces:
            pieces[pieces.index(proper)] = f"{name}%3D{escape_text(value)}"
    return f"{head}&{'%26'.join(pieces)}"
