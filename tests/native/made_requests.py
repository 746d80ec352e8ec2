"""Requests as ASGI scopes, of all kinds that the lane must tell apart: most are good, many are nearly good."""

from __future__ import annotations

import base64
import hmac
import random
from typing import Any
from urllib.parse import quote

from async_oauth1 import Client, OAuth1Request, TokenCredential
from tests.protocol.wire import NOW

from .comparing import FORM, mutated

__all__ = ["CLIENTS", "TOKENS", "made_scope", "sign"]

RSA_KEY = "-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----"
CLIENTS = (
    Client(client_id="usual", client_secret="kd94hf93k423kf44"),
    Client(client_id="rotated", client_secret="new", overlapping_secrets=("old", "older")),
    Client(client_id="narrow", client_secret="narrow", signature_methods=("HMAC-SHA256",)),
    Client(client_id="tolerated", client_secret="t", tolerances=("version_1_0a", "other_header_parameters")),
    Client(client_id="wide", client_secret="w", tolerances=("timestamp_window=600",)),
    Client(client_id="repeating", client_secret="r", tolerances=("repeated_nonce",)),
    Client(client_id="secretless", tolerances=("empty_client_secret",)),
)
TOKENS = tuple(
    TokenCredential(
        oauth_token=f"token-of-{client.client_id}",
        oauth_token_secret=f"secret-of-{client.client_id}",
        client_id=client.client_id,
        user_id="jane",
        scope="photos.read",
        expires_at=expires_at,
    )
    for client, expires_at in zip(CLIENTS, (None, NOW + 500.0, None, None, None, None, None), strict=True)
)
SECRETS = {client.client_id: client.client_secret or "" for client in CLIENTS}
TOKEN_SECRETS = {token.oauth_token: token.oauth_token_secret for token in TOKENS}


def sign(scope: dict[str, Any], body: bytes | None, method: str, client_secret: str, token_secret: str) -> str:
    """The signature of a scope whose protocol parameters are in the query."""
    unsigned = OAuth1Request(
        scope["method"],
        scheme=scope["scheme"],
        host="a.example",
        raw_path=scope["raw_path"],
        raw_query=scope["query_string"],
        headers=[FORM] if any(value.startswith(FORM[1]) for _, value in scope["headers"]) else [],
        body=body,
    )
    _, _, rest = unsigned.signature_base_string.split("&", 2)
    uri = f"{scope['scheme']}://{_host(scope)}{scope['raw_path'].decode('latin-1')}"
    base = f"{scope['method'].upper()}&{quote(uri.encode('latin-1'), safe='~')}&{rest}"
    key = f"{quote(client_secret, safe='~')}&{quote(token_secret, safe='~')}"
    if method == "PLAINTEXT":
        return key
    name = {"HMAC-SHA256": "sha256", "HMAC-SHA512": "sha512"}.get(method, "sha1")
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), name)).decode()


_MORE = (
    (b"host", b"a.example"),
    (b"Host", b"a.example"),
    (b"x-forwarded-proto", b"https"),
    (b"X-Forwarded-Proto", b"https"),
    (b"x-forwarded-for", b"127.0.0.1"),
    (b"authorization", b"x"),
    (b"content-type", b"text/x"),
)


def _host(scope: dict[str, Any]) -> str:
    host: str = next((value.decode() for name, value in scope["headers"] if name == b"host"), "").lower()
    return host.removesuffix(":443" if scope["scheme"] == "https" else ":80")


def made_scope(chance: random.Random, now: float) -> tuple[dict[str, Any], bytes | None]:
    """A scope and the octets of its form."""

    def one(usual: Any, *others: Any, of: int = 12) -> Any:
        return usual if chance.randrange(of) else chance.choice(others)

    client = one("usual", *SECRETS, "unknown", "\xe4", "", of=3)
    token = one(f"token-of-{client}", "token-of-usual", "unknown", "", of=8)
    method = one("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT", "RSA-SHA1", "x", of=5)
    late = one(0, 299, 300, 301, -299, -300, -301, 599, -600, 601, 9_999, of=4)
    timestamp = one(str(int(now) + late), f"0{int(now)}", "", "-1", f"{int(now)}000", "1.5", "\u0661", of=20)
    nonce = one(f"n{chance.randrange(10**9)}", "same", "\xe4", "x" * 255, "x" * 256, "a\x01b", "", of=10)
    version = one("1.0", "1.0a", "2.0", "", of=10)
    pairs = {
        "oauth_consumer_key": client, "oauth_token": token, "oauth_signature_method": method, "oauth_version": version,
        "oauth_timestamp": timestamp, "oauth_nonce": nonce,
    }  # fmt: skip
    if not chance.randrange(10):
        del pairs[chance.choice(list(pairs))]
    if not chance.randrange(30):
        pairs["oauth_body_hash"] = "2jmj7l5rSw0yVb/vlWAYkK/YBwk="
    place = one("header", "query", "form", of=3)
    form = "a=1&b=%C3%A4+c" if place == "form" or not chance.randrange(5) else None
    encoded = "&".join(f"{name}={quote(value, safe='~')}" for name, value in pairs.items())
    query = one("file=vacation.jpg&size=original", "", "a=1&a=%31&b=+c&&d", "x=%zz", of=3)
    headers = [
        (b"host", one(b"127.0.0.1:8000", b"LOCALHOST:80", b"a.example", b"[::1]:443", of=4)),
        (b"accept", b"*/*"),
    ]
    if form is not None:
        headers.append(one(FORM, (b"Content-Type", FORM[1] + b"; charset=utf-8"), (b"content-type", b"text/x"), of=10))
    elif not chance.randrange(6):
        headers.append((b"content-type", one(b"application/json", b"x/*", b"x/url-encoded", b"multipart/form-data")))
    scope: dict[str, Any] = {
        "type": "http", "method": one("GET", "POST", "get", "P\xf6"), "scheme": one("http", "https", of=2),
        "path": "/photos", "raw_path": one(b"/photos", b"/a%20b", b"/\xc3\xa4", b"//x", b"/~:@"), "root_path": "",
        "query_string": "&".join(filter(None, (query, encoded))).encode(), "headers": headers,
        "client": one(("127.0.0.1", 1), None, ("::1", 2), ("192.0.2.7", 3), ("127.0.0.1", 0), ["::1", 4], of=4),
    }  # fmt: skip
    signature = one(
        sign(
            scope,
            form.encode() if form else None,
            method,
            one(SECRETS.get(client, "x"), "old", "wrong", "0" * 48, of=8),
            one(TOKEN_SECRETS.get(token, ""), "wrong", "0" * 48),
        ),
        "x",
        of=30,
    )
    pairs["oauth_signature"] = signature
    encoded = "&".join(f"{name}={quote(value, safe='~')}" for name, value in pairs.items())
    if place == "header":
        fields = one(", ", ",").join(f'{name}="{quote(value, safe="~")}"' for name, value in pairs.items())
        realm, other = one("", 'realm="P", '), one("", ', a="b"')
        header = f"OAuth {realm}{fields}{other}".encode()
        headers.append((one(b"authorization", b"Authorization"), one(header, mutated(header, chance), of=6)))
        scope["query_string"] = query.encode()
    elif place == "query":
        scope["query_string"] = f"{one(query, 'oauth_nonce=x', of=20)}&{encoded}".encode()
    else:
        form, scope["query_string"] = f"{form}&{encoded}", query.encode()
    if not chance.randrange(12):
        headers.append(chance.choice(_MORE))
    if not chance.randrange(30):
        scope.pop(chance.choice(["raw_path", "scheme", "client"]))
    return scope, None if form is None else form.encode()
