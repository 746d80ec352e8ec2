"""What a request shows without any secret: the usual mistakes of clients, each in one sentence.

Each hint depends on the request alone, never on what a look-up found. So it may be in an answer: an unknown client, an
unknown token and a wrong signature still get the same one for the same request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from async_oauth1.protocol.header_fields import relevant_fields
from async_oauth1.protocol.request import OAuth1Request

# Characters of the Base64 that each method makes; an RSA signature's length depends on the key.
_LENGTHS = {"HMAC-SHA1": 28, "HMAC-SHA256": 44, "HMAC-SHA512": 88}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# What the value of oauth_signature looks like, and what that says. The value itself is never shown.
_SHAPES: tuple[tuple[Callable[[str], object], str], ...] = (
    (re.compile(r"[\r\n]").search, "it has a line break; send the Base64 in one line"),
    (re.compile(r"%[0-9A-Fa-f]{2}").search, "it was percent-encoded twice"),
    (re.compile(r"\A[A-Za-z0-9+/]{4,} ").search, 'it has a space; write "+" as %2B'),
    (
        re.compile(r"(?:[0-9a-f]{2}){20,}|(?:[0-9A-F]{2}){20,}").fullmatch,
        "it is hexadecimal; send the Base64 of the octets",
    ),
    (
        re.compile(r"(?=.*[-_])[A-Za-z0-9_-]{26,}={0,2}").fullmatch,
        "it is URL-safe Base64; send ordinary Base64, percent-encoded",
    ),
)
_NAME = re.compile(r"oauth_[a-z_]+=")
_OTHER_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,19})[ :,]+oauth[ :]", re.IGNORECASE)
_EXAMPLE = 'Write Authorization: OAuth oauth_consumer_key="...", ...'


def hints(request: OAuth1Request) -> str:
    """Sentences about what looks wrong in a request; empty if nothing does."""
    return " ".join(_hints(request))


def _hints(request: OAuth1Request) -> Iterator[str]:
    yield from _about_header(request)
    if any(len(value) > 1 and value[0] == value[-1] == "'" for value in request.protocol_parameters.values()):
        yield f"A parameter has single quotes around its value. {_EXAMPLE}"
    yield from _about_signature(request)
    body = (request.body or b"").strip() if request.is_form else b""
    if (body[:1], body[-1:]) in ((b"{", b"}"), (b"[", b"]")):
        yield (
            "The body looks like JSON, but its Content-Type is application/x-www-form-urlencoded, so it is signed as a "
            "form. Send application/json."
        )


def _about_header(request: OAuth1Request) -> Iterator[str]:
    if request.protocol_parameters:
        return
    header = relevant_fields(request.raw_headers)[0][:200].decode("latin-1").strip()
    if header[:6].lower() == "oauth:":
        yield f"There is a colon behind the scheme of the Authorization header. {_EXAMPLE}"
    elif match := _OTHER_SCHEME.match(header):
        yield f"The Authorization header has the scheme {match[1]} before OAuth. {_EXAMPLE}"
    elif _NAME.match(header):
        yield f"The Authorization header has no scheme. {_EXAMPLE}"


def _about_signature(request: OAuth1Request) -> Iterator[str]:
    method, signature = request.signature_method or "", request.protocol_parameters.get("oauth_signature", "")
    if method in _LENGTHS or method.startswith("RSA-"):
        for looks_like, problem in _SHAPES:
            if looks_like(signature):
                yield f"The signature has the wrong shape: {problem}."
                return
        if _is_unpadded(signature, _LENGTHS.get(method)):
            yield 'The signature has the wrong shape: the padding ("=") at the end of its Base64 is missing.'


def length_hint(request: OAuth1Request) -> str:
    """A sentence about a signature that no method makes, for the log: any guess gets it, so it helps few clients."""
    signature, expected = request.signature or "", _LENGTHS.get(request.signature_method or "")
    if request.signature_method == "PLAINTEXT" and "&" not in signature:
        return "The signature has no &: PLAINTEXT has one between the two secrets, also without a token secret."
    if not signature or expected is None or hints(request):
        return ""
    if _BASE64.fullmatch(signature) is None:
        return "The signature is not Base64."
    if len(signature) != expected:
        return f"The signature has {len(signature)} characters, and this method makes {expected}."
    return ""


def _is_unpadded(signature: str, expected: int | None) -> bool:
    """Whether Base64 lacks its padding.

    Args:
        signature: the value of ``oauth_signature``, decoded once.
        expected: its length in characters with padding; ``None`` for RSA, where the key determines it.
    """
    length = len(signature)
    padded = length + -length % 4
    return length > 24 and padded != length and expected in (None, padded) and bool(_BASE64.fullmatch(signature))
