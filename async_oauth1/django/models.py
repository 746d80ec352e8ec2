"""Optional models for nonces and temporary credentials; ``manage.py migrate`` creates their tables."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

__all__ = ["Nonce", "TemporaryCredential"]


class Nonce(models.Model):
    """A nonce that was used (RFC 5849 section 3.3).

    Attributes:
        key: SHA-256 of nonce, timestamp, client and token. As the primary key, it cannot be stored twice.
        expires_at: Unix time.
    """

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    expires_at: models.BigIntegerField[int, int] = models.BigIntegerField(db_index=True)

    class Meta:
        """Names in the admin."""

        app_label = "async_oauth1"

    def __str__(self) -> str:
        """The beginning of the key."""
        return self.key[:12]


class TemporaryCredential(models.Model):
    """Temporary credentials (section 2.1).

    Attributes:
        oauth_token: the token.
        oauth_token_secret: its secret.
        client_id: the client.
        oauth_callback: the callback, or ``oob``.
        requested_scope: what the client asks for.
        granted_scope: what the resource owner granted.
        oauth_verifier: empty until the approval.
        user_id: the primary key of the user who approved, as text.
        denied: whether the resource owner denied.
        wrong_verifiers: how many wrong verifiers there have been.
        expires_at: Unix time.
    """

    oauth_token: models.CharField[str, str] = models.CharField(max_length=255, unique=True)
    oauth_token_secret: models.CharField[str, str] = models.CharField(max_length=255)
    client_id: models.CharField[str, str] = models.CharField(max_length=255, db_index=True)
    oauth_callback: models.TextField[str, str] = models.TextField(blank=True)
    requested_scope: models.TextField[str, str] = models.TextField(blank=True)
    granted_scope: models.TextField[str, str] = models.TextField(blank=True)
    oauth_verifier: models.CharField[str, str] = models.CharField(max_length=84, blank=True)
    user_id: models.CharField[str, str] = models.CharField(max_length=255, blank=True)
    denied: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    wrong_verifiers: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(default=0)
    expires_at: models.BigIntegerField[int, int] = models.BigIntegerField(db_index=True)

    #: What a credential is made of for the flows.
    FIELDS: ClassVar[tuple[str, ...]] = (
        "oauth_token",
        "oauth_token_secret",
        "client_id",
        "oauth_callback",
        "requested_scope",
        "granted_scope",
        "oauth_verifier",
        "user_id",
        "denied",
    )

    class Meta:
        """Names in the admin."""

        app_label = "async_oauth1"

    def __str__(self) -> str:
        """The client; token and secret are not shown."""
        return f"temporary credentials of {self.client_id}"

    def values(self) -> dict[str, Any]:
        """The fields that the flows read."""
        return {name: getattr(self, name) for name in self.FIELDS}
