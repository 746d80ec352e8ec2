"""Read a saved request: raw HTTP, a curl command, or a HAR file."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..wire import WireRequest
from .curl import read_curl
from .har import read_har
from .http import read_http
from .parts import ReadError, RequestParts, split_url

__all__ = ["FORMATS", "MAX_OCTETS", "ReadError", "Source", "read_source", "split_url"]

FORMATS = ("auto", "http", "curl", "har")
#: Octets of the whole input.
MAX_OCTETS = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A request that was read.

    Attributes:
        request: the request, as the provider sees it.
        at: Unix time at which it was made, if the source says so.
        format: how it was written.
    """

    request: WireRequest
    at: float | None
    format: str


def read_source(octets: bytes, *, kind: str = "auto", base_url: str | None = None, entry: int | None = None) -> Source:
    """Read a request.

    Args:
        octets: raw HTTP, a curl command or a HAR file.
        kind: which of them; ``auto`` to tell by how it begins.
        base_url: what the provider believes it is: scheme, host and path prefix.
        entry: of a HAR file, from 0; by default the first one with OAuth parameters.

    Raises:
        ReadError: the input or the base URL cannot be read; one line that says which part, and why.
    """
    if len(octets) > MAX_OCTETS:
        raise ReadError(f"The input is larger than {MAX_OCTETS // 1024**2} MiB.")
    if not octets.strip():
        raise ReadError("The input is empty: give an HTTP request, a curl command or a HAR file.")
    kind = _guess(octets) if kind == "auto" else kind
    if entry is not None and kind != "har":
        raise ReadError("--entry picks an entry of a HAR file, and the input is not a HAR file.")
    if kind == "har":
        parts = read_har(octets, entry)
    else:
        parts = read_curl(octets) if kind == "curl" else read_http(octets, host_is_known=base_url is not None)
    return Source(_place(parts, base_url), parts.at, kind)


def _guess(octets: bytes) -> str:
    start = octets.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        return "har"
    word = start.split(None, 1)[0].lower()
    return "curl" if word in (b"curl", b"curl.exe", b"$") else "http"


def _place(parts: RequestParts, base_url: str | None) -> WireRequest:
    """The request as the provider sees it: below its base URL."""
    scheme, host, prefix = parts.scheme, parts.host, ""
    if base_url is not None:
        scheme, host, prefix = _split_base_url(base_url)
    path = parts.path if parts.path.startswith(b"/") else b"/" + parts.path
    return WireRequest(
        method=parts.method,
        scheme=scheme,
        host=host,
        path=prefix.encode() + path if prefix and not path.startswith(prefix.encode() + b"/") else path,
        query=parts.query,
        headers=parts.headers,
        body=parts.body,
        fragment=parts.fragment,
        base_path=prefix,
    )


def _split_base_url(base_url: str) -> tuple[str, str, str]:
    try:
        split = urlsplit(base_url)
        _ = split.port  # raises ValueError if it is no number
    except ValueError as error:
        raise ReadError(f"--base-url {base_url!r} cannot be read: {error}.") from None
    if (
        not base_url.isascii()
        or split.scheme not in ("http", "https")
        or not split.netloc
        or "@" in split.netloc
        or split.query
        or split.fragment
    ):
        raise ReadError(f"--base-url {base_url!r} is not an http or https URL without user, query and fragment.")
    return split.scheme, split.netloc, split.path.rstrip("/")
