"""Probes of the way to the provider: TLS, the clock, and the URL that the provider sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from async_oauth1.protocol.callbacks import is_loopback_host

from .connection import Answer, UnreachableError, address_of
from .session import Finding, Probe, Session, View

__all__ = ["REACHING"]

_DAY = 86_400
#: Days before its end from which on a certificate is reported.
_ENDS_SOON = 14
#: Seconds that two clocks may differ; networks and whole seconds explain less.
_CLOCK = 5
_TIME = re.compile(r"(?<![0-9])[1-9][0-9]{9}(?![0-9])")
#: Views that are tried.
_MOST_VIEWS = 150
_PORTS = ("", ":8000", ":8080", ":5000", ":3000", ":80")
_UPSTREAMS = (*(f"{name}{port}" for name in ("127.0.0.1", "localhost") for port in _PORTS), "backend", "app", "web")

_SCHEME_FIX = (
    "Set external_base_url to the URL that clients use. Or let the proxy set the scheme (nginx: proxy_set_header "
    "X-Forwarded-Proto $scheme), and name the proxy in trusted_proxies."
)
_HOST_FIX = (
    "Set external_base_url to the URL that clients use. Or let the proxy pass the Host on (nginx: proxy_set_header "
    "Host $http_host; Caddy does so unless header_up changes it)."
)


def tls(session: Session) -> Iterator[Finding]:
    """Whether the connection is protected, and for how long."""
    if session.target.scheme == "http":
        name, _ = address_of(session.target.host, "http")
        if is_loopback_host(name):
            yield Finding("tls", "ok", "Plain http, on this machine alone.")
        else:
            text = "Requests are signed, but not encrypted: tokens and answers can be read on the way."
            yield Finding("tls", "wrong", text, "Serve https: a proxy that ends TLS is enough.")
        return
    try:
        with session.connections.open_tls() as connection:
            certificate, version = connection.getpeercert() or {}, connection.version()
    except UnreachableError as error:
        session.stopped = "there is no usable TLS connection"
        fix = "Install a certificate for this name, with its chain; --ca-file names your own authority."
        yield Finding("tls", "wrong", f"Clients cannot connect: {str(error).rstrip('.')}.", fix)
        return
    yield _certificate(str(certificate.get("notAfter", "")), str(version), session.now())


def _certificate(ends: str, version: str, now: float) -> Finding:
    import ssl

    days = (ssl.cert_time_to_seconds(ends) - now) / _DAY if ends else _ENDS_SOON
    if days < _ENDS_SOON:
        return Finding("tls", "note", f"{version}; the certificate ends in {days:.0f} days.", "Renew it.")
    return Finding("tls", "ok", f"{version}, and the certificate is valid.")


def clock(session: Session) -> Iterator[Finding]:
    """The provider's clock, which its refusal of an old timestamp shows; else the Date header's."""
    began = session.now()
    answer = session.send(session.signed(session.message(), timestamp=1))
    now = (began + session.now()) / 2
    shown = _TIME.search(answer.description) if answer.error == "timestamp_refused" else None
    theirs = float(shown[0]) if shown else answer.date
    if theirs is None:
        yield Finding("clock", "skipped", "The answer shows no time.")
        return
    session.ahead = theirs - now
    if abs(session.ahead) > _CLOCK:
        direction = "ahead of" if session.ahead > 0 else "behind"
        text = f"The provider's clock is {abs(session.ahead):.0f} seconds {direction} this machine's."
        fix = "Synchronise both by NTP (timedatectl shows the state): timestamps outside timestamp_window are refused."
        yield Finding("clock", "wrong", text, fix)
    else:
        session.ahead = 0.0
        yield Finding("clock", "ok", "The provider's clock agrees with this machine's.")


def url(session: Session) -> Iterator[Finding]:
    """Whether the provider sees the URL that clients sign: scheme, host, port and prefix."""
    unsigned = session.send(session.message())
    if 200 <= unsigned.status < 300:
        session.stopped = "the path is not protected"
        text = f"A request without a signature is answered with {unsigned.status}: the path is not protected."
        yield Finding("url", "wrong", text, "Name a protected path with --protected-path, or protect this one.")
        return
    refusals: dict[str, Answer] = {}
    for algorithm in session.algorithms:
        session.algorithm = algorithm
        answer = session.send(session.signed(session.message()))
        if 200 <= answer.status < 300:
            yield Finding("url", "ok", f"The provider sees {session.message().url}, as clients do.")
            return
        if answer.error != "unsupported_signature_method" or not refusals:
            refusals[algorithm] = answer
    yield from _told(session, next(reversed(refusals.values())))
    if not session.stopped:
        yield from _another_view(session, tuple(refusals))


def _told(session: Session, answer: Answer) -> Iterator[Finding]:
    """What the refusal itself says."""
    status, error, description = answer.status, answer.error, _printable(answer.description[:200])
    told = {
        "insecure_transport": ("The provider saw plain http, and requires https.", _SCHEME_FIX),
        "misdirected_request": ("The provider saw a host that is not in allowed_hosts.", _HOST_FIX),
        "missing_required_parameter": (f"The provider asks for more: {description}.", "Give a token with --token."),
        "insufficient_scope": ("The token does not cover the scope of the protected path.", "Use another token."),
        "temporarily_unavailable": ("A store of the provider does not answer.", "See the provider's log."),
    }
    if error in told:
        text, fix = told[error]
    elif status in (301, 302, 307, 308):
        text = f"The answer is a redirect ({status}), and clients do not sign anew for it."
        fix = "Use the URL that the provider redirects to, and the proxy's canonical host and scheme."
    elif status == 401:
        return
    else:
        text = f"A signed request is answered with {status}{f': {description}' if description else ''}."
        fix = "Name a path that answers 2xx to a signed GET with --protected-path; 502 to 504 come from the proxy."
    session.stopped = "no signed request is accepted"
    yield Finding("url", "wrong", text, fix)


def _another_view(session: Session, algorithms: tuple[str, ...]) -> Iterator[Finding]:
    """Sign as the provider may see the URL, until it accepts that."""
    named = session.view
    for view in _views(session):
        message = session.message()
        for session.algorithm in algorithms:
            if 200 <= session.send(session.signed(message, seen=view.of(message))).status < 300:
                session.view = view
                yield from _differences(named, view)
                return
    session.stopped = "no signed request is accepted"
    text = (
        "A signature by the RFC is refused, and so is one for each other scheme, host, port and prefix that was tried. "
        "Either the credentials are wrong, or the provider sees a host that was not tried."
    )
    fix = (
        "Check the client's identifier and secret, and the token's; and that external_base_url is this URL. Name the "
        "address behind the proxy with --upstream HOST:PORT; or save a request and run async-oauth1 explain."
    )
    yield Finding("url", "wrong", text, fix)


def _views(session: Session) -> Iterator[View]:
    """Other views of the URL, the usual ones first."""
    target = session.target
    name = target.host.partition(":")[0] if not target.host.startswith("[") else target.host
    hosts = dict.fromkeys((target.host, name, *target.upstreams, *_UPSTREAMS))
    other = "http" if target.scheme == "https" else "https"
    segments = target.path.split("/")
    prefixes = ["/".join(segments[:end]) for end in range(2, len(segments))]
    paths = [("", ""), *((prefix, "") for prefix in prefixes)]
    if target.prefix:
        paths.append(("", target.prefix))
    every = [
        View(scheme, host, removed, added)
        for host in hosts
        for removed, added in paths
        for scheme in (target.scheme, other)
    ]
    first = View(target.scheme, target.host)
    every.sort(key=lambda view: sum(a != b for a, b in zip(view, first, strict=True)))
    yield from every[1:_MOST_VIEWS]


def _differences(named: View, seen: View) -> Iterator[Finding]:
    """What the view that was proven says of proxy and provider."""
    if seen.scheme != named.scheme:
        text = f"The provider sees {seen.scheme}, and clients use {named.scheme}."
        yield Finding("url", "wrong", text, _SCHEME_FIX)
    if seen.host != named.host:
        text = f"The provider sees the host {seen.host}, and clients use {named.host}."
        yield Finding("url", "wrong", text, _HOST_FIX)
    if seen.removed:
        text = f"The provider does not see the prefix {seen.removed}: a proxy, or a mount, takes it away."
        base = f"{named.scheme}://{named.host}{seen.removed}"
        fix = f"Set external_base_url to {base}, or let the proxy pass the path on as it is."
        yield Finding("url", "wrong", text, fix)
    if seen.added:
        text = f"The provider sees the prefix {seen.added} twice."
        fix = "Take the prefix out of external_base_url, or let the proxy remove it from the path."
        yield Finding("url", "wrong", text, fix)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


REACHING = (Probe("tls", tls), Probe("clock", clock), Probe("url", url))
