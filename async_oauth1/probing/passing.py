"""Probes of what passes through to the provider unchanged: paths, large headers, queries, forms, forwarding headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote, unquote

from .connection import Answer, UnreachableError
from .session import Finding, Probe, Session
from .signing import Message, Place

__all__ = ["PASSING"]

#: Octets of the Authorization header that the package accepts.
_LARGEST = 64 * 1024
#: Octets that the header is shorter than the size that is tried, for the field's name and a longer signature.
_SPARE = 64

_KEEP = (
    "Pass the path on as it was sent. nginx: proxy_pass without anything behind the host and port, and no $uri; Caddy: "
    "no handle_path or uri strip_prefix. The guide to deploying has blocks for both, also for a prefix that is removed."
)
_MERGE = (
    f"nginx: merge_slashes off in the default server. {_KEEP} Frameworks: no redirect for // (merge_slashes=False)."
)


class _Odd(NamedTuple):
    """A path that proxies change, what is special in it, and what they make of it."""

    what: str
    path: str
    changes: tuple[tuple[str, Callable[[str], str]], ...]
    fix: str = _KEEP


def _merged(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path


def _recoded(path: str) -> str:
    return quote(unquote(path), safe="/~:@!$&'()*+,;=")


def _replacing(old: str, new: str) -> Callable[[str], str]:
    return lambda path: path.replace(old, new)


def _cut(path: str) -> str:
    return path.partition(";")[0]


_DECODED = (("decoded", unquote), ("decoded and escaped again", _recoded))
_ODD = (
    _Odd("//", "a//b", (("merged to one slash", _merged),), _MERGE),
    _Odd("%2F", "a%2Fb", (("decoded to /", unquote), ("escaped twice", _replacing("%", "%25")))),
    _Odd("~", "a~b", (("escaped as %7E", _replacing("~", "%7E")),)),
    _Odd("%7E", "a%7Eb", _DECODED),
    _Odd(";", "a;v=1", (("cut off", _cut),)),
    _Odd("%20", "a%20b", (("decoded to a space", unquote), ("turned into +", _replacing("%20", "+")))),
    _Odd("%C3%BC", "%C3%BC", (*_DECODED, ("written in lower case", _replacing("%C3%BC", "%c3%bc")))),
)  # fmt: skip


def paths(session: Session) -> Iterator[Finding]:
    """Whether unusual paths arrive as they were sent."""
    good: list[str] = []
    unknown: list[str] = []
    for odd in _ODD:
        message = session.message(below=odd.path)
        try:
            verdict, answer = session.verifies(message)
        except UnreachableError as error:
            yield Finding("paths", "wrong", f"{odd.what} in a path: {error}.", odd.fix)
            continue
        if verdict:
            good.append(odd.what)
        elif verdict is None and answer.status == 404:
            unknown.append(odd.what)
        else:
            yield Finding("paths", "wrong", _what_happens(session, odd, message, answer), odd.fix)
    if good:
        yield Finding("paths", "ok", f"Arrives as it was sent in a path: {' '.join(good)}")
    if unknown:
        text = f"Not decided, for the answer is 404 whatever the signature is: {' '.join(unknown)}"
        fix = "Name a route that takes any path below it with --protected-path."
        yield Finding("paths", "skipped", text, fix)


def _what_happens(session: Session, odd: _Odd, message: Message, answer: Answer) -> str:
    if answer.status in (301, 302, 307, 308):
        return f"{odd.what} in a path is answered with a redirect ({answer.status}), which no signature survives."
    if answer.status != 401:
        return f"{odd.what} in a path is answered with {answer.status}."
    sent = session.view.of(message)
    for change, make in odd.changes:
        seen = replace(sent, path=make(sent.path.decode()).encode())
        if session.send(session.signed(message, seen=seen)).status != 401:
            return f"{odd.what} in a path is {change} before it arrives, so the signature fails."
    return f"{odd.what} in a path changes before it arrives, so the signature fails."


_HEADERS_FIX = (
    "nginx: large_client_header_buffers 4 128k in the default server; hypercorn: h11_max_incomplete_size = 256 * 1024; "
    "gunicorn: limit_request_field_size. The guide to deploying has each."
)


def large_headers(session: Session) -> Iterator[Finding]:
    """Whether an Authorization header of nearly 64 KiB passes: tokens, scopes and body hashes may be long."""
    fits = 0
    rest = len(session.signed(session.message(), realm="").headers[-1][1]) + _SPARE
    for size in (_LARGEST, 32_768, 16_384, 8_192, 4_096):
        message = session.signed(session.message(), realm="x" * (size - rest))
        try:
            answer = session.send(message)
        except UnreachableError:
            continue
        if 200 <= answer.status < 300:
            fits = size
            break
    if fits == _LARGEST:
        yield Finding("large headers", "ok", "An Authorization header of 64 KiB passes.")
        return
    text = f"The largest Authorization header that passes has {fits // 1024} KiB; the provider itself takes 64."
    yield Finding("large headers", "wrong", text, _HEADERS_FIX)


def transports(session: Session) -> Iterator[Finding]:
    """Whether the parameters may stand in the query and in a form (RFC 5849 section 3.5)."""
    for name, method, place in _TRANSPORTS:
        message = session.message(method)
        if place == "query":
            message = message.with_query(b"a=b%20c&a=%2B%7E")
        else:
            message = replace(message, headers=((b"Content-Type", _FORM),), body=b"a=b+c&a=%2B~")
        verdict, answer = session.verifies(message, place=place)
        if verdict:
            yield Finding(name, "ok", f"A signature in the {place} is accepted.")
        elif verdict is None:
            text = f"A signature in the {place} is answered with {answer.status}, whatever it is."
            yield Finding(name, "skipped", text, f"Name a path that takes {method} with --protected-path.")
        else:
            text = f"A signature in the {place} is refused, and the same one in the header is not."
            fix = f"Let the proxy, and middleware in front of the provider, pass the {place} on as it is."
            yield Finding(name, "wrong", text, fix)


_FORM = b"application/x-www-form-urlencoded"
_TRANSPORTS: tuple[tuple[str, str, Place], ...] = (("query", "GET", "query"), ("form", "POST", "form"))
_FOREIGN = "doctor.invalid"
_FORWARDED: tuple[tuple[str, str], ...] = (
    ("X-Forwarded-Host", "{host}"),
    ("X-Forwarded-Proto", "{scheme}"),
    ("X-Forwarded-Port", "8443"),
    ("X-Forwarded-Prefix", "/forged"),
    ("Forwarded", "for=10.0.0.1;host={host};proto={scheme}"),
)


def forged_headers(session: Session) -> Iterator[Finding]:
    """Whether the provider believes forwarding headers that a client has written."""
    other = "http" if session.view.scheme == "https" else "https"
    believed: list[str] = []
    for name, pattern in _FORWARDED:
        value = pattern.format(host=_FOREIGN, scheme=other)
        message = replace(session.message(), headers=((name.encode(), value.encode()),))
        if session.send(session.signed(message)).status not in range(200, 300):
            believed.append(name)
    if believed:
        text = f"The provider believes what a client writes into {', '.join(believed)}: a right signature is refused."
        fix = (
            'Let the proxy set or remove each of these headers (nginx: proxy_set_header Forwarded ""; Caddy: '
            "header_up -Forwarded), or use external_base_url instead of trusted_proxies."
        )  # fmt: skip
        yield Finding("forged headers", "wrong", text, fix)
    else:
        yield Finding("forged headers", "ok", "Forwarding headers of a client change nothing.")


def foreign_host(session: Session) -> Iterator[Finding]:
    """Whether a request that was signed for another host is accepted."""
    message = replace(session.message(), host=_FOREIGN)
    seen = replace(session.view.of(message), host=_FOREIGN)
    if 200 <= session.send(session.signed(message, seen=seen)).status < 300:
        text = (
            "A request that was signed for another host is accepted, so one for a staging system can be replayed here."
        )
        fix = "Set external_base_url or allowed_hosts; nginx: give the default server a return 421."
        yield Finding("foreign host", "wrong", text, fix)
    else:
        yield Finding("foreign host", "ok", "A request that was signed for another host is refused.")


PASSING = (
    Probe("paths", paths),
    Probe("large headers", large_headers),
    Probe("transports", transports),
    Probe("forged headers", forged_headers),
    Probe("foreign host", foreign_host),
)
