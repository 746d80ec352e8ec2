"""Sign a form that a browser posts, and an XML body that a tool posts (RFC 5849 section 3.4)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from async_oauth1.protocol.encoding import Pair, canonical_form, escape_text, split_pairs
from async_oauth1.protocol.hosts import normalize_host
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys, signature_base_string

__all__ = ["sendable", "sign_body", "sign_form"]

_LINE_END = re.compile("\r\n|\r|\n")


def sign_form(
    url: str,
    parameters: Mapping[str, str],
    key: str,
    secret: str,
    *,
    method: str = "HMAC-SHA1",
    now: float | None = None,
    nonce: str | None = None,
) -> dict[str, str]:
    """Sign a form, such as that of a launch.

    Args:
        url: where it is posted to; its query is signed, too, and stays in the URL.
        parameters: the fields, without those of OAuth.
        key: ``oauth_consumer_key``.
        secret: of the key.
        method: ``HMAC-SHA1`` or ``HMAC-SHA256``.
        now: Unix time in seconds; ``None`` for the present.
        nonce: ``None`` for a random one.

    Returns:
        The fields with the protocol parameters, the signature included. Lines end with CR and LF, as browsers send
        them.
    """
    given = {_as_a_browser(name): _as_a_browser(value) for name, value in parameters.items()}
    fields = {**given, **_protocol(key, method, now, nonce), "oauth_callback": "about:blank"}
    return {**fields, "oauth_signature": _signature(url, fields, secret, method)}


def sign_body(url: str, body: bytes, key: str, secret: str, *, method: str = "HMAC-SHA1") -> str:
    """The Authorization header of a body that is posted, with ``oauth_body_hash``.

    Args:
        url: where it is posted to; its query is signed, too.
        body: the octets.
        key: ``oauth_consumer_key``.
        secret: of the key.
        method: ``HMAC-SHA1`` or ``HMAC-SHA256``, which is the algorithm of the hash, too.
    """
    algorithm = method.removeprefix("HMAC-").lower()
    digest = hashlib.new(algorithm, body, usedforsecurity=False).digest()
    fields = {**_protocol(key, method, None, None), "oauth_body_hash": base64.b64encode(digest).decode()}
    fields["oauth_signature"] = _signature(url, fields, secret, method)
    return "OAuth " + ", ".join(f'{name}="{escape_text(value)}"' for name, value in fields.items())


def sendable(url: str) -> str:
    """A URL as clients send it: without a fragment, and with special characters percent-encoded."""
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%")
    query = quote(parts.query, safe="/?:@!$&'()*+,;=~%")
    return parts._replace(path=path, query=query, fragment="").geturl()


def _protocol(key: str, method: str, now: float | None, nonce: str | None) -> dict[str, str]:
    return {
        "oauth_consumer_key": key,
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": method,
        "oauth_timestamp": str(int(time.time() if now is None else now)),
        "oauth_version": "1.0",
    }


def _signature(url: str, fields: Mapping[str, str], secret: str, method: str) -> str:
    parts = urlsplit(sendable(url))
    uri = f"{parts.scheme}://{normalize_host(parts.netloc, parts.scheme)}{parts.path}"
    query = split_pairs(canonical_form(parts.query.encode(), max_parameters=1_000))
    pairs = [*query, *_pairs(fields.items())]
    return SIGNATURE_METHODS[method].sign(signature_base_string("POST", uri, pairs), SigningKeys(client_secret=secret))


def _pairs(fields: Iterable[tuple[str, str]]) -> Iterable[Pair]:
    return ((escape_text(name), escape_text(value)) for name, value in fields)


def _as_a_browser(text: str) -> str:
    return _LINE_END.sub("\r\n", text)
