"""What a wrong ``oauth_body_hash`` is the hash of."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator

from .changes import Cause, Secrets
from .plan import Key
from .texts import octets_of
from .wire import WireRequest

__all__ = ["body_hash_causes"]

#: The hashes that the provider takes, by their length.
_HASHES = {20: "sha1", 32: "sha256", 64: "sha512"}
_NAMES = ("sha1", "sha256", "sha512", "md5", "sha384", "sha224")
#: Octets of JSON that is written otherwise for comparison.
MAX_JSON = 256 * 1024
_FIX = "Send the Base64 of the hash of exactly the octets of the body, by the signature's own hash."


def body_hash_causes(wire: WireRequest, claimed: str, secrets: Secrets) -> Iterator[Cause]:
    """Say what is wrong with a body hash; yields nothing if it is right.

    Args:
        wire: the request.
        claimed: the value of ``oauth_body_hash``.
        secrets: some clients use them as the key of an HMAC.
    """
    if wire.has_form:
        text = "The client sent oauth_body_hash with a form, whose fields are signed."
        yield Cause("body_hash", text, "Leave oauth_body_hash out of requests with a form.")
    elif not _holds(claimed, wire.body):
        found = _origin(claimed, wire, secrets) or "It may be the hash of another body, or of one that a proxy changed."
        yield Cause("body_hash", f"oauth_body_hash is not the hash of the body. {found}", _FIX)


def _holds(claimed: str, body: bytes) -> bool:
    try:
        octets = base64.b64decode(claimed, validate=True)
    except (binascii.Error, ValueError):
        return False
    name = _HASHES.get(len(octets))
    return name is not None and hmac.compare_digest(_digest(name, body), octets)


def _digest(name: str, body: bytes) -> bytes:
    return hashlib.new(name, body, usedforsecurity=False).digest()


def _origin(claimed: str, wire: WireRequest, secrets: Secrets) -> str:
    """Which other hash it is; empty if no other one matches."""
    for what, body in _bodies(wire.body):
        for name in _NAMES:
            how = _spelling(claimed, _digest(name, body))
            if how is not None:
                return f"It is the {name.upper()} of {what}{how}."
            for key in _keys(secrets):
                how = _spelling(claimed, hmac.digest(key, body, name))
                if how is not None:
                    return f"It is the HMAC-{name.upper()} of {what}, keyed with a secret{how}."
    return ""


def _spelling(claimed: str, digest: bytes) -> str | None:
    """How a digest is written, or ``None`` if it is another one."""
    standard, safe = base64.b64encode(digest).decode(), base64.urlsafe_b64encode(digest).decode()
    spellings = {
        digest.hex(): ", in hexadecimal",
        digest.hex().upper(): ", in hexadecimal",
        base64.b64encode(digest.hex().encode()).decode(): ", as the Base64 of its hexadecimal digest",
        safe: ", in URL-safe Base64",
        safe.rstrip("="): ", in URL-safe Base64",
        standard.rstrip("="): ", without its =",
        standard.replace("+", " "): ", with + turned into a space",
        standard: "",
    }
    return spellings.get(claimed)


def _keys(secrets: Secrets) -> list[bytes]:
    client, token = octets_of(next(iter(secrets.client_secrets), "")), octets_of(secrets.token_secret)
    keys = (Key(client, token).rendered, Key(client, token, encodings=0).rendered, Key(client).rendered, client, token)
    return [key.encode("latin-1") for key in dict.fromkeys(keys) if key]


def _bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "this body", body
    yield "the empty body", b""
    yield "the body without its last line end", body.rstrip(b"\r\n")
    yield "the body with a line end behind it", body + b"\n"
    yield "the body with LF for CR LF", body.replace(b"\r\n", b"\n")
    yield "the body with CR LF for LF", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield from (("the JSON written otherwise", text) for text in _other_json(body))


def _other_json(body: bytes) -> Iterator[bytes]:
    if len(body) > MAX_JSON or body.count(b"[") + body.count(b"{") > 500:
        return
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return
    for indent, separators in ((None, (",", ":")), (None, (", ", ": ")), (2, (",", ": ")), (4, (",", ": "))):
        for ascii_only in (True, False):
            for sort in (False, True):
                text = json.dumps(
                    document, indent=indent, separators=separators, ensure_ascii=ascii_only, sort_keys=sort
                )
                yield text.encode("utf-8", "replace")
