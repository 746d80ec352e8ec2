"""The base string URI (RFC 5849 section 3.4.1.2): scheme, host and port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..changes import Cause, Change, Context, Rewrite, change, changing, uri_with
from ..plan import DEFAULT_PORTS, Uri, split_host

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
#: What to change if a proxy stands in between.
BASE_URL = "Set external_base_url to the URL that clients use, or name the proxy in trusted_proxies."
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
    proto = said.get("proto", "").lower()
    said["proto"] = {"wss": "https", "ws": "http"}.get(proto, proto)
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
                yield changing(-1, tuple(causes), uri=_origin(scheme, host, chosen, path))


def _origin(scheme: str, host: str, port: str, prefix: str) -> Rewrite[Uri]:
    def rewrite(uri: Uri) -> Uri:
        return Uri(scheme, host, port, prefix + uri.path, uri.suffix, uri.show_port, uri.encoding)

    return rewrite


def _proxy_causes(context: Context, scheme: str, host: str, port: str, prefix: str) -> Iterator[Cause]:
    uri = context.plan.uri
    default = {DEFAULT_PORTS[scheme], ""}
    if scheme != uri.scheme:
        yield Cause("scheme", _signed(f"{scheme}://", f"{uri.scheme}://"), BASE_URL)
    if host != uri.host:
        yield Cause("host", _signed(f"the host {host}", uri.host), BASE_URL)
    if (
        port != uri.port
        and (host == uri.host or "port" in forwarded(context))
        and not ({port, uri.port or DEFAULT_PORTS[uri.scheme]} <= default | {"80", "443"})
    ):
        yield Cause("port", _signed(f"port {port or DEFAULT_PORTS[scheme]}", uri.port or "the default port"), BASE_URL)
    if prefix:
        yield Cause("path_prefix", f"A proxy took the prefix {prefix} away; the client signed it.", BASE_URL)


def _signed(signed: str, seen: str) -> str:
    return f"The client signed {signed}; this server saw {seen}."


def scheme(context: Context) -> Iterator[Change]:
    """Http for https, or the reverse."""
    seen = context.plan.uri.scheme
    signed = "https" if seen == "http" else "http"
    cost = -1 if forwarded(context).get("proto") == signed else 0.5
    text = _signed(f"{signed}://{context.plan.uri.host}", f"{seen}://{context.plan.uri.host}")
    fix = BASE_URL if signed == "https" else "Let the client sign the https URL that it sends the request to."
    yield change(cost, "scheme", text, fix, uri=uri_with(scheme=signed))


def hosts(context: Context) -> Iterator[Change]:
    """Another host: one that a header, the configuration or another spelling suggests."""
    uri = context.plan.uri
    for cost, name, why, is_spelling in _host_candidates(context):
        host, port = split_host(name)
        if not host or "/" in host:
            continue
        shown = port or (uri.port if is_spelling else "")
        text = f"{_signed(f'the host {host}', uri.host)} {why}".strip()
        yield change(cost, "host", text, BASE_URL, uri=uri_with(host=host, port=shown))
        if shown != uri.port:
            yield change(cost + 1, "host", text, BASE_URL, uri=uri_with(host=host))


def _host_candidates(context: Context) -> Iterator[tuple[float, str, str, bool]]:
    """How unlikely it is, host and port, why, and whether it is the same host otherwise written."""
    wire, host = context.wire, context.plan.uri.host
    said = forwarded(context).get("host")
    if said:
        yield -1, said.lower(), "A proxy says so in a header that is not trusted.", False
    header = wire.header("Host")
    if header and header.lower() != wire.host.lower():
        yield -1, header.lower(), "The Host header says so.", False
    for allowed in context.policy.allowed_hosts:
        if not allowed.startswith("*."):
            yield -1, allowed.lower(), "It is one of the allowed hosts.", False
    for name in ("Origin", "Referer"):
        address = urlsplit(wire.header(name) or "").netloc.rpartition("@")[2]
        if address:
            yield -1 if name == "Origin" else 1, address.lower(), f"The header {name} says so.", False
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
    yield change(0.5, "port", text, "Leave :80 and :443 out of the base string.", uri=uri_with(show_port=True))
    default = DEFAULT_PORTS[uri.scheme]
    if uri.port not in ("", default):
        text = f"The client signed no port; this server saw port {uri.port}."
        yield change(0.5, "port", text, "Sign the port, unless it is the default one.", uri=uri_with(port=""))
    for port in dict.fromkeys((said.get("port", ""), "80", "443", "8080", "8443")):
        if port and port != uri.port:
            text = _signed(f"port {port}", uri.port or "the default port")
            cost = -1 if port == said.get("port") else 4
            yield change(cost, "port", text, BASE_URL, uri=uri_with(port=port, show_port=True))


HYPOTHESES = (proxies, scheme, hosts, ports)
