"""The base string URI (RFC 5849 section 3.4.1.2): scheme, host, port and path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from ..changes import Cause, Change, Context, change, one_of, rewriting, setting
from ..plan import DEFAULT_PORTS, Uri, split_host

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_BASE_URL = "Set external_base_url to the URL that clients use, or name the proxy in trusted_proxies."
#: Prefixes that are usual in front of an application.
_USUAL_PREFIXES = ("/api", "/v1", "/api/v1", "/rest", "/index.php", "/lti", "/app", "/oauth", "/public")
_FORWARDED = re.compile(r'(?i)(?:^|[;,])\s*(proto|host)\s*=\s*"?([^;,"]+)')


def forwarded(context: Context) -> dict[str, str]:
    """What headers of proxies say: ``proto``, ``host``, ``port`` and ``prefix``; the first value of a list."""
    wire = context.wire
    said = {name.lower(): value.strip() for name, value in reversed(_FORWARDED.findall(wire.header("Forwarded") or ""))}
    for name, fields in _FIELDS.items():
        for field in fields:
            if value := wire.header(field):
                said.setdefault(name, value.split(",")[0].strip())
    if "proto" not in said and (wire.header("X-Forwarded-Ssl") or wire.header("Front-End-Https") or "").lower() == "on":
        said["proto"] = "https"
    said["proto"] = {"wss": "https", "ws": "http"}.get(said.get("proto", ""), said.get("proto", "")).lower()
    return {name: value for name, value in said.items() if value}


_FIELDS = {
    "proto": ("X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Scheme", "X-Url-Scheme", "CloudFront-Forwarded-Proto"),
    "host": ("X-Forwarded-Host", "X-Original-Host", "X-Host"),
    "port": ("X-Forwarded-Port",),
    "prefix": ("X-Forwarded-Prefix", "X-Script-Name", "X-Forwarded-Path"),
}


def proxies(context: Context) -> Iterator[Change]:
    """Everything that a proxy says, at once."""
    said = forwarded(context)
    uri = context.plan.uri
    scheme = said.get("proto", uri.scheme)
    if scheme not in DEFAULT_PORTS:
        return
    host, port = split_host(said["host"].lower()) if "host" in said else (uri.host, uri.port)
    if "port" in said and not port:
        port = said["port"]
    ports = {port, said.get("port", port), "" if "proto" in said else port}
    prefix = said.get("prefix", "").rstrip("/")
    for chosen in sorted(ports, key=lambda text: text != port):
        for path in dict.fromkeys((prefix, "")):
            causes = list(_proxy_causes(context, scheme, host, chosen, path))
            if len(causes) > 1:
                apply = _origin(scheme, host, chosen, path)
                yield Change(0, tuple(causes), rewriting(uri=apply))


def _origin(scheme: str, host: str, port: str, prefix: str) -> Any:
    def rewrite(uri: Uri) -> Uri:
        return Uri(scheme, host, port, prefix + uri.path, uri.suffix, uri.show_port, uri.encoding)

    return rewrite


def _proxy_causes(context: Context, scheme: str, host: str, port: str, prefix: str) -> Iterator[Cause]:
    uri = context.plan.uri
    default = {DEFAULT_PORTS[scheme], ""}
    if scheme != uri.scheme:
        yield Cause("scheme", _signed(f"{scheme}://", f"{uri.scheme}://"), _BASE_URL)
    if host != uri.host:
        yield Cause("host", _signed(f"the host {host}", uri.host), _BASE_URL)
    if (
        port != uri.port
        and (host == uri.host or "port" in forwarded(context))
        and not ({port, uri.port or DEFAULT_PORTS[uri.scheme]} <= default | {"80", "443"})
    ):
        yield Cause("port", _signed(f"port {port or DEFAULT_PORTS[scheme]}", uri.port or "the default port"), _BASE_URL)
    if prefix:
        yield Cause("path_prefix", f"A proxy took the prefix {prefix} away; the client signed it.", _BASE_URL)


def _signed(signed: str, seen: str) -> str:
    return f"The client signed {signed}; this server saw {seen}."


def scheme(context: Context) -> Iterator[Change]:
    """Http for https, or the reverse."""
    seen = context.plan.uri.scheme
    signed = "https" if seen == "http" else "http"
    cost = 0 if forwarded(context).get("proto") == signed else 0.5
    text = _signed(f"{signed}://{context.plan.uri.host}", f"{seen}://{context.plan.uri.host}")
    fix = _BASE_URL if signed == "https" else "Let the client sign the https URL that it sends the request to."
    yield change(cost, "scheme", text, fix, uri=setting(scheme=signed))


def hosts(context: Context) -> Iterator[Change]:
    """Another host: one that a header, the configuration or another spelling suggests."""
    uri = context.plan.uri
    for cost, name, why, is_spelling in _host_candidates(context):
        host, port = split_host(name)
        if not host or "/" in host:
            continue
        shown = port or (uri.port if is_spelling else "")
        text = f"{_signed(f'the host {host}', uri.host)} {why}".strip()
        yield change(cost, "host", text, _BASE_URL, uri=setting(host=host, port=shown))
        if shown != uri.port:
            yield change(cost + 1, "host", text, _BASE_URL, uri=setting(host=host))


def _host_candidates(context: Context) -> Iterator[tuple[float, str, str, bool]]:
    """How unlikely it is, host and port, why, and whether it is the same host otherwise written."""
    wire, host = context.wire, context.plan.uri.host
    said = forwarded(context).get("host")
    if said:
        yield 0, said.lower(), "A proxy says so in a header that is not trusted.", False
    header = wire.header("Host")
    if header and header.lower() != wire.host.lower():
        yield 0, header.lower(), "The Host header says so.", False
    for allowed in context.policy.allowed_hosts:
        if not allowed.startswith("*."):
            yield 0, allowed.lower(), "It is one of the allowed hosts.", False
    for name in ("Origin", "Referer"):
        address = urlsplit(wire.header(name) or "").netloc.rpartition("@")[2]
        if address:
            yield 0 if name == "Origin" else 1, address.lower(), f"The header {name} says so.", False
    yield 0.5, host.removeprefix("www.") if host.startswith("www.") else f"www.{host}", "", True
    for name in _LOOPBACK:
        yield (0.5 if host in _LOOPBACK else 4), name, "It is this machine's own name.", True
    for spelled in dict.fromkeys((split_host(header or "")[0], split_host(wire.host)[0], host.upper())):
        yield (1 if spelled == host.upper() else 0.5), spelled, "The host belongs in lower case.", True
    yield 1, host.removesuffix(".") if host.endswith(".") else f"{host}.", "Only the dot at the end differs.", True
    yield from ((0.5, name, "Only the spelling of an international name differs.", True) for name in _other_idna(host))


def _other_idna(host: str) -> Iterator[str]:
    try:
        if "xn--" in host:
            yield host.encode("ascii").decode("idna").encode().decode("latin-1")
        elif not host.isascii():
            yield host.encode("latin-1").decode().encode("idna").decode()
    except UnicodeError:
        return


def ports(context: Context) -> Iterator[Change]:
    """The default port shown, another one left out, or a proxy's."""
    uri, said = context.plan.uri, forwarded(context)
    text = "The client signed the default port, which the base string leaves out."
    yield change(0.5, "port", text, "Leave :80 and :443 out of the base string.", uri=setting(show_port=True))
    default = DEFAULT_PORTS[uri.scheme]
    if uri.port not in ("", default):
        text = f"The client signed no port; this server saw port {uri.port}."
        yield change(0.5, "port", text, "Sign the port, unless it is the default one.", uri=setting(port=""))
    for port in dict.fromkeys((said.get("port", ""), "80", "443", "8080", "8443")):
        if port and port != uri.port:
            text = _signed(f"port {port}", uri.port or "the default port")
            cost = 0 if port == said.get("port") else 4
            yield change(cost, "port", text, _BASE_URL, uri=setting(port=port, show_port=True))


