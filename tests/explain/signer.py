"""A client that signs by RFC 5849, with a place for every mistake. It shares no code with the package."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from async_oauth1.explain import Secrets, WireRequest
from async_oauth1.policy import Policy
from async_oauth1.protocol.signature import SIGNATURE_METHODS

CLIENT_SECRET = "kd94hf93k423kf44/+ä"
TOKEN_SECRET = "pfkkdhi9sl3r4s00="
Pairs = list[tuple[str, str]]


def encode(text: str) -> str:
    """Percent-encode as section 3.6 says; octets as Latin-1 text."""
    return quote(text.encode("latin-1"), safe="-._~")


def octets(text: str) -> str:
    """The UTF-8 octets of a text, as Latin-1 text."""
    return text.encode().decode("latin-1")


@dataclass
class Request:
    """A request before it is signed, and every step of signing as a function that a mistake may replace.

    Attributes:
        method: HTTP method.
        scheme: of the URL.
        host: with port.
        path: as sent.
        query: pairs, not encoded; octets as Latin-1 text.
        form: likewise; ``None`` for no form.
        body: sent if there is no form.
        content_type: of the body.
        place: where the protocol parameters go.
        protocol: more protocol parameters; ``None`` leaves one out.
        token: whether there is a token.
        algorithm: the signature method that is named.
        former: a client secret that has ended, as the provider knows it.
        temporary_secret: of the temporary credentials before the token, as the provider knows it.
        allowed_hosts: of the provider's policy.
    """

    method: str = "GET"
    scheme: str = "http"
    host: str = "photos.example.net"
    path: str = "/api/photos/vacation"
    query: Pairs = field(default_factory=list)
    form: Pairs | None = None
    body: bytes = b""
    content_type: str = ""
    place: str = "header"
    protocol: dict[str, str | None] = field(default_factory=dict)
    token: bool = True
    algorithm: str = "HMAC-SHA1"
    realm: str | None = "Photos"
    headers: dict[str, str] = field(default_factory=dict)
    client_secret: str = octets(CLIENT_SECRET)
    token_secret: str = octets(TOKEN_SECRET)
    former: str = ""
    temporary_secret: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    # How it is signed.
    signed_method: Callable[[str], str] = lambda method: method
    signed_uri: Callable[[str], str] = lambda uri: uri
    signed_pairs: Callable[[Pairs], Pairs] = lambda pairs: pairs
    encode_name: Callable[[str], str] = encode
    encode_value: Callable[[str], str] = encode
    encode_whole: Callable[[str], str] = encode
    encode_uri: Callable[[str], str] = encode
    order: Callable[[Pairs], Pairs] = sorted
    key: Callable[[str, str], str] = lambda client, token: f"{encode(client)}&{encode(token)}"
    signs_by: str = ""
    write_signature: Callable[[bytes], str] = lambda digest: base64.b64encode(digest).decode()
    # What happens on the way.
    arrives: Callable[[WireRequest], WireRequest] = lambda wire: wire

    def parameters(self) -> Pairs:
        """The protocol parameters that are sent, the signature aside."""
        sent = {
            "oauth_consumer_key": "dpf43f3p2l4k3l03",
            "oauth_nonce": "kllo9940pd9333jh",
            "oauth_signature_method": self.algorithm,
            "oauth_timestamp": "1191242096",
            "oauth_version": "1.0",
            **({"oauth_token": "nnch734d00sl2jdk"} if self.token else {}),
            **self.protocol,
        }
        return [(name, value) for name, value in sent.items() if value is not None]

    def base_string(self) -> str:
        """What is signed."""
        pairs = self.signed_pairs([*self.parameters(), *self.query, *(self.form or [])])
        encoded = self.order([(self.encode_name(name), self.encode_value(value)) for name, value in pairs])
        whole = "&".join(f"{name}={value}" for name, value in encoded)
        uri = self.signed_uri(f"{self.scheme}://{self.host}{self.path}")
        return f"{self.signed_method(self.method)}&{self.encode_uri(uri)}&{self.encode_whole(whole)}"

    def signature(self) -> str:
        """The signature as it is sent, not yet escaped."""
        key = self.key(self.client_secret, self.token_secret if self.token else "")
        algorithm = self.signs_by or self.algorithm
        if algorithm == "PLAINTEXT":
            return key.encode("latin-1").decode()
        message = self.base_string().encode("latin-1")
        return self.write_signature(hmac.new(key.encode("latin-1"), message, algorithm.split("-")[1].lower()).digest())

    def sent(self) -> WireRequest:
        """The request as it arrives."""
        protocol = [*self.parameters(), ("oauth_signature", octets(self.signature()))]
        query, form = list(self.query), self.form
        headers = {"Host": self.host, **self.headers}
        if self.place == "header":
            realm = [f'realm="{self.realm}"'] if self.realm is not None else []
            fields = [*realm, *(f'{encode(name)}="{encode(value)}"' for name, value in protocol)]
            headers["Authorization"] = "OAuth " + ", ".join(fields)
        elif self.place == "query":
            query += protocol
        else:
            form = [*(form or []), *protocol]
        body = self.body
        if form is not None:
            body = joined(form).encode("latin-1")
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif self.content_type:
            headers["Content-Type"] = self.content_type
        return self.arrives(
            WireRequest(
                method=self.method,
                scheme=self.scheme,
                host=self.host.lower(),
                path=self.path.encode("latin-1"),
                query=joined(query).encode("latin-1"),
                headers=tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items()),
                body=body,
            )
        )

    def but(self, **changes: Any) -> Request:
        """This request with a mistake."""
        return replace(self, **changes)


def joined(pairs: Pairs) -> str:
    """A query or form as it is sent."""
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs)


def secrets(request: Request) -> Secrets:
    """What the provider knows."""
    return Secrets(
        client_secrets=(CLIENT_SECRET,),
        token_secret=TOKEN_SECRET if request.token else "",
        former=(("client", request.former),) if request.former else (),
        temporary_secret=request.temporary_secret,
    )


def policy(request: Request) -> Policy:
    """The provider's rules: every signature method."""
    return Policy(signature_methods=tuple(SIGNATURE_METHODS), require_https=False, allowed_hosts=request.allowed_hosts)


def sha1(body: bytes) -> str:
    """A body hash."""
    return base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
