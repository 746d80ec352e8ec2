"""What RFC 5849 leaves open, as other providers do it: how a denial is told, and more parameters beside a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from async_oauth1.protocol.encoding import as_text

__all__ = ["denial", "more_parameters"]

_CREDENTIALS = frozenset({"oauth_token", "oauth_token_secret"})


def denial(kinds: Iterable[str], token: str, error: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters that the callback gets if the resource owner denies.

    Args:
        kinds: as `Policy.denial_parameters`.
        token: the temporary token that was denied.
        error: what stands for the kind ``error``.
    """
    told = {
        "error": list(error),
        "oauth_problem": [("oauth_problem", "user_refused")],
        "denied": [("denied", token)],
    }
    return [*(pair for kind in kinds for pair in told[kind]), ("oauth_token", token)]


def more_parameters(given: object) -> list[tuple[str, str]]:
    """What the hook ``token_response_parameters`` returned, as pairs of text.

    Args:
        given: a mapping, name and value pairs, or ``None``. A value of ``None`` is left out; other values become text.

    Raises:
        ValueError: a name that the credentials themselves have, or the same name twice.
        TypeError: anything else than a mapping or pairs.
    """
    if given is None:
        return []
    pairs_given: Any = given
    items = pairs_given.items() if isinstance(given, Mapping) else pairs_given
    pairs = [(as_text(name), as_text(value)) for name, value in items if value is not None]
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or not _CREDENTIALS.isdisjoint(names):
        raise ValueError(
            f"each parameter has a name of its own, and none is oauth_token or oauth_token_secret; given are {names!r}"
        )
    return pairs
