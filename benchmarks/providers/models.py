"""Authlib's models over a row, without an ORM."""

from __future__ import annotations

from typing import Any

from authlib.oauth1 import ClientMixin, TokenCredentialMixin

__all__ = ["Credential"]


class Credential(ClientMixin, TokenCredentialMixin):
    """A client or a token credential, with the methods that Authlib calls."""

    def __init__(self, row: Any) -> None:
        """Keep the row."""
        self.row = row

    def get_client_secret(self) -> str:
        """The secret of a client."""
        return str(self.row["client_secret"])

    def get_oauth_token_secret(self) -> str:
        """The secret of a token credential."""
        return str(self.row["oauth_token_secret"])
