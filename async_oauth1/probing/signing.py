"""Sign a request as a client does (RFC 5849 sections 3.4 and 3.5), octet by octet."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from async_oauth1.policy import SizeLimits
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.header_fields import is_form
from async_oauth1.protocol.raw_request import Place, RawRequest
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys

__all__ = [
    "Credentials",
    "Message",
    "Place",
    "Signed",
    "base_string_of",
    "place_parameters",
    "protocol_parameters",
    "sign",
]

FORM = b"application/x-www-form-urlencoded"

#: A client may sign more than a provider accepts.
_ANY_SIZE = SizeLimits(
    max_parameters=1_000_000, max_header_bytes=2**31, max_query_bytes=2**31, max_form_bytes=2**31
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client signs with.

    Attributes:
        client_id: ``oauth_consumer_key``.
        keys: the secrets, or the private RSA key.
        token: ``oauth_token``; ``None`` to leave it out.
    """

    client_id: str
    keys: SigningKeys = field(repr=False)
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(RawRequest):
    """A request as a client writes it, without the header fields Host and Content-Length."""

    @property
    def target(self) -> bytes:
        """The request target."""
        return self.path + b"?" + self.query if self.query else self.path

    @property
    def url(self) -> str:
        """The URL to which it is sent."""
        return f"{self.scheme}://{self.host}{self.target.decode('latin-1')}"

    @property
    def has_form(self) -> bool:
        """Whether the body is a form."""
        return any(name.lower() == b"content-type" and is_form(value) for name, value in self.headers)

    def with_query(self, more: bytes) -> Message:
        """The same with further parameters at the end of the query."""
        return replace(self, query=self.query + b"&" + more if self.query else more)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request.

    Attributes:
        message: as it is sent.
        base_string: what was signed.
    """

    message: Message
    base_string: str


def protocol_parameters(
    credentials: Credentials, algorithm: str, *, timestamp: int | None = None, nonce: str | None = None
) -> dict[str, str]:
    """The protocol parameters of a request, without the signature (section 3.1).

    Args:
        credentials: of the client.
        algorithm: name of the signature method.
        timestamp: Unix time in seconds; ``None`` for the current one.
        nonce: ``None`` for a random one.
    """
    parameters = {
        "oauth_consumer_key": credentials.client_id,
        "oauth_signature_method": algorithm,
        "oauth_timestamp": str(int(time.time()) if timestamp is None else timestamp),
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_version": "1.0",
    }
    return parameters if credentials.token is None else {**parameters, "oauth_token": credentials.token}


def sign(
    message: Message,
    parameters: Mapping[str, str],
    keys: SigningKeys,
    *,
    place: Place = "header",
    realm: str | None = None,
    body_hash: bool = False,
    seen: Message | None = None,
) -> Signed:
    """Sign a request.

    Args:
        message: without protocol parameters.
        parameters: from `protocol_parameters`, with further ones such as ``oauth_callback``.
        keys: of the client.
        place: where the parameters stand (section 3.5).
        realm: for the Authorization header.
        body_hash: add ``oauth_body_hash``.
        seen: the request whose scheme, host and path are signed; ``None`` for the message itself.

    Raises:
        OAuth1Error: the message has protocol parameters, or is no request that can be signed.
        ValueError: the private key cannot be used.
        KeyError: there is no such signature method.
    """
    if body_hash:
        digest = base64.b64encode(hashlib.sha1(message.body, usedforsecurity=False).digest()).decode()
        parameters = {**parameters, "oauth_body_hash": digest}
    unsigned = place_parameters(message, parameters.items(), place, realm)
    if seen is not None:
        unsigned = replace(unsigned, scheme=seen.scheme, host=seen.host, path=seen.path)
    base_string = base_string_of(unsigned)
    signature = SIGNATURE_METHODS[parameters["oauth_signature_method"]].sign(base_string, keys)
    every = {**parameters, "oauth_signature": signature}
    return Signed(place_parameters(message, every.items(), place, realm), base_string)


def base_string_of(message: Message) -> str:
    """The signature base string of a request (section 3.4.1).

    Raises:
        OAuth1Error: the request cannot be read, or has protocol parameters in two places.
    """
    request = message.parse(_ANY_SIZE)
    refused = request.find_untolerated()
    if refused is not None:
        raise refused
    return request.signature_base_string


def place_parameters(
    message: Message, parameters: Iterable[tuple[str, str]], place: Place, realm: str | None = None
) -> Message:
    """The message with parameters in one of the places of section 3.5."""
    if place == "header":
        quoted = [] if realm is None else ['realm="' + realm.replace("\\", "\\\\").replace('"', '\\"') + '"']
        quoted += [f'{escape_text(name)}="{escape_text(value)}"' for name, value in parameters]
        return replace(message, headers=(*message.headers, (b"Authorization", f"OAuth {', '.join(quoted)}".encode())))
    pairs = "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in parameters).encode()
    if place == "query":
        return message.with_query(pairs)
    headers = message.headers if message.has_form else (*message.headers, (b"Content-Type", FORM))
    return replace(message, headers=headers, body=message.body + b"&" + pairs if message.body else pairs)
