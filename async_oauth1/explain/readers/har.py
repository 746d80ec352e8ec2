"""A HAR file, as browsers and proxies export it."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

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


def _entries(octets: bytes) -> list[Any]:
    try:
        document = json.loads(octets.decode("utf-8-sig"))
    except ValueError as error:
        raise ReadError(f"The HAR file is not JSON: {str(error)[:100]}.") from None
    except RecursionError:
        raise ReadError("The HAR file is nested too deep.") from None
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list) or not entries:
        raise ReadError("The HAR file has no log.entries.")
    return entries


def _is_signed(entry: Any) -> bool:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict):
        return False
    post = request.get("postData")
    texts = [str(request.get("url")), str(post) if isinstance(post, dict) else ""]
    headers = request.get("headers")
    for header in headers if isinstance(headers, list) else []:
        if isinstance(header, dict) and str(header.get("name")).lower() == "authorization":
            texts.append(str(header.get("value")))
    return any("oauth_signature" in text or "oauth_consumer_key" in text for text in texts)


def _parts(entry: Any) -> RequestParts:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise ReadError("The entry of the HAR file has no request with a url.")
    scheme, host, path, query, fragment = split_url(request["url"])
    listed = request.get("headers")
    headers = tuple(
        (str(header.get("name")).encode("latin-1", "replace"), str(header.get("value", "")).encode("utf-8", "replace"))
        for header in (listed if isinstance(listed, list) else [])
        if isinstance(header, dict) and not str(header.get("name")).startswith(":")
    )
    post = request.get("postData")
    if isinstance(post, dict) and not any(name.lower() == b"content-type" for name, _ in headers):
        headers = (*headers, (b"Content-Type", str(post.get("mimeType", "")).encode("latin-1", "replace")))
    return RequestParts(
        method=str(request.get("method", "GET")),
        scheme=scheme,
        host=host,
        path=path,
        query=query,
        headers=headers,
        body=_body(post) if isinstance(post, dict) else b"",
        fragment=fragment,
        at=_time(entry.get("startedDateTime")),
    )


def _body(post: dict[str, Any]) -> bytes:
    text = post.get("text")
    if isinstance(text, str) and text:
        if post.get("encoding") == "base64":
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise ReadError("The body in the HAR file is not Base64.") from None
        return text.encode("utf-8", "surrogatepass")
    params = post.get("params")
    pairs = [param for param in (params if isinstance(params, list) else []) if isinstance(param, dict)]
    # Chrome writes them as they were sent, still escaped.
    return "&".join(f"{param.get('name', '')}={param.get('value', '')}" for param in pairs).encode("utf-8", "replace")


def _time(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
