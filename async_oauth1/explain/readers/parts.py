"""The parts of a request that every reader finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["ReadError", "RequestParts", "split_url"]


class ReadError(ValueError):
    """The input cannot be read; the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class RequestParts:
    """A request as it was written down.

    Attributes:
        method: HTTP method.
        scheme: ``http`` or ``https``.
        host: of the Host header or the URL.
        path: octets.
        query: octets, without the question mark.
        headers: the header fields.
        body: octets.
        fragment: of the URL, or ``None``.
        at: Unix time, or ``None``.
    """

    method: str
    scheme: str
    host: str
    path: bytes
    query: bytes = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    fragment: str | None = None
    at: float | None = None


def split_url(url: str) -> tuple[str, str, bytes, bytes, str | None]:
    """Scheme, host, path, query and fragment of an absolute URL; characters beyond ASCII as browsers escape them.

    Raises:
        ReadError: it is not an absolute http or https URL.
    """
    from urllib.parse import quote

    without, mark, fragment = url.partition("#")
    try:
        split = urlsplit(without)
        host = split.netloc.rpartition("@")[2]
    except ValueError as error:
        raise ReadError(f"The URL {url[:100]!r} cannot be read: {error}.") from None
    if split.scheme.lower() not in ("http", "https") or not host:
        raise ReadError(f"The URL {url[:100]!r} is not an absolute http or https URL.")
    rest = without.split("://", 1)[1]
    start = min((index for index in (rest.find("/"), rest.find("?")) if index >= 0), default=len(rest))
    path, _, query = rest[start:].partition("?")
    octets = [quote(text, safe="".join(map(chr, range(33, 127)))).encode() for text in (path or "/", query)]
    return split.scheme.lower(), host, octets[0], octets[1], fragment if mark else None
