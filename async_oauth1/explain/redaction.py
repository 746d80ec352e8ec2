"""Keep secrets out of what is shown, also if a client sent one as a parameter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from urllib.parse import quote

from .changes import Secrets

__all__ = ["redacted"]

#: Shorter secrets are words that a request may well contain by chance.
SHORTEST = 8
_MASK = "[secret]"


def redacted(text: str, keys: Secrets) -> str:
    """The text with a mask for each secret that stands in it, raw or percent-encoded up to three times."""
    return reduce(lambda masked, secret: masked.replace(secret, _MASK), _spellings(keys), text)


def _spellings(keys: Secrets) -> Iterator[str]:
    known = (
        *keys.client_secrets,
        keys.token_secret,
        keys.temporary_secret or "",
        *(secret for _, secret in keys.former),
    )
    for secret in known:
        if len(secret) >= SHORTEST:
            spelling = secret
            for _ in range(4):
                yield spelling
                spelling = quote(spelling, safe="-._~", errors="replace")
