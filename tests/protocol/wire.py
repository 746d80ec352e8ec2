"""A signed request as octets, made by a signer of the tests' own.

Written from RFC 5849 section 3.4 over octets, with nothing of the package in it: a second opinion.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from async_oauth1 import OAuth1Request
from async_oauth1.policy import SizeLimits

NOW = 1_700_000_000
FORM = b"application/x-www-form-urlencoded"
Octets = tuple[bytes, bytes]

_HASHES = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256, "HMAC-SHA512": hashlib.sha512}


def any_octets(*, max_size: int, min_size: int = 0) -> st.SearchStrategy[bytes]:
    """Octets for Hypothesis. Drawn as text, for it compares its draws, and ``python -bb`` forbids bytes with text."""
    return st.text(st.characters(max_codepoint=255), min_size=min_size, max_size=max_size).map(
        lambda text: text.encode("latin-1")
    )


def escape(octets: bytes | str) -> str:
    """Section 3.6."""
    return quote(octets, safe="~")


def base_string(method: str, uri: bytes, pairs: list[Octets]) -> str:
    """Section 3.4.1, over decoded octets."""
    encoded = sorted((escape(name), escape(value)) for name, value in pairs)
    return "&".join([escape(method), escape(uri), escape("&".join(f"{name}={value}" for name, value in encoded))])


def shared_key_signature(method: str, text: str, client_secret: str, token_secret: str) -> str:
    """Sections 3.4.2 and 3.4.4."""
    key = f"{escape(client_secret)}&{escape(token_secret)}"
    if method == "PLAINTEXT":
        return key
    return base64.b64encode(hmac.new(key.encode(), text.encode(), _HASHES[method]).digest()).decode()


def urlencode(pairs: list[Octets]) -> bytes:
    """Pairs as a query or a form, every reserved octet escaped."""
    return "&".join(f"{escape(name)}={escape(value)}" for name, value in pairs).encode()


def authorization(pairs: list[Octets], realm: str | None = None) -> bytes:
    """Pairs as the value of an Authorization header."""
    parts = [] if realm is None else [f'realm="{realm}"']
    parts += [f'{escape(name)}="{escape(value)}"' for name, value in pairs]
    return b"OAuth " + ", ".join(parts).encode()


@dataclass(frozen=True)
class Wire:
    """A request before anything has read it."""

    method: str = "GET"
    scheme: str = "https"
    host: str = "photos.example.net"
    raw_path: bytes = b"/photos"
    raw_query: bytes = b""
    headers: tuple[Octets, ...] = ()
    body: bytes | None = None
    peer: str | None = "192.0.2.7"

    def read(self, **limits: int) -> OAuth1Request:
        """What the package makes of it."""
        arguments: dict[str, Any] = {name: getattr(self, name) for name in Wire.__dataclass_fields__}
        return OAuth1Request(arguments.pop("method"), **arguments, limits=SizeLimits(**limits))

    def changed(self, **changes: Any) -> Wire:
        """The same request with something else in it."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Signer:
    """A client of the provider."""

    client_id: str = "dpf43f3p2l4k3l03"
    client_secret: str = "kd94hf93k423kf44"
    token: str | None = None
    token_secret: str = ""
    signature_method: str = "HMAC-SHA1"
    timestamp: int | None = NOW
    counter: list[int] = field(default_factory=lambda: [0])

    def with_token(self, token: str, token_secret: str) -> Signer:
        """The same client, with credentials of a resource owner."""
        return replace(self, token=token, token_secret=token_secret)

    def parameters(self, **oauth: str | None) -> list[Octets]:
        """The protocol parameters; a keyword replaces one, and ``None`` leaves it out."""
        self.counter[0] += 1
        values: dict[str, str | None] = {
            "oauth_consumer_key": self.client_id,
            "oauth_token": self.token,
            "oauth_signature_method": self.signature_method,
            "oauth_timestamp": None if self.timestamp is None else str(self.timestamp),
            "oauth_nonce": f"n{self.counter[0]}",
        }
        values |= oauth
        return [(name.encode(), value.encode()) for name, value in values.items() if value is not None]

    def wire(
        self,
        method: str = "GET",
        path: bytes = b"/photos",
        *,
        query: list[Octets] | None = None,
        form: list[Octets] | None = None,
        place: str = "HEADER",
        scheme: str = "https",
        host: str = "photos.example.net",
        peer: str | None = "192.0.2.7",
        body: bytes | None = None,
        signature: str | None = None,
        **oauth: str | None,
    ) -> Wire:
        """A signed request.

        Args:
            method: HTTP method.
            path: as sent.
            query: decoded parameters of the query.
            form: decoded parameters of a form.
            place: where the protocol parameters go: ``HEADER``, ``QUERY`` or ``BODY``.
            scheme: of the URI.
            host: of the URI.
            peer: the connection's other end.
            body: a body that is no form.
            signature: instead of the right one.
            oauth: protocol parameters to replace, or with ``None`` to leave out.
        """
        protocol = self.parameters(**oauth)
        signed = [*protocol, *(query or []), *(form or [])]
        text = base_string(method.upper(), f"{scheme}://{host}".encode() + path, signed)
        if signature is None:
            named = dict(protocol).get(b"oauth_signature_method", b"HMAC-SHA1").decode()
            known = named if named in _HASHES or named == "PLAINTEXT" else "HMAC-SHA1"
            signature = shared_key_signature(known, text, self.client_secret, self.token_secret)
        protocol.append((b"oauth_signature", signature.encode()))
        pairs = {"QUERY": [*(query or [])], "BODY": [*(form or [])], "HEADER": []}
        pairs[place] += protocol
        headers: list[Octets] = [(b"host", host.encode())]
        if pairs["HEADER"]:
            headers.append((b"authorization", authorization(pairs["HEADER"])))
        if form is not None or place == "BODY":
            headers.append((b"content-type", FORM))
            body = urlencode(pairs["BODY"])
        return Wire(method, scheme, host, path, urlencode(pairs["QUERY"]), tuple(headers), body, peer)