def prefixes(context: Context) -> Iterator[Change]:
    """A prefix that a proxy took away or put in front."""
    path, wire = context.plan.uri.path, context.wire
    added = dict.fromkeys(_prefix_candidates(context))
    for prefix, cost in added.items() if isinstance(added, dict) else ():
        del cost
        evident = prefix not in _USUAL_PREFIXES
        text = f"The client signed the path with the prefix {prefix}, which something took away before this server."
        yield change(
            0 if evident else 1.5 if prefix == "/api" else 4,
            "path_prefix",
            text,
            _BASE_URL,
            uri=_path(lambda old, prefix=prefix: prefix + old),
        )
    for original in ("X-Original-URI", "X-Original-URL", "X-Rewrite-URL", "X-Envoy-Original-Path", "X-Request-URI"):
        said = (wire.header(original) or "").partition("?")[0]
        if said.startswith("/") and said != path:
            text = f"The client signed the path {said}, as the header {original} shows; this server saw {path}."
            yield change(0, "path_prefix", text, _BASE_URL, uri=_path(lambda _, said=said: said))
    segments = path.split("/")
    for count in (1, 2, 3):
        if len(segments) > count + 1:
            prefix = "/".join(segments[: count + 1])
            evident = prefix == wire.base_path.rstrip("/")
            text = f"The client signed the path without {prefix}."
            fix = "Take the prefix out of external_base_url, or let the client sign the URL that it uses."
            cost = 0 if evident else (0.5, 2.5, 4)[count - 1]
            yield change(cost, "path_prefix", text, fix, uri=_path(lambda old, prefix=prefix: old.removeprefix(prefix)))


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


