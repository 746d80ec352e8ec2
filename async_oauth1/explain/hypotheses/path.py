"""The path of the base string URI, and what clients append to it (RFC 5849 section 3.4.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from ..changes import (
    Change,
    Context,
    Rewrite,
    always,
    change,
    one_of,
    uri_with,
    uri_with_path,
    without,
)
from ..texts import quoted
from ..wire import Parameter
from .uri import BASE_URL, forwarded

#: Prefixes that are usual in front of an application.
_USUAL_PREFIXES = ("/api", "/v1", "/api/v1", "/rest", "/index.php", "/lti", "/app", "/oauth", "/public")
_ORIGINAL = ("X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-Envoy-Original-Path", "X-Request-URI")


def prefixes(context: Context) -> Iterator[Change]:
    """A prefix that a proxy took away."""
    for prefix in dict.fromkeys(_prefix_candidates(context)):
        cost = 1.5 if prefix == "/api" else 4 if prefix in _USUAL_PREFIXES else -1
        text = f"The client signed the path with the prefix {prefix}, which something took away before this server."
        yield change(cost, "path_prefix", text, BASE_URL, uri=uri_with_path(_in_front(prefix)))


def original_paths(context: Context) -> Iterator[Change]:
    """The path that a proxy's header shows."""
    path, wire = context.plan.uri.path, context.wire
    for header in _ORIGINAL:
        said = (wire.header(header) or "").partition("?")[0]
        if said.startswith("/") and said != path:
            text = f"The client signed the path {quoted(said)}, as the header {header} shows."
            yield change(-1, "path_prefix", text, BASE_URL, uri=uri_with_path(always(said)))


def needless_prefixes(context: Context) -> Iterator[Change]:
    """A prefix that was put in front of what the client signed."""
    segments = context.plan.uri.path.split("/")
    base_path = context.wire.base_path.rstrip("/")
    fix = "Take the prefix out of external_base_url, or let the client sign the URL that it uses."
    for count, cost in ((1, 0.5), (2, 2.5), (3, 4.0)):
        if len(segments) > count + 1:
            prefix = "/".join(segments[: count + 1])
            text = f"The client signed the path without {quoted(prefix)}."
            rewrite = uri_with_path(_without_prefix(prefix))
            yield change(-1 if prefix == base_path else cost, "path_prefix", text, fix, uri=rewrite)


def _in_front(prefix: str) -> Rewrite[str]:
    return lambda path: prefix + path


def _without_prefix(prefix: str) -> Rewrite[str]:
    return lambda path: path.removeprefix(prefix)


def _prefix_candidates(context: Context) -> Iterator[str]:
    said = forwarded(context).get("prefix", "").rstrip("/")
    if said.startswith("/"):
        yield said
    base = context.policy.external_base_url
    if isinstance(base, str) and (prefix := urlsplit(base).path.rstrip("/")):
        yield prefix
    if context.wire.base_path:
        yield context.wire.base_path
    yield from _USUAL_PREFIXES


def trailing_slash(context: Context) -> Iterator[Change]:
    """The last slash, which a redirect or a router adds or takes away."""
    fix = "Send the request to the URL that is signed; a redirect does not sign again."
    if context.plan.uri.path.endswith("/"):
        text, rewrite = "The client signed the path without its last slash.", uri_with_path(_without_last_slash)
    else:
        text, rewrite = "The client signed the path with a slash at its end.", uri_with_path(lambda path: f"{path}/")
    yield change(0, "path_trailing_slash", text, fix, uri=rewrite)


def _without_last_slash(path: str) -> str:
    return path.removesuffix("/")


