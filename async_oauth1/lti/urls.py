"""URLs that a consumer sends, and to which a browser may be sent back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from async_oauth1.protocol.callbacks import append_parameters

__all__ = ["is_web_url", "with_parameters"]

# Printable ASCII alone, so that nothing ends a header field, and browsers agree on where the host ends.
_WEB_URL = re.compile(r"https?://[!-\[\]-~]+", re.IGNORECASE)


def is_web_url(url: str) -> bool:
    """Whether a URL is http or https, with a host and without user information."""
    if not _WEB_URL.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises an error if the port is not a number
    except ValueError:
        return False
    return bool(parts.hostname) and "@" not in parts.netloc


def with_parameters(url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The URL with more parameters in its query, which ends before a fragment."""
    beginning, mark, fragment = url.partition("#")
    return append_parameters(beginning, parameters) + mark + fragment
