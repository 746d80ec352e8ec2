"""Signing requests by the ten thousand, each with a new nonce, for numbered tokens.

The name and the secret of a token are computed from its number, so the code that fills the stores and the code that
signs requests need not exchange them.
"""

from __future__ import annotations

import hmac
import secrets
import time
from binascii import b2a_base64
from collections.abc import Iterator
from functools import lru_cache
from hashlib import md5

from async_oauth1.signature import signature_base_string

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "QUERY_STRING", "WARM_TOKENS", "Signer", "token_of"]

# 20 to 30 letters and digits: by default, oauthlib accepts nothing else.
CLIENT_ID = "dpf43f3p2l4k3l03kd94hf93"
CLIENT_SECRET = "kd94hf93k423kf44pfkkdhi9sl3r4s00"
#: Number of tokens for warm requests. Cold requests use the numbers from there on.
WARM_TOKENS = 16
QUERY = (("file", "vacation.jpg"), ("size", "original"))
QUERY_STRING = "&".join(f"{name}={value}" for name, value in QUERY)

_PLACEHOLDERS = {"oauth_nonce": "NONCE", "oauth_timestamp": "TIMESTAMP", "oauth_token": "TOKEN"}
#: What ``str.format`` fills in. The parts around have no braces.
_FIELDS = {"NONCE": "{nonce}", "TIMESTAMP": "{timestamp}", "TOKEN": "{token}", "SIGNATURE": "{signature}"}


@lru_cache(WARM_TOKENS)
def token_of(token_number: int) -> tuple[str, str]:
    """Name and secret of a token; SQL's ``md5`` computes the same."""
    digits = b"%d" % token_number
    name = md5(digits, usedforsecurity=False).hexdigest()[:24]
    return name, md5(digits + b"s", usedforsecurity=False).hexdigest()


def _template(text: str) -> str:
    for placeholder, field in _FIELDS.items():
        text = text.replace(placeholder, field)
    return text


class Signer:
    """Writes ``Authorization`` headers for one address."""

    def __init__(self, host: str, path: str, *, cold: int = 0, secret: str = CLIENT_SECRET) -> None:
        """Prepare what is the same in every request.

        Args:
            host: with port.
            path: without query; the query is `QUERY`.
            cold: number of tokens in the stores, to use each once; 0 to use the same `WARM_TOKENS` again and again.
            secret: of the client; another one makes wrong signatures.
        """
        self.host, self.path = host, path
        self._cold, self._used = cold, 0
        self._secret = secret
        parameters = {
            "oauth_consumer_key": CLIENT_ID,
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_version": "1.0",
            **_PLACEHOLDERS,
        }
        base = signature_base_string("GET", f"http://{host}{path}", [*QUERY, *parameters.items()])
        pairs = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
        header = f'OAuth realm="Photos", {pairs}, oauth_signature="SIGNATURE"'
        self._base, self._header = _template(base), _template(header)

    def headers(self, count: int) -> Iterator[str]:
        """Sign a number of requests with the current time; fewer if there are not enough unused tokens."""
        timestamp, run = str(int(time.time())), secrets.token_hex(6)
        if self._cold:
            first = WARM_TOKENS + self._used
            numbers = range(first, min(first + count, self._cold))
        else:
            numbers = range(count)
        for number in numbers:
            token, token_secret = token_of(number if self._cold else number % WARM_TOKENS)
            nonce = f"{run}{number:012d}"
            base = self._base.format(nonce=nonce, timestamp=timestamp, token=token)
            mac = hmac.digest(f"{self._secret}&{token_secret}".encode(), base.encode(), "sha1")
            signature = b2a_base64(mac, newline=False).decode()
            signature = signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")  # faster than quote
            yield self._header.format(nonce=nonce, timestamp=timestamp, token=token, signature=signature)

    def spend(self, count: int) -> None:
        """Mark the first tokens as used: that many headers were sent."""
        self._used += count