def _decode(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _quote(path: str, safe: str) -> str:
    return quote_from_bytes(path.encode("latin-1"), safe=f"{safe}~")


def _swap_case(path: str) -> str:
    upper = re.sub("%[0-9a-fA-F]{2}", lambda match: match[0].upper(), path)
    return upper if upper != path else _lower(path)


def _lower(path: str) -> str:
    return re.sub("%[0-9a-fA-F]{2}", lambda match: match[0].lower(), path)


def _escaped_again(path: str) -> str:
    return path.replace("%", "%25")


#: Ways to write a path: what was done, how unlikely it is, and the function.
_PATH_ESCAPES: tuple[tuple[str, float, Rewrite[str]], ...] = (
    ("The client signed the path decoded.", 0, _decode),
    ("The client encoded the path once more.", 0.5, lambda path: _quote(path, "/")),
    ("A proxy decoded the path; the client signed it escaped.", 0.5, lambda path: _quote(_decode(path), "/")),
    ("The client encoded the path's escapes once more.", 0.5, _escaped_again),
    (
        "A proxy decoded the path; the client left some characters bare.",
        1,
        lambda path: _quote(path, "/:@!$&'()*+,;=%"),
    ),
    ("The client escaped the path by other rules.", 1, lambda path: _quote(_decode(path), "/:@!$&'()*+,;=")),
    ("The client wrote the path's escapes in the other case.", 0, _swap_case),
    ("The client signed the path's escapes in lower case.", 1.5, lambda path: _lower(_quote(_decode(path), "/"))),
    ("The client escaped ~ in the path.", 0, lambda path: path.replace("~", "%7E")),
    ("The client signed the path's ~ unescaped.", 0, lambda path: re.sub("(?i)%7e", "~", path)),
    ("The path had %2F where this server saw a slash, or the reverse.", 0, lambda path: re.sub("(?i)%2f", "/", path)),
    ("Repeated slashes in the path were merged.", 0, lambda path: re.sub("/{2,}", "/", path)),
    ("The client signed the path's first slash twice.", 3, lambda path: f"/{path}"),
    ("The client left the path's parameters out, from the semicolon on.", 4, lambda path: path.partition(";")[0]),
    ("The client signed spaces in the path as +.", 4, lambda path: path.replace("%20", "+").replace(" ", "+")),
    ("The client escaped + in the path.", 2, lambda path: path.replace("+", "%2B")),
    ("The client signed + in the path as a space.", 4, lambda path: path.replace("+", "%20")),
)


def path_escapes(context: Context) -> Iterator[Change]:
    """The path's escapes, decoded, encoded again or written otherwise, by the client or by a proxy."""
    fix = "Sign the path exactly as it is sent, and let proxies pass it on as it is."
    for text, cost, rewrite in _PATH_ESCAPES:
        yield change(cost, "path_escapes", text, fix, uri=uri_with_path(rewrite))
    segments = context.plan.uri.path.split("/")
    for index in range(1, min(len(segments), 12)):
        # %2F that a proxy decoded: which slash it was cannot be seen, so each is tried.
        joined = "/".join(segments[:index]) + "%2F" + "/".join(segments[index:])
        doubled = "/".join(segments[:index]) + "//" + "/".join(segments[index:])
        for cost, path, what in ((0, joined, "%2F"), (0, doubled, "//")):
            text = f"The client signed {what} in the path where this server saw /."
            yield change(one_of(-1 + cost, len(segments)), "path_escapes", text, fix, uri=uri_with_path(always(path)))


def url_query(context: Context) -> Iterator[Change]:
    """The query or the fragment in the base string URI."""
    query, fragment = context.wire.query.decode("latin-1"), context.wire.fragment
    fix = "End the base string URI before the question mark; the query's parameters are signed with the others."
    if query:
        text = "The client kept the query in the base string URI and signed its parameters as well."
        with_query = uri_with(suffix=f"?{query}")
        yield change(0, "url_query", text, fix, uri=with_query)
        text = "The client kept the query in the base string URI instead of signing its parameters."
        yield change(0.5, "url_query", text, fix, uri=with_query, parameters=without(_is_of_query))
    else:
        text = "The client kept a question mark at the end of the base string URI."
        yield change(3, "url_query", text, fix, uri=uri_with(suffix="?"))
    if fragment is not None:
        for start in dict.fromkeys(("", f"?{query}" if query else "")):
            text = "The client kept the fragment in the base string URI."
            suffix = uri_with(suffix=f"{start}#{fragment}")
            yield change(0, "url_query", text, "End the base string URI before the #.", uri=suffix)


def _is_of_query(item: Parameter) -> bool:
    return item.place == "query" and not item.is_protocol


HYPOTHESES = (prefixes, original_paths, needless_prefixes, trailing_slash, path_escapes, url_query)
