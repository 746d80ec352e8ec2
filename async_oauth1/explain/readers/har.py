"""A HAR file, as browsers and proxies export it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from .parts import ReadError, RequestParts, split_url

__all__ = ["read_har"]

_NO_HEADER = (
    "The HAR file has no request with OAuth parameters. Browsers leave the Authorization header out unless they are "
    "told to export sensitive data."
)


def read_har(octets: bytes, entry: int | None) -> RequestParts:
    """Read one entry of a HAR file.

    Args:
        octets: the file.
        entry: which one, from 0; ``None`` for the first with OAuth parameters.

    Raises:
        ReadError: it is not a HAR file, or has no such entry.
    """
    entries = _entries(octets)
    if entry is None:
        found = next((each for each in entries if _is_signed(each)), None)
        if found is None:
            raise ReadError(_NO_HEADER)
        return _parts(found)
    if not 0 <= entry < len(entries):
        raise ReadError(f"The HAR file has {len(entries)} entries, from 0; there is no entry {entry}.")
    return _parts(entries[entry])


def _entries(octets: bytes) -> list[object]:
    try:
        document: object = json.loads(octets.decode("utf-8-sig"))
    except ValueError as error:
        raise ReadError(f"The HAR file is not JSON: {str(error)[:100]}.") from None
    except RecursionError:
        raise ReadError("The HAR file is nested too deep.") from None
    entries = _list(_object(_object(document).get("log")).get("entries"))
    if not entries:
        raise ReadError("The HAR file has no log.entries.")
    return entries


def _object(value: object) -> dict[str, object]:
    """A JSON object; empty for anything else."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    """A JSON array; empty for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def _is_signed(entry: object) -> bool:
    request = _object(_object(entry).get("request"))
    texts = [str(request.get("url")).encode("utf-8", "replace"), _body(_object(request.get("postData")))]
    texts.extend(value for name, value in _headers(request) if name.lower() == b"authorization")
    return any(b"oauth_signature" in text or b"oauth_consumer_key" in text for text in texts)


def _headers(request: dict[str, object]) -> Iterator[tuple[bytes, bytes]]:
    for header in map(_object, _list(request.get("headers"))):
        name = str(header.get("name"))
        if not name.startswith(":"):  # HTTP/2's own fields
            yield name.encode("latin-1", "replace"), str(header.get("value", "")).encode("utf-8", "replace")


def _parts(entry: object) -> RequestParts:
    request = _object(_object(entry).get("request"))
    url, post = request.get("url"), _object(request.get("postData"))
    if not isinstance(url, str):
        raise ReadError("The entry of the HAR file has no request with a url.")
    scheme, host, path, query, fragment = split_url(url)
    headers = tuple(_headers(request))
    if post and not any(name.lower() == b"content-type" for name, _ in headers):
        headers = (*headers, (b"Content-Type", str(post.get("mimeType", "")).encode("latin-1", "replace")))
    return RequestParts(
        method=str(request.get("method", "GET")),
        scheme=scheme,
        host=host,
        path=path,
        query=query,
        headers=headers,
        body=_body(post),
        fragment=fragment,
        at=_time(_object(entry).get("startedDateTime")),
    )


def _body(post: dict[str, object]) -> bytes:
    text = post.get("text")
    if isinstance(text, str) and text:
        if post.get("encoding") != "base64":
            return text.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ReadError("The body in the HAR file is not Base64.") from None
    # Chrome writes them as they were sent, still escaped.
    pairs = (f"{param.get('name', '')}={param.get('value', '')}" for param in map(_object, _list(post.get("params"))))
    return "&".join(pairs).encode("utf-8", "replace")


def _time(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
