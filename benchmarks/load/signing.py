"""Signed requests by the ten thousand: each with a nonce of its own, for credentials that are known by number.

Who has the number of a token has its name and its secret, so that stores are filled and requests are signed without
asking each other.
"""

from __future__ import annotations

import hmac
import secrets
import time
from binascii import b2a_base64
from collections.abc import Iterator
from hashlib import md5
from urllib.parse import quote

from async_oauth1.signature import signature_base_string

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "QUERY_STRING", "WARM_TOKENS", "Signer", "token_of"]

# Letters and digits, 20 to 30 of them: oauthlib takes no others unless it is told to.
CLIENT_ID = "dpf43f3p2l4k3l03kd94hf93"
CLIENT_SECRET = "kd94hf93k423kf44pfkkdhi9sl3r4s00"
#: How many tokens the warm requests use; the cold ones have the numbers from there on.
WARM_TOKENS = 16
QUERY = (("file", "vacation.jpg"), ("size", "original"))
QUERY_STRING = "&".join(f"{name}={value}" for name, value in QUERY)

_PLACEHOLDERS = {"oauth_nonce": "NONCE", "oauth_timestamp": "TIMESTAMP", "oauth_token": "TOKEN"}


def token_of(token_number: int) -> tuple[str, str]:
    """Name and secret of a token; SQL's ``md5`` makes the same of the same number."""
    digits = b"%d" % token_number
    name = md5(digits, usedforsecurity=False).hexdigest()[:24]
    return name, md5(digits + b"s", usedforsecurity=False).hexdigest()


class Signer:
    """Writes ``Authorization`` headers for one address."""

    def __init__(self, host: str, path: str, *, cold: int = 0, secret: str = CLIENT_SECRET) -> None:
        """Prepare all that is the same in every request.

        Args:
            host: with port.
            path: without query; the query is `QUERY`.
            cold: how many tokens the stores know, each of which is used once; 0 for the same few again and again.
            secret: the client's; another one makes wrong signatures.
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
        self._base = signature_base_string("GET", f"http://{host}{path}", [*QUERY, *parameters.items()])
        pairs = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
        self._header = f'OAuth realm="Photos", {pairs}, oauth_signature="SIGNATURE"'

    def headers(self, count: int) -> Iterator[str]:
        """So many, signed now; fewer, where there are no more tokens that were never used."""
        timestamp, run = str(int(time.time())), secrets.token_hex(6)
        if self._cold:
            first = WARM_TOKENS + self._used
            numbers = range(first, min(first + count, self._cold))
        else:
            numbers = range(count)
        for number in numbers:
            token, token_secret = token_of(number if self._cold else number % WARM_TOKENS)
            filled = {"NONCE": f"{run}{number:012d}", "TIMESTAMP": timestamp, "TOKEN": token}
            base, header = self._base, self._header
            for placeholder, value in filled.items():
                base, header = base.replace(placeholder, value), header.replace(placeholder, value)
            mac = hmac.digest(f"{self._secret}&{token_secret}".encode(), base.encode(), "sha1")
            yield header.replace("SIGNATURE", quote(b2a_base64(mac, newline=False), safe=""))

    def spend(self, count: int) -> None:
        """The first so many of the headers were sent; the tokens of the others are still new."""
        self._used += count
