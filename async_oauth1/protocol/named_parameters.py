"""The protocol parameters of a request, by the names that Authlib has for them."""

from __future__ import annotations

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

__all__ = ["NamedParameters"]


class NamedParameters(AuthlibOAuth1Request):
    """Properties that read ``oauth_params``.

    Attributes:
        oauth_params: the ``oauth_`` parameters, decoded.
        signature_type: the place of the signature: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
    """

    oauth_params: dict[str, str]
    signature_type: str | None

    @property
    def client_id(self) -> str | None:
        """``oauth_consumer_key``."""
        return self.oauth_params.get("oauth_consumer_key")

    @property
    def token(self) -> str | None:
        """``oauth_token``; an empty one counts as absent, but is signed."""
        return self.oauth_params.get("oauth_token") or None

    @property
    def timestamp(self) -> str | None:
        """``oauth_timestamp``, as text."""
        return self.oauth_params.get("oauth_timestamp")

    @property
    def nonce(self) -> str | None:
        """``oauth_nonce``."""
        return self.oauth_params.get("oauth_nonce")

    @property
    def redirect_uri(self) -> str | None:
        """``oauth_callback``."""
        return self.oauth_params.get("oauth_callback")

    @property
    def verifier(self) -> str | None:
        """``oauth_verifier``."""
        return self.oauth_params.get("oauth_verifier")

    @property
    def signature_method(self) -> str | None:
        """``oauth_signature_method``."""
        return self.oauth_params.get("oauth_signature_method")

    @property
    def signature(self) -> str | None:
        """``oauth_signature``.

        Some clients do not escape the Base64 in a query or a form, so that each ``+`` is decoded as a space.
        """
        signature = self.oauth_params.get("oauth_signature")
        if signature and self.signature_type != "HEADER" and self.signature_method != "PLAINTEXT":
            return signature.replace(" ", "+")
        return signature
