"""Tolerances: what may be relaxed, by name, for a client that cannot be changed.

Each accepts another form of a request that the client's secret or key has signed all the same. None of them accepts a
request without a signature that verifies.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import cast

__all__ = [
    "CLIENT_TOLERANCES",
    "TOLERANCES",
    "check_tolerances",
    "window_in",
]

PARAMETERS_IN_TWO_PLACES = "parameters_in_two_places"
OTHER_HEADER_PARAMETERS = "other_header_parameters"
SPACE_FOR_PLUS = "space_for_plus"
LOOSE_BASE64 = "loose_base64"
VERSION_1_0A = "version_1_0a"
UNESCAPED_BODY_HASH = "unescaped_body_hash"
TIMESTAMP_WINDOW = "timestamp_window"
REPEATED_NONCE = "repeated_nonce"
EMPTY_CLIENT_SECRET = "empty_client_secret"
CALLBACK_QUERY_MAY_DIFFER = "callback_query_may_differ"

#: What a policy may tolerate of every client, and what each name accepts.
TOLERANCES: Mapping[str, str] = MappingProxyType(
    {
        PARAMETERS_IN_TWO_PLACES: "protocol parameters in two places, such as oauth_verifier in the form and the rest "
        "in the header; each of them once",
        OTHER_HEADER_PARAMETERS: "parameters in the Authorization header that do not begin with oauth_",
        SPACE_FOR_PLUS: "a signature in the header that has spaces instead of plus signs",
        LOOSE_BASE64: "a signature with line breaks, or without the padding of Base64",
        VERSION_1_0A: 'oauth_version "1.0a" or "1.0A"',
        UNESCAPED_BODY_HASH: "a base string with oauth_body_hash as it is, not percent-encoded; so sign Mastercard's "
        "signers",
    }
)
#: What a client may be tolerated: all of these, and what concerns one client alone.
CLIENT_TOLERANCES: Mapping[str, str] = MappingProxyType(
    {
        **TOLERANCES,
        TIMESTAMP_WINDOW: "timestamps that are this many seconds away, as timestamp_window=SECONDS; at most "
        "Policy.longest_timestamp_window",
        REPEATED_NONCE: "a nonce that was used before; it is logged",
        EMPTY_CLIENT_SECRET: "a client without a secret, if the token has one",
        CALLBACK_QUERY_MAY_DIFFER: "a callback whose query differs from the registered one",
    }
)

#: Seconds: a day. A recorded request could be held back for as long.
LONGEST_WINDOW = 86_400

_WINDOW = re.compile(rf"{TIMESTAMP_WINDOW}=([1-9][0-9]{{0,5}})", re.ASCII)
# Words in the names of checks that stay, whatever a client needs.
_NEVER = re.compile(
    "sign|secret|nonce|replay|timestamp|verifier|https?|transport|tls|token|key|hash|callback|redirect|scope|duplicat"
    "|expir|plaintext|host",
    re.IGNORECASE,
)


def check_tolerances(names: object, *, of_client: bool = False) -> tuple[str, ...]:
    """Refuse names of which one does not exist, or would turn off a check that secrets depend on.

    Args:
        names: a collection of strings.
        of_client: allow those of a single client, too.

    Returns:
        The names, each once.

    Raises:
        TypeError: not a collection of strings.
        ValueError: names the tolerance that is refused.
    """
    if isinstance(names, (str, bytes)) or not isinstance(names, Collection):
        raise TypeError(f"tolerances is a collection of strings, not {type(names).__name__}")
    known = CLIENT_TOLERANCES if of_client else TOLERANCES
    checked = tuple(dict.fromkeys(cast("Collection[object]", names)))
    for name in checked:
        if not isinstance(name, str):
            raise TypeError(f"tolerances is a collection of strings; one of them is {type(name).__name__}")
        if name.partition("=")[0] == TIMESTAMP_WINDOW and of_client:
            _check_window(name)
        elif name not in known:
            raise ValueError(_refusal(name, known))
    windows = [name for name in cast("tuple[str, ...]", checked) if name.startswith(TIMESTAMP_WINDOW)]
    if len(windows) > 1:
        raise ValueError(f"The tolerance {TIMESTAMP_WINDOW!r} is given twice.")
    return cast("tuple[str, ...]", checked)


def window_in(names: Iterable[str]) -> int | None:
    """The seconds of ``timestamp_window=SECONDS``; ``None`` if it is not among the names."""
    for name in names:
        if match := _WINDOW.fullmatch(name):
            return int(match[1])
    return None


def _check_window(name: str) -> None:
    if not (match := _WINDOW.fullmatch(name)) or int(match[1]) > LONGEST_WINDOW:
        raise ValueError(
            f"The tolerance {name[:100]!a} is written {TIMESTAMP_WINDOW}=SECONDS, with 1 to {LONGEST_WINDOW} seconds."
        )


def _refusal(name: str, known: Iterable[str]) -> str:
    if name.partition("=")[0] in CLIENT_TOLERANCES:
        return f"The tolerance {name[:100]!a} weakens a check, so it is set for single clients and not in a policy."
    names = ", ".join(sorted(known))
    if _NEVER.search(name):
        return (
            f"Unknown tolerance {name[:100]!a}; known are {names}. Checks that secrets depend on cannot be turned off."
        )
    return f"Unknown tolerance {name[:100]!a}; known are {names}."
