"""The secrets that this provider has issued, and masking them in everything that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any
from urllib.parse import quote, quote_plus

from async_oauth1.explain import WireRequest
from async_oauth1.explain.texts import shown as octets_shown

__all__ = ["MASK", "Issued", "IssuedToken", "private_values", "spellings"]

MASK = "[secret]"
#: Tokens that are remembered; a test run issues fewer.
MOST_TOKENS = 1_000
#: Shorter ones are words that may well stand in a request by chance.
SHORTEST = 6

_ESCAPE = re.compile("%[0-9A-F]{2}")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A temporary or a token credential that was issued, also if it has ended.

    Attributes:
        secret: its secret.
        client_id: the client that it was issued to.
        is_temporary: it is a temporary credential.
        temporary_secret: the secret of the temporary credential that it was exchanged for.
    """

    secret: str = field(repr=False)
    client_id: str
    is_temporary: bool
    temporary_secret: str | None = field(default=None, repr=False)


class Issued:
    """Tokens by identifier, and the spellings of all secrets that were issued; the oldest are forgotten.

    Attributes:
        newest_temporary: the temporary token that was issued last.
    """

    def __init__(self) -> None:
        """Start without any."""
        self.newest_temporary: str | None = None
        self._tokens: dict[str, IssuedToken] = {}
        self._spellings: dict[str, None] = {}

    def note_secrets(self, *secrets: str | None) -> None:
        """Remember secrets that are no token's: of clients, users, and verifiers."""
        for secret in secrets:
            for spelling in spellings(secret or ""):
                self._spellings[spelling] = None
        _shorten(self._spellings, 2 * MOST_TOKENS)

    def note_token(self, oauth_token: str, token: IssuedToken) -> None:
        """Remember an issued token, and its secret among those that are masked."""
        if token.is_temporary:
            self.newest_temporary = oauth_token
        self._tokens[oauth_token] = token
        _shorten(self._tokens, MOST_TOKENS)
        self.note_secrets(token.secret)

    def find(self, oauth_token: str) -> IssuedToken | None:
        """The issued token of this identifier; ``None`` if it is unknown, or too old to be remembered."""
        return self._tokens.get(oauth_token)

    def masker(self, *more: str) -> Callable[[str], str]:
        """A function that masks these secrets, and some more, in a text."""
        known = [*(spelling for secret in more for spelling in spellings(secret)), *self._spellings]

        def mask(text: str) -> str:
            return reduce(lambda masked, spelling: masked.replace(spelling, MASK), known, text)

        return mask


def private_values(wire: WireRequest) -> tuple[str, ...]:
    """The signatures and verifiers in a request, which are not shown: a signature of PLAINTEXT is made of secrets."""
    names = ("oauth_signature", "oauth_verifier")
    values = [one for one in wire.parameters if one.name in names]
    return tuple(text for one in values for text in (octets_shown(one.value), octets_shown(one.raw_value)))


def spellings(secret: str) -> Iterator[str]:
    """A secret as it may stand in a text: raw, and percent-encoded up to three times; nothing if it is short."""
    if len(secret) < SHORTEST:
        return
    seen = {secret, quote_plus(secret, errors="replace")}
    spelling = secret
    for _ in range(3):
        spelling = quote(spelling, safe="-._~", errors="replace")
        seen |= {spelling, _ESCAPE.sub(lambda match: match[0].lower(), spelling)}
    yield from sorted(seen, key=len, reverse=True)


def _shorten(table: dict[str, Any], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]
