"""What is wrong with a request whatever its signature: the clock, the body hash, duplicates, what cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.checks import (
    check_host,
    check_identifiers,
    check_version,
    note_header_parameters,
)
from async_oauth1.tolerances import VERSION_1_0A

from .body_hashes import body_hash_causes
from .changes import Cause, Secrets
from .wire import WireRequest

__all__ = ["unreadable", "violations"]

_MILLISECONDS = re.compile(r"[1-9][0-9]{12}")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
_REQUIRED = ("oauth_consumer_key", "oauth_signature_method", "oauth_signature")
_COMPLETE = "Send every protocol parameter that RFC 5849 section 3.1 requires, with a value that it allows."
_BASE_URL = "Set external_base_url to the URL that clients use, or name the proxy in trusted_proxies."
#: One parameter of the Authorization header, and what must follow it.
_ELEMENT = re.compile(r'\s*(?:([^\s"=,]+)\s*=\s*(?:"[^"\\]*(?:\\.[^"\\]*)*"|[^\s",]*)\s*(?:,|\Z)|,|\Z)', re.DOTALL)


def unreadable(wire: WireRequest, error: OAuth1Error) -> Cause:
    """The cause that a request is refused while it is read."""
    if isinstance(error, DuplicatedOAuthProtocolParameterError):
        return _duplicate(wire, error)
    text = _sentence(error)
    if not wire.is_readable:
        text = f"{text} {_where(wire.header('Authorization') or '')}"
    return Cause("malformed", text.strip(), "Send the request as RFC 5849 section 3.5 has it.")


def _duplicate(wire: WireRequest, error: OAuth1Error) -> Cause:
    counts = Counter(item.name for item in wire.parameters if item.is_protocol)
    repeated = [name for name, count in counts.items() if count > 1]
    places = sorted({item.place for item in wire.parameters if item.is_protocol})
    if repeated:
        where = {item.place for item in wire.parameters if item.name in repeated}
        text = f"The client sent {', '.join(repeated[:12])} more than once, in the {' and the '.join(sorted(where))}."
    elif len(places) > 1:
        text = f"The client sent protocol parameters in the {' and the '.join(places)}."
    else:
        text = _sentence(error)
    return Cause("duplicate_parameter", text, "Send each protocol parameter once, and all of them in one place.")


def _where(header: str) -> str:
    """Where the Authorization header cannot be read; the signature, which PLAINTEXT makes of secrets, is not shown."""
    scheme, _, _ = header.partition(" ")
    position, last = len(scheme), ""
    while position < len(header):
        match = _ELEMENT.match(header, position)
        if match is None:
            break
        position, last = match.end(), match[1] or last
    else:
        return ""
    excerpt = re.sub(r"(oauth_signature\s*=).*", r"\1...", header[position : position + 60].strip(), flags=re.DOTALL)
    after = f", after {last[:40]}" if last else ""
    return f"It stops making sense at character {position + 1}{after}: {excerpt!r}."


def _sentence(error: OAuth1Error) -> str:
    text = str(error.description or error.error or error)
    return text if text.endswith(".") else f"{text}."


def violations(
    wire: WireRequest, request: OAuth1Request, secrets: Secrets, policy: Policy, now: float | None
) -> Iterator[Cause]:
    """Everything but the signature that this provider refuses the request for.

    Args:
        wire: the request.
        request: the same, read.
        secrets: what is known of the client.
        policy: the provider's rules.
        now: Unix time of its arrival; ``None`` if no clock is to be judged.
    """
    yield from _transport(request, policy)
    yield from _missing(request)
    yield from _impossible(request, policy)
    yield from _clock(request, policy, now)
    claimed = request.protocol_parameters.get("oauth_body_hash")
    if claimed is not None:
        yield from body_hash_causes(wire, claimed, secrets)
    elif policy.require_signed_body and wire.body and not wire.has_form:
        text = "Nothing signs the body, and this provider requires that something does."
        yield Cause("body_hash", text, "Send the hash of the body as oauth_body_hash.")
    yield from _method(request, policy)


def _transport(request: OAuth1Request, policy: Policy) -> Iterator[Cause]:
    if policy.require_https and not request.is_secure:
        text = "This provider takes https alone, and the request arrived as http."
        yield Cause("scheme", text, _BASE_URL)
    try:
        if policy.allowed_hosts:
            check_host(request, policy)
    except OAuth1Error:
        text = f"This server saw the host {request.hostname[:80]!r}, which is not one of allowed_hosts."
        yield Cause("host", text, _BASE_URL)


def _missing(request: OAuth1Request) -> Iterator[Cause]:
    plaintext = request.signature_method == "PLAINTEXT"  # which may omit either (section 3.1)
    required = _REQUIRED if plaintext else (*_REQUIRED, "oauth_timestamp", "oauth_nonce")
    missing = [name for name in required if not request.protocol_parameters.get(name)]
    if missing:
        text = "The request has no OAuth parameters." if not request.protocol_parameters else ""
        yield Cause("malformed", text or f"The request lacks {' and '.join(missing)}.", _COMPLETE)


def _impossible(request: OAuth1Request, policy: Policy) -> Iterator[Cause]:
    try:
        check_identifiers(request, policy)
    except OAuth1Error as error:
        yield Cause("malformed", _sentence(error), _COMPLETE)
    note_header_parameters(request)
    version_is_wrong = False
    try:
        check_version(request)
    except OAuth1Error:
        version_is_wrong = True
    for name, deviation in request.deviations:
        if name == VERSION_1_0A:
            version_is_wrong = version_is_wrong or name not in policy.tolerances
        elif name not in policy.tolerances:
            yield Cause("malformed", _sentence(deviation), _COMPLETE)
    if version_is_wrong:
        text = f"oauth_version is {request.protocol_parameters['oauth_version'][:40]!r}; there is only 1.0."
        yield Cause("malformed", text, "Send oauth_version=1.0, or leave it out.")


def _clock(request: OAuth1Request, policy: Policy, now: float | None) -> Iterator[Cause]:
    timestamp = request.timestamp
    if not timestamp:
        return
    if _MILLISECONDS.fullmatch(timestamp):
        text = f"The client counts milliseconds: oauth_timestamp is {timestamp}."
        yield Cause("timestamp_milliseconds", text, "Divide by 1,000: oauth_timestamp counts seconds since 1970.")
    elif not _SECONDS.fullmatch(timestamp):
        text = f"oauth_timestamp is {timestamp[:40]!r}, not a positive whole number."
        yield Cause("malformed", text, "Send the seconds since 1970 as oauth_timestamp.")
    elif now is not None and abs(int(timestamp) - now) > policy.timestamp_window:
        fix = "Set the client's clock by NTP, and count in UTC."
        yield Cause("timestamp_clock", _clock_text(int(timestamp) - now), fix)


def _clock_text(seconds: float) -> str:
    off = abs(seconds)
    text = f"The client's clock is {_duration(off)} {'ahead' if seconds > 0 else 'behind'}."
    hours = round(off / 1_800) / 2
    if 0 < hours <= 14 and abs(off - hours * 3_600) < 300:
        text += f" That is {hours:g} hour{'' if hours == 1 else 's'}, so it is probably the time zone."
    return text


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit} ({int(seconds)} seconds)"
    return f"{int(seconds)} seconds"


def _method(request: OAuth1Request, policy: Policy) -> Iterator[Cause]:
    method, enabled = request.signature_method, ", ".join(policy.signature_methods)
    if method and method not in policy.signature_methods:
        text = f"The client names the signature method {method[:40]!r}, which is not enabled; enabled is {enabled}."
        yield Cause("signature_method", text, f"Sign with {enabled}, or enable the method for this client.")
    elif method == "PLAINTEXT" and policy.require_https and not request.is_secure:
        yield Cause("signature_method", "The client used PLAINTEXT over http.", "Use https, or an HMAC.")
