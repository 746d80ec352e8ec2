"""Raw HTTP: the octets of one request as they arrived."""

from __future__ import annotations

import re

from .parts import ReadError, RequestParts, split_url

__all__ = ["read_http"]

#: Octets of request line and header fields; servers take less.
MAX_HEAD = 1024 * 1024
_METHOD = rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40})"
_REQUEST_LINE = re.compile(_METHOD + rb" +(\S+)(?: +HTTP/[0-9](?:\.[0-9])?)?[ \t]*")
#: A proxy that decodes paths may leave a space in the target.
_WITH_SPACES = re.compile(_METHOD + rb" +(/.*) HTTP/[0-9](?:\.[0-9])?[ \t]*")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n?")


def read_http(octets: bytes, *, host_is_known: bool = False) -> RequestParts:
    """Read a request line, header fields, an empty line, and a body.

    In the head LF is taken for CRLF. A chunked body is put together; what follows ``Content-Length`` octets is ignored.

    Args:
        octets: the request.
        host_is_known: no Host header is needed.

    Raises:
        ReadError: it is not an HTTP request.
    """
    head, body = _split(octets.lstrip(b"\r\n"))
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")]
    method, target = _request_line(lines[0])
    headers = tuple(_fields(lines[1:]))
    host = next((value for name, value in headers if name.lower() == b"host"), b"").decode("latin-1")
    scheme, fragment = "http", None
    if b"://" in target.partition(b"?")[0]:
        scheme, host, path, query, fragment = split_url(target.decode("latin-1"))
    else:
        target, mark, after = target.partition(b"#")
        fragment = after.decode("latin-1") if mark else None
        path, _, query = target.partition(b"?")
    if not host and not host_is_known:
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


def _request_line(line: bytes) -> tuple[str, bytes]:
    match = _REQUEST_LINE.fullmatch(line) or _WITH_SPACES.fullmatch(line)
    if match is None or not (match[2].startswith(b"/") or b"://" in match[2] or match[2] == b"*"):
        raise ReadError(f"The request line {line[:80]!r} is not METHOD TARGET HTTP/VERSION.")
    return match[1].decode(), match[2]


def _split(octets: bytes) -> tuple[bytes, bytes]:
    end = re.search(rb"\r?\n\r?\n", octets)
    head = octets.rstrip(b"\r\n") if end is None else octets[: end.start()]
    if len(head) > MAX_HEAD:
        raise ReadError(f"The head of the request has more than {MAX_HEAD} octets, or no empty line ends it.")
    return head, b"" if end is None else octets[end.end() :]


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, list[bytes]]] = []
    for number, line in enumerate(lines, start=2):
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t") and fields:  # an obsolete fold
            fields[-1][1].append(line.strip())
        elif colon and _NAME.fullmatch(name.rstrip(b" \t")):
            fields.append((name.rstrip(b" \t"), [value.strip(b" \t")]))
        else:
            raise ReadError(f"Line {number} of the request, {_shown(line)}, is not a header field NAME: VALUE.")
    return [(name, b" ".join(values)) for name, values in fields]


def _shown(line: bytes) -> str:
    """The start of a line; nothing of an Authorization header's values, which may be secrets under PLAINTEXT."""
    return repr(re.split(rb"oauth_signature", line, maxsplit=1)[0][:60])


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
    pieces: list[bytes] = []
    position = 0
    while position < len(body):
        match = _SIZE.match(body, position)
        if match is None:
            found = body[position : position + 40]
            raise ReadError(f"The chunked body has {found!r} where the size of a chunk belongs.")
        size = int(match[1], 16)
        if size == 0:
            break
        pieces.append(body[match.end() : match.end() + size])
        position = match.end() + size
        position += len(b"\r\n") if body[position : position + 2] == b"\r\n" else body[position : position + 1] == b"\n"
    return b"".join(pieces)
