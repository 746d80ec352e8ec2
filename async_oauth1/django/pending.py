"""The temporary credentials that both kinds of storage return, and the keys of nonces."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from authlib.oauth1 import TemporaryCredential as AuthlibTemporaryCredential

from async_oauth1.protocol.request import OAuth1Request

__all__ = ["PendingCredential", "nonce_key"]


class PendingCredential(AuthlibTemporaryCredential):
    """Temporary credentials as a dict, as in Authlib. ``repr`` does not show the secret."""

    def get_oauth_token_secret(self) -> str:
        """The secret, as text."""
        return str(self["oauth_token_secret"])

    def is_decided(self) -> bool:
        """Whether the resource owner has approved or denied."""
        return bool(self.get("oauth_verifier") or self.get("denied"))

    def get_scope(self) -> str:
        """The scope that was granted."""
        return str(self.get("granted_scope") or "")

    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier of the approval, compared in constant time."""
        issued = self.get("oauth_verifier")
        return bool(issued) and hmac.compare_digest(str(issued).encode(), verifier.encode())

    def __repr__(self) -> str:
        """Name the client, and hide token, secret and verifier."""
        return f"<{type(self).__name__} of client {self.get('client_id')!r}>"


def nonce_key(nonce: str, request: OAuth1Request) -> str:
    """The key of a nonce: the hash of what must be unique together (RFC 5849 section 3.3)."""
    sent: Mapping[str, Any] = request.protocol_parameters
    parts = (nonce, sent.get("oauth_timestamp"), sent.get("oauth_consumer_key"), sent.get("oauth_token") or None)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
