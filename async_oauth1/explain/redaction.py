"""Keep secrets out of what is shown, also if a client sent one as a parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from urllib.parse import quote

from .changes import Secrets
from .explanation import Explanation

__all__ = ["redacted"]

#: Shorter secrets are words that a request may well contain by chance.
SHORTEST = 8
_MASK = "[secret]"


def redacted(explanation: Explanation, keys: Secrets) -> Explanation:
    """The explanation with a mask for each secret that stands in it, raw or percent-encoded up to three times."""
    spellings = tuple(_spellings(keys))

    def mask(text: str) -> str:
        return reduce(lambda masked, secret: masked.replace(secret, _MASK), spellings, text)

    return replace(
        explanation,
        causes=tuple(replace(cause, text=mask(cause.text), fix=mask(cause.fix)) for cause in explanation.causes),
        base_string=mask(explanation.base_string),
        signed=None if explanation.signed is None else mask(explanation.signed),
    )


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
