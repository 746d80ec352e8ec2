"""Authlib's models over a row, without an ORM."""

from __future__ import annotations

from typing import Any

from authlib.oauth1 import ClientMixin, TokenCredentialMixin

__all__ = ["Credential"]


class Credential(ClientMixin, TokenCredentialMixin):
    """A client or a token credential, as Authlib asks for them."""

    def __init__(self, row: Any) -> None:
        """Keep what was found."""
        self.row = row

    def get_client_secret(self) -> str:
        """Of a client."""
        return str(self.row["client_secret"])

    def get_oauth_token_secret(self) -> str:
        """Of a token credential."""
        return str(self.row["oauth_token_secret"])
