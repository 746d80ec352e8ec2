"""An RFC 5849 client of its own, over octets, that can lie about every part of what it signs.

It shares no code with the package, so no mistake can stand on both sides and go unnoticed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

ORIGIN = "https://provider.example"
FORM = b"application/x-www-form-urlencoded"
Pairs = list[tuple[bytes, bytes]]

_RESERVED = re.compile(rb"[^A-Za-z0-9\-._~]")
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What a client signs with, for a resource owner or without one."""

    client_id: str
    client_secret: str = ""
    token: str | None = None
    token_secret: str = ""
    method: str = "HMAC-SHA1"
    private_key: Any = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request as it goes over the wire."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def adding(self, *headers: tuple[bytes, bytes]) -> Message:
        """The same with more headers behind the others."""
        return Message(method=self.method, target=self.target, headers=self.headers + headers, body=self.body)

    def without(self, name: bytes) -> Message:
        """The same without the headers of a name."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return Message(method=self.method, target=self.target, headers=kept, body=self.body)


def octets(value: str | bytes) -> bytes:
    """UTF-8, unless it is octets already."""
    return value if isinstance(value, bytes) else value.encode()


def encode(value: str | bytes) -> bytes:
    """Section 3.6, octet by octet."""
    return _RESERVED.sub(lambda match: b"%%%02X" % match[0][0], octets(value))


def decode(value: bytes) -> bytes:
    """Percent-decode once; a broken escape stands for itself."""
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), value)


def parse(form: bytes) -> Pairs:
    """A query or a form as pairs, in the order they stand."""
    pairs = [piece.replace(b"+", b" ").partition(b"=") for piece in form.split(b"&") if piece]
    return [(decode(name), decode(value)) for name, _, value in pairs]


def base_string(method: str, uri: bytes, pairs: Pairs) -> bytes:
    """Section 3.4.1.1."""
    encoded = sorted((encode(name), encode(value)) for name, value in pairs if name != b"oauth_signature")
    normalized = b"&".join(name + b"=" + value for name, value in encoded)
    return b"&".join((encode(method.upper()), encode(uri), encode(normalized)))


def make_signature(keys: Keys, text: bytes) -> bytes:
    """Sections 3.4.2 to 3.4.4."""
    kind, _, digest = keys.method.partition("-")
    shared = encode(keys.client_secret) + b"&" + encode(keys.token_secret)
    if kind == "PLAINTEXT":
        return shared
    if kind == "RSA":
        algorithm = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256, "SHA512": hashes.SHA512}[digest]
        return base64.b64encode(keys.private_key.sign(text, PKCS1v15(), algorithm()))
    return base64.b64encode(hmac.new(shared, text, digest).digest())


def protocol_parameters(keys: Keys, changes: Mapping[str, str | bytes | None]) -> Pairs:
    """The ``oauth_`` parameters, changed as told (names without ``oauth_``; ``None`` leaves one out)."""
    parameters: dict[str, str | bytes | None] = {
        "consumer_key": keys.client_id,
        "token": keys.token,
        "signature_method": keys.method,
        "timestamp": str(int(time.time())),
        "nonce": f"n{next(_numbers)}",
        **changes,
    }
    return [(b"oauth_" + octets(name), octets(value)) for name, value in parameters.items() if value is not None]


def authorization(pairs: Pairs, *, realm: bytes | None = None) -> bytes:
    """The value of an Authorization header (section 3.5.1)."""
    parts = [b'realm="' + realm + b'"'] if realm is not None else []
    return b"OAuth " + b", ".join(parts + [encode(name) + b'="' + encode(value) + b'"' for name, value in pairs])


def sign(
    keys: Keys,
    method: str,
    target: str | bytes,
    *,
    body: bytes = b"",
    content_type: bytes | None = FORM,
    place: str = "header",
    oauth: Mapping[str, str | bytes | None] | None = None,
    also: Pairs = [],  # noqa: B006 - never changed
    realm: bytes | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    origin: str = ORIGIN,
    signed_origin: str | None = None,
    signed_method: str | None = None,
    signed_target: str | bytes | None = None,
    signed_body: bytes | None = None,
    signature: bytes | None = None,
) -> Message:
    """Make a signed request; the ``signed_`` arguments say what to sign instead of what is sent.

    ``also`` are header parameters that are signed although they are not of the protocol.
    """
    path, _, query = octets(target if signed_target is None else signed_target).partition(b"?")
    pairs = protocol_parameters(keys, oauth or {}) + also
    is_form = content_type is not None and content_type.lower().startswith(FORM)
    form = (body if signed_body is None else signed_body) if is_form else b""
    uri = octets(signed_origin or origin) + path
    text = base_string(signed_method or method, uri, pairs + parse(query) + parse(form))
    pairs = [*pairs, (b"oauth_signature", make_signature(keys, text) if signature is None else signature)]
    fields = [(b"host", origin.partition("://")[2].encode())]
    sent = octets(target)
    encoded = b"&".join(encode(name) + b"=" + encode(value) for name, value in pairs)
    if place == "header":
        fields.append((b"authorization", authorization(pairs, realm=realm)))
    elif place == "query":
        sent += (b"&" if b"?" in sent else b"?") + encoded
    else:
        body = body + b"&" + encoded if body else encoded
    if body:
        fields.append((b"content-length", b"%d" % len(body)))
        if content_type is not None:
            fields.append((b"content-type", content_type))
    return Message(method=method, target=sent, headers=(*fields, *headers), body=body)


def body_hash(body: bytes, algorithm: str = "sha1") -> str:
    """The value of ``oauth_body_hash``."""
    return base64.b64encode(hashlib.new(algorithm, body).digest()).decode()
