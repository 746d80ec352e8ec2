"""The provider's own models: clients and token credentials."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models

__all__ = ["Client", "Token"]


class Client(models.Model):
    """An application that was registered."""

    name: models.CharField[str, str] = models.CharField(max_length=80)
    client_id: models.CharField[str, str] = models.CharField(max_length=48, unique=True)
    client_secret: models.CharField[str, str] = models.CharField(max_length=120)
    callback: models.URLField[str, str] = models.URLField(blank=True)

    def __str__(self) -> str:
        """What users read."""
        return self.name

    def get_client_secret(self) -> str:
        """The secret that signatures are made with."""
        return self.client_secret

    def check_callback(self, uri: str) -> bool:
        """Whether a callback is the registered one; ``oob`` shows a code instead."""
        return uri in {self.callback, "oob"}


class Token(models.Model):
    """What a client may do in the name of a user."""

    user: models.ForeignKey[User, User] = models.ForeignKey(User, on_delete=models.CASCADE)
    client_id: models.CharField[str, str] = models.CharField(max_length=48, db_index=True)
    oauth_token: models.CharField[str, str] = models.CharField(max_length=84, unique=True)
    oauth_token_secret: models.CharField[str, str] = models.CharField(max_length=84)

    def __str__(self) -> str:
        """User and client; the token is not shown."""
        return f"{self.user} for {self.client_id}"

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return self.oauth_token_secret
