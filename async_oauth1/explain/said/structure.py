"""Differences of two base strings that no change names: any host, prefix and parameter, read off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urlsplit

from ..bodies import body_readings
from ..changes import Cause, Context
from ..plan import DEFAULT_PORTS, split_host
from ..texts import quoted, shown
from ..wire import Parameter

__all__ = ["fix_of", "parameter_differences", "uri_differences"]

Pair = tuple[str, str]
_URI_FIX = (
    "Send the request to the URL that the provider knows, or ask the provider to correct what it believes its URL is."
)
_PARAMETERS_FIX = (
    "Sign exactly the parameters that reach the provider, encoded and sorted as RFC 5849 section 3.4.1.3 says; "
    "if the provider departs from it, sign as the provider does."
)
_METHOD_FIX = "Send and sign the same method; a redirect may have changed it."
_URI_CODES = ("scheme", "host", "port", "path_prefix", "path_trailing_slash", "path_escapes", "url_query")


def fix_of(code: str) -> str:
    """What to change if the provider's base string differs."""
    if code == "http_method":
        return _METHOD_FIX
    return _URI_FIX if code in _URI_CODES else _PARAMETERS_FIX


def uri_differences(ours: str, theirs: str) -> Iterator[Cause]:
    """What differs in the base string URI.

    Args:
        ours: the request's URI, not encoded.
        theirs: the provider's, encoded; octets as Latin-1 text.
    """
    text = _decoded(theirs)
    try:
        seen, mine = urlsplit(text), urlsplit(ours)
    except ValueError:
        return
    if seen.scheme.lower() != mine.scheme:
        yield _uri_cause("scheme", f"{seen.scheme}://", f"{mine.scheme}://")
    (host, port), (my_host, my_port) = split_host(seen.netloc), split_host(mine.netloc)
    if host != my_host:
        yield _uri_cause("host", host, my_host)
    if _port(port, seen.scheme) != _port(my_port, mine.scheme) or (port != my_port and seen.scheme == mine.scheme):
        yield _uri_cause("port", port or "no port", my_port or "no port")
    path = text.partition("://")[2].partition("/")
    my_path = ours.partition("://")[2].partition("/")
    yield from _path(path[1] + path[2], my_path[1] + my_path[2])


def _port(port: str, scheme: str) -> str:
    """A port; the same for the defaults of http and https, since the scheme says it."""
    return "" if port == DEFAULT_PORTS.get(scheme.lower()) else port


def _path(theirs: str, ours: str) -> Iterator[Cause]:
    bare = theirs.partition("?")[0].partition("#")[0]
    if bare != theirs and "?" not in ours:
        text = f"The provider keeps {quoted(theirs[len(bare) :])} in the base string URI."
        yield Cause("url_query", text, "The base string URI ends before the query; ask the provider to correct this.")
    if bare == ours:
        return
    if bare.rstrip("/") == ours.rstrip("/"):
        yield _uri_cause("path_trailing_slash", quoted(bare), quoted(ours))
    elif bare.endswith(ours) or ours.endswith(bare):
        yield _uri_cause("path_prefix", quoted(bare), quoted(ours))
    elif _decoded(_decoded(bare)).replace("//", "/") == _decoded(_decoded(ours)).replace("//", "/"):
        yield _uri_cause("path_escapes", quoted(bare), quoted(ours))
    else:
        yield _uri_cause("path_prefix", quoted(bare), quoted(ours))


def _uri_cause(code: str, theirs: str, ours: str) -> Cause:
    return Cause(code, f"The provider expects {shown(theirs)[:200]}; this request has {shown(ours)[:200]}.", _URI_FIX)


def parameter_differences(context: Context, theirs: str) -> Iterator[Cause]:
    """What differs in the parameters, by their names and values.

    Args:
        context: the request, and how it signs by the RFC.
        theirs: the provider's parameters, encoded; octets as Latin-1 text.
    """
    their_pairs = [_pair(piece) for piece in _decoded(theirs).split("&") if piece]
    items = context.plan.parameters.items
    their_counts, our_counts = Counter(their_pairs), Counter((item.name, item.value) for item in items)
    missing, extra = our_counts - their_counts, their_counts - our_counts
    if not missing and not extra:
        if [_pair(piece) for piece in _decoded(context.plan.parameters.rendered).split("&")] != their_pairs:
            yield Cause("sorting", "The provider sorts the parameters in another order.", _PARAMETERS_FIX)
        return
    changed = {name for name, _ in missing} & {name for name, _ in extra}
    for name in sorted(changed):
        yield from _changed(name, missing, extra)
    yield from (_missing(item) for item in items if (item.name, item.value) in missing and item.name not in changed)
    yield from (_extra(context, pair) for pair in extra if pair[0] not in changed)


def _pair(piece: str) -> Pair:
    name, _, value = piece.partition("=")
    return _decoded(name), _decoded(value)


def _changed(name: str, missing: Counter[Pair], extra: Counter[Pair]) -> Iterator[Cause]:
    ours = [value for each, value in missing if each == name]
    theirs = [value for each, value in extra if each == name]
    code = "repeated" if len(ours) != len(theirs) else _value_code(ours[0], theirs[0])
    expected, sent = quoted(", ".join(theirs)), quoted(", ".join(ours))
    text = f"The provider expects {quoted(name)} as {expected}; this request has {sent}."
    yield Cause(code, text, _PARAMETERS_FIX)


def _value_code(ours: str, theirs: str) -> str:
    if _decoded(ours) == theirs or ours == _decoded(theirs):
        return "double_encoded"
    if ours.replace("+", " ") == theirs.replace("+", " "):
        return "space_plus"
    same_text = not (ours.isascii() and theirs.isascii()) and len(shown(ours)) == len(shown(theirs))
    return "charset" if same_text else "value_changed"


def _missing(item: Parameter) -> Cause:
    """A parameter of the request that the provider does not count."""
    code = {"query": "query_missing", "form": "form_missing"}.get(item.place, "oauth_parameter")
    if item.is_protocol:
        code = "empty_token" if item.name == "oauth_token" and not item.value else "oauth_parameter"
    text = f"The provider does not count {quoted(item.name)}, which this request has in the {item.place}."
    return Cause(code, text, _PARAMETERS_FIX)


def _extra(context: Context, pair: Pair) -> Cause:
    """A parameter that the provider counts and the request does not have."""
    name, value = pair
    code = "parameter_added"
    if name == "realm":
        code = "realm_included"
    elif name.startswith("oauth_"):
        code = "empty_token" if name == "oauth_token" and not value else "oauth_parameter"
    elif any(name == item.name for item in context.plan.parameters.items):
        code = "repeated"
    elif context.wire.body and not context.wire.has_form and name in _body_names(context):
        code = "body_included"
    return Cause(
        code, f"The provider counts {quoted(name)} as {quoted(value)}, which this request has not.", _PARAMETERS_FIX
    )


def _body_names(context: Context) -> set[str]:
    content_type = context.wire.header("Content-Type") or ""
    return {name for _, _, pairs in body_readings(context.wire.body, content_type) for name, _ in pairs}


def _decoded(text: str) -> str:
    return unquote_to_bytes(text.encode("latin-1", "replace")).decode("latin-1")
