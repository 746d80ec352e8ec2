"""Raw HTTP: the octets of one request as they arrived."""

from __future__ import annotations

import re

from .parts import ReadError, RequestParts, split_url

__all__ = ["read_http"]

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}) +(\S+)(?: +HTTP/[0-9](?:\.[0-9])?)?[ \t]*")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)


def read_http(octets: bytes) -> RequestParts:
    """Read a request line, header fields, an empty line, and a body.

    In the head LF is taken for CRLF. A chunked body is put together; what follows ``Content-Length`` octets is ignored.

    Raises:
        ReadError: it is not an HTTP request.
    """
    head, body = _split(octets.lstrip(b"\r\n"))
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    match = _REQUEST_LINE.fullmatch(lines[0])
    if match is None:
        raise ReadError(f"The request line {lines[0][:80]!r} is not METHOD TARGET HTTP/VERSION.")
    headers = tuple(_fields(lines[1:]))
    method, target = match[1].decode(), match[2]
    host = next((value for name, value in headers if name.lower() == b"host"), b"").decode("latin-1")
    scheme, fragment = "http", None
    if b"://" in target.partition(b"?")[0]:
        scheme, host, path, query, fragment = split_url(target.decode("latin-1"))
    else:
        target, mark, after = target.partition(b"#")
        fragment = after.decode("latin-1") if mark else None
        path, _, query = target.partition(b"?")
    if not host:
        raise ReadError("The request has no Host header: add it, or say --base-url.")
    return RequestParts(
        method=method,
        scheme=scheme,
        host=host,
        path=path,
        query=query,
        headers=headers,
        body=_body(headers, body),
        fragment=fragment,
    )


def _split(octets: bytes) -> tuple[bytes, bytes]:
    end = re.search(rb"\r?\n\r?\n", octets)
    if end is None:
        return octets.rstrip(b"\r\n"), b""
    return octets[: end.start()], octets[end.end() :]


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for number, line in enumerate(lines, start=2):
        if line[:1] in (b" ", b"\t") and fields:  # an obsolete fold
            fields[-1] = (fields[-1][0], fields[-1][1] + b" " + line.strip())
            continue
        match = _FIELD.fullmatch(line)
        if match is None:
            raise ReadError(f"Line {number} of the request, {line[:60]!r}, is not a header field NAME: VALUE.")
        fields.append((match[1], match[2]))
    return fields


def _body(headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> bytes:
    values = {name.lower(): value for name, value in headers}
    if b"chunked" in values.get(b"transfer-encoding", b"").lower():
        return _dechunk(body)
    length = values.get(b"content-length")
    if length is None:
        return body
    if not length.isdigit():
        raise ReadError(f"Content-Length is {length[:40]!r}, not a number.")
    return body[: int(length[:18])]


def _dechunk(body: bytes) -> bytes:
    pieces = []
    rest = body
    while rest:
        line, _, rest = rest.partition(b"\n")
        size_text = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size_text):
            raise ReadError(f"The chunked body has {line[:40]!r} where the size of a chunk belongs.")
        size = int(size_text, 16)
        if size == 0:
            break
        pieces.append(rest[:size])
        rest = rest[size:].removeprefix(b"\r").removeprefix(b"\n")
    return b"".join(pieces)
