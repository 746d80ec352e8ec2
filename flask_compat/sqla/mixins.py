"""Mixins for an application's models, with the columns, lengths and constraints of Authlib 0.15."""

from __future__ import annotations

import hmac
from typing import Any, Protocol

from authlib.oauth1 import ClientMixin, TemporaryCredentialMixin, TokenCredentialMixin
from sqlalchemy import Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

__all__ = [
    "OAuth1ClientMixin",
    "OAuth1TemporaryCredentialMixin",
    "OAuth1TimestampNonceMixin",
    "OAuth1TokenCredentialMixin",
]


class _NonceTableArgs:
    """Makes a new constraint at each access: one belongs to a single table."""

    def __get__(self, instance: object, owner: type[Any] | None = None) -> tuple[UniqueConstraint, ...]:
        return (UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token", name="unique_nonce"),)


class _UserOwned:
    """What a model does with its column ``user_id``; other columns need methods of the model's own."""

    def get_user_id(self) -> Any:
        """The user who approved.

        Raises:
            NotImplementedError: the model has no ``user_id``.
        """
        if not hasattr(self, "user_id"):
            raise NotImplementedError(f"{type(self).__name__} needs a column user_id, or its own get_user_id()")
        return self.user_id

    def set_user_id(self, user_id: Any) -> None:
        """Bind the credential to a user.

        Raises:
            NotImplementedError: the model has no ``user_id``.
        """
        if not hasattr(self, "user_id"):
            raise NotImplementedError(f"{type(self).__name__} needs a column user_id, or its own set_user_id()")
        self.user_id = user_id


class ApprovedCredential(Protocol):
    """What an exchange needs of a temporary credential."""

    def get_oauth_token(self) -> str:
        """The identifier."""
        ...

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        ...

    def get_user_id(self) -> object:
        """The user who approved."""
        ...


class OAuth1ClientMixin(ClientMixin):
    """A client (RFC 5849 section 1.1)."""

    client_id: Mapped[str] = mapped_column(String(48), index=True, nullable=True)
    client_secret: Mapped[str] = mapped_column(String(120), nullable=False)
    default_redirect_uri: Mapped[str] = mapped_column(Text, nullable=False, default="")

    def get_default_redirect_uri(self) -> str:
        """Where to redirect if the callback is ``oob``."""
        return self.default_redirect_uri

    def get_client_secret(self) -> str:
        """The secret of HMAC and PLAINTEXT signatures."""
        return self.client_secret

    def get_rsa_public_key(self) -> Any:
        """The key of RSA signatures; override this to have one."""
        return None


class OAuth1TemporaryCredentialMixin(_UserOwned, TemporaryCredentialMixin):
    """A temporary credential (RFC 5849 section 2.1). The model adds ``user_id``."""

    client_id: Mapped[str] = mapped_column(String(48), index=True, nullable=True)
    oauth_token: Mapped[str] = mapped_column(String(84), unique=True, index=True, nullable=True)
    oauth_token_secret: Mapped[str] = mapped_column(String(84), nullable=True)
    oauth_verifier: Mapped[str | None] = mapped_column(String(84))
    oauth_callback: Mapped[str | None] = mapped_column(Text, default="")

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_redirect_uri(self) -> str | None:
        """The callback of the first step."""
        return self.oauth_callback

    def is_decided(self) -> bool:
        """Whether a user has approved it. A denial deletes it instead."""
        return bool(self.oauth_verifier)

    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier of the approval, compared in constant time."""
        issued = self.oauth_verifier or ""
        return bool(issued) and hmac.compare_digest(issued.encode(), verifier.encode())

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """The secret of the token."""
        return self.oauth_token_secret


class OAuth1TimestampNonceMixin:
    """A nonce that was used (RFC 5849 section 3.3)."""

    __table_args__: Any = _NonceTableArgs()

    client_id: Mapped[str] = mapped_column(String(48), nullable=False)
    timestamp: Mapped[int] = mapped_column(Integer, nullable=False)
    nonce: Mapped[str] = mapped_column(String(48), nullable=False)
    # Any, because a model may say that it is never NULL, and a checker takes no other type for an attribute.
    oauth_token: Mapped[Any] = mapped_column(String(84), nullable=True)


class OAuth1TokenCredentialMixin(_UserOwned, TokenCredentialMixin):
    """A token credential (RFC 5849 section 2.3). The model adds ``user_id``."""

    client_id: Mapped[str] = mapped_column(String(48), index=True, nullable=True)
    oauth_token: Mapped[str] = mapped_column(String(84), unique=True, index=True, nullable=True)
    oauth_token_secret: Mapped[str] = mapped_column(String(84), nullable=True)

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """The secret of the token."""
        return self.oauth_token_secret
