"""Where a request is in the API, also if the API is mounted."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl, quote, unquote

from async_oauth1.asgi.origin import request_path
from async_oauth1.asgi.requests import Scope

from .problems import ProblemError

__all__ = ["query_of", "segments_of"]


def segments_of(scope: Scope) -> list[str]:
    """The decoded segments of the path below the mount, without a leading ``admin``.

    They are split before they are decoded: a client's identifier may contain an encoded slash. Some frameworks cut a
    mount off ``path``, others only add it to ``root_path``.

    Raises:
        ProblemError: 404, a segment is not UTF-8.
    """
    wire, path = request_path(scope).decode("latin-1"), str(scope["path"])
    mount = (scope.get("root_path") or "").rstrip("/")
    decoded = unquote(wire)
    if mount and not f"{path}/".startswith(f"{mount}/"):
        mount = ""  # it is cut off the path
    below = path[len(mount) :]
    if decoded.rstrip("/").endswith(below.rstrip("/")):
        cut = decoded.rstrip("/").removesuffix(below.rstrip("/")).count("/")
        raw = wire.split("/")[cut + 1 :]
    else:
        raw = quote(below).split("/")[1:]
    try:
        segments = [unquote(segment, errors="strict") for segment in raw]
    except UnicodeDecodeError:
        raise ProblemError(404, "There is nothing at this path.") from None
    if segments and segments[-1] == "":
        segments.pop()  # Litestar adds a slash
    return segments[1:] if segments[:1] == ["admin"] else segments


def query_of(scope: Scope, known: tuple[str, ...]) -> dict[str, str]:
    """The parameters of the query.

    Raises:
        ProblemError: 400, a parameter is unknown or repeated, or not UTF-8.
    """
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except ValueError:
        raise ProblemError(
            400, "The query is not percent-encoded UTF-8 in ASCII, or has more than 20 parameters."
        ) from None
    for name, _ in pairs:
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none here"
            raise ProblemError(400, f"The parameter {name[:100]!a} is unknown; {there}.")
    name, count = Counter(name for name, _ in pairs).most_common(1)[0] if pairs else ("", 0)
    if count > 1:
        raise ProblemError(400, f'The parameter "{name}" is repeated; send it once.')
    return dict(pairs)