def _path(rewrite: Any) -> Any:
    return lambda uri: Uri(uri.scheme, uri.host, uri.port, rewrite(uri.path), uri.suffix, uri.show_port, uri.encoding)


def trailing_slash(context: Context) -> Iterator[Change]:
    """The last slash, which a redirect or a router adds or takes away."""
    path = context.plan.uri.path
    fix = "Send the request to the URL that is signed; a redirect does not sign again."
    if path.endswith("/"):
        text = "The client signed the path without its last slash."
        yield change(0, "path_trailing_slash", text, fix, uri=_path(lambda old: old.removesuffix("/")))
    else:
        text = "The client signed the path with a slash at its end."
        yield change(0, "path_trailing_slash", text, fix, uri=_path(lambda old: f"{old}/"))


#: Ways to write a path: what was done, how unlikely it is, and the function.
_PATH_ESCAPES: tuple[tuple[str, float, Any], ...] = (
    ("The client signed the path decoded.", 0, lambda path: _decode(path)),
    ("The client encoded the path once more.", 0.5, lambda path: _quote(path, "/")),
    ("A proxy decoded the path; the client signed it escaped.", 0.5, lambda path: _quote(_decode(path), "/")),
    ("The client encoded the path's escapes once more.", 0.5, lambda path: path.replace("%", "%25")),
    (
        "A proxy decoded the path; the client left some characters bare.",
        1,
        lambda path: _quote(path, "/:@!$&'()*+,;=%"),
    ),
    ("The client escaped the path by other rules.", 1, lambda path: _quote(_decode(path), "/:@!$&'()*+,;=")),
    ("The client wrote the path's escapes in the other case.", 0, lambda path: _swap_case(path)),
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
        yield change(cost, "path_escapes", text, fix, uri=_path(rewrite))
    segments = context.plan.uri.path.split("/")
    for index in range(1, min(len(segments), 12)):
        # %2F that a proxy decoded: which slash it was cannot be seen, so each is tried.
        joined = "/".join(segments[:index]) + "%2F" + "/".join(segments[index:])
        doubled = "/".join(segments[:index]) + "//" + "/".join(segments[index:])
        for cost, path, what in ((0, joined, "%2F"), (0, doubled, "//")):
            text = f"The client signed {what} in the path where this server saw /."
            yield change(
                one_of(-0.5 + cost, len(segments)), "path_escapes", text, fix, uri=_path(lambda _, path=path: path)
            )


def _decode(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def _quote(path: str, safe: str) -> str:
    return quote_from_bytes(path.encode("latin-1"), safe=f"{safe}~")


def _swap_case(path: str) -> str:
    upper = re.sub("%[0-9a-fA-F]{2}", lambda match: match[0].upper(), path)
    return upper if upper != path else _lower(path)


def _lower(path: str) -> str:
    return re.sub("%[0-9a-fA-F]{2}", lambda match: match[0].lower(), path)


def url_query(context: Context) -> Iterator[Change]:
    """The query or the fragment in the base string URI."""
    query = context.wire.query.decode("latin-1")
    fix = "End the base string URI before the question mark; the query's parameters are signed with the others."
    if query:
        text = "The client kept the query in the base string URI and signed its parameters as well."
        yield change(0, "url_query", text, fix, uri=setting(suffix=f"?{query}"))
        text = "The client kept the query in the base string URI instead of signing its parameters."
        yield change(0.5, "url_query", text, fix, uri=setting(suffix=f"?{query}"), parameters=_without_query)
    elif context.wire.query == b"":
        text = "The client kept a question mark at the end of the base string URI."
        yield change(4, "url_query", text, fix, uri=setting(suffix="?"))
    if context.wire.fragment is not None:
        fix = "End the base string URI before the #."
        for start in dict.fromkeys(("", f"?{query}" if query else "")):
            text = "The client kept the fragment in the base string URI."
            yield change(0, "url_query", text, fix, uri=setting(suffix=f"{start}#{context.wire.fragment}"))


def _without_query(parameters: Any) -> Any:
    items = tuple(item for item in parameters.items if item.place != "query" or item.is_protocol)
    return setting(items=items)(parameters)


HYPOTHESES = (proxies, scheme, hosts, ports, prefixes, trailing_slash, path_escapes, url_query)
