"""What is wrong with a request whatever its signature: the clock, the body hash, duplicates, what cannot be read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections import Counter
from collections.abc import Iterator

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.checks import check_header_parameters, check_protocol_parameters, omits_timestamp

from .changes import Cause, Secrets
from .wire import WireRequest

__all__ = ["unreadable", "violations"]

_MILLISECONDS = re.compile(r"[1-9][0-9]{12}")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
_HASHES = {20: "sha1", 32: "sha256", 64: "sha512"}


def unreadable(wire: WireRequest, error: OAuth1Error) -> Cause:
    """The cause that a request is refused while it is read."""
    if isinstance(error, DuplicatedOAuthProtocolParameterError):
        return _duplicate(wire, error)
    return Cause("malformed", _sentence(error), "Send the request as RFC 5849 section 3.5 has it.")


def _duplicate(wire: WireRequest, error: OAuth1Error) -> Cause:
    counts = Counter(item.name for item in wire.parameters if item.is_protocol)
    repeated = [name for name, count in counts.items() if count > 1]
    places = sorted({item.place for item in wire.parameters if item.is_protocol})
    if repeated:
        where = {item.place for item in wire.parameters if item.name in repeated}
        text = f"The client sent {', '.join(repeated)} more than once, in the {' and the '.join(sorted(where))}."
    elif len(places) > 1:
        text = f"The client sent protocol parameters in the {' and the '.join(places)}."
    else:
        text = _sentence(error)
    return Cause("duplicate_parameter", text, "Send each protocol parameter once, and all of them in one place.")


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
    del secrets
    yield from _incomplete(request, policy)
    yield from _clock(request, policy, now)
    yield from _body_hash(wire, request)
    if request.signature_method and request.signature_method not in policy.signature_methods:
        methods = ", ".join(policy.signature_methods)
        text = f"The client signs with {request.signature_method[:40]!r}, which is not enabled; enabled is {methods}."
        yield Cause("signature_method", text, f"Sign with {methods}, or enable the method for this client.")


def _incomplete(request: OAuth1Request, policy: Policy) -> Iterator[Cause]:
    fix = "Send every protocol parameter that RFC 5849 section 3.1 requires, with a value that it allows."
    try:
        check_protocol_parameters(request, policy)
        check_header_parameters(request, policy)
    except OAuth1Error as error:
        yield Cause("malformed", _sentence(error), fix)
        return
    if not omits_timestamp(request):
        for name in ("oauth_timestamp", "oauth_nonce"):
            if not request.oauth_params.get(name):
                yield Cause("malformed", f"The request lacks {name}.", fix)


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
        yield Cause("timestamp_clock", _clock_text(int(timestamp) - now), "Set the client's clock by NTP, and count in UTC.")


def _clock_text(seconds: float) -> str:
    off = abs(seconds)
    direction = "ahead" if seconds > 0 else "behind"
    text = f"The client's clock is {_duration(off)} {direction}."
    hours = round(off / 1_800) / 2
    if 0 < hours <= 14 and abs(off - hours * 3_600) < 300:
        text += f" That is {hours:g} hours, so it is probably the time zone."
    return text


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit} ({int(seconds)} seconds)"
    return f"{int(seconds)} seconds"


def _body_hash(wire: WireRequest, request: OAuth1Request) -> Iterator[Cause]:
    claimed = request.oauth_params.get("oauth_body_hash")
    if claimed is None:
        return
    fix = "Send the Base64 of the hash of exactly the octets of the body, by the signature's own hash."
    if request.is_form:
        text = "The client sent oauth_body_hash with a form, whose fields are signed."
        yield Cause("body_hash", text, "Leave oauth_body_hash out of requests with a form.")
    elif not _hash_holds(claimed, wire.body):
        yield Cause("body_hash", f"oauth_body_hash is not the hash of the body. {_hash_text(claimed, wire)}".strip(), fix)


def _hash_holds(claimed: str, body: bytes) -> bool:
    octets = _base64(claimed)
    name = _HASHES.get(len(octets))
    return name is not None and hmac.compare_digest(_digest(name, body), octets)


def _digest(name: str, body: bytes) -> bytes:
    return hashlib.new(name, body, usedforsecurity=False).digest()


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hash_text(claimed: str, wire: WireRequest) -> str:
    """Which other hash it is."""
    for what, body in _bodies(wire):
        for name in ("sha1", "sha256", "sha512", "md5"):
            digest = _digest(name, body)
            spellings = {
                digest.hex(): "in hexadecimal",
                digest.hex().upper(): "in hexadecimal",
                base64.urlsafe_b64encode(digest).decode(): "in URL-safe Base64",
                base64.b64encode(digest).decode().rstrip("="): "without its =",
                base64.urlsafe_b64encode(digest).decode().rstrip("="): "in URL-safe Base64",
                base64.b64encode(digest.hex().encode()).decode(): "as the Base64 of its hexadecimal digest",
                base64.b64encode(digest).decode(): "",
            }
            if claimed in spellings:
                return f"It is {name.upper()} of {what}{f', {spellings[claimed]}' if spellings[claimed] else ''}."
    return "It may be the hash of another body, or keyed."


def _bodies(wire: WireRequest) -> Iterator[tuple[str, bytes]]:
    body = wire.body
    yield "this body", body
    yield "the empty body", b""
    yield "the body without its last line end", body.rstrip(b"\r\n")
    yield "the body with a line end", body + b"\n"
    yield "the body with LF for CR LF", body.replace(b"\r\n", b"\n")
    if len(body) < 256 * 1024 and body.count(b"[") + body.count(b"{") < 500:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return
        for separators in ((",", ":"), (", ", ": ")):
            for ascii_only in (True, False):
                text = json.dumps(document, separators=separators, ensure_ascii=ascii_only)
                yield "the JSON written otherwise", text.encode("utf-8", "replace")
