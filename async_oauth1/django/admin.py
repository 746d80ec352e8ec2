"""The optional models in Django's admin: to look at and to delete, with secrets hidden."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Nonce, TemporaryCredential

__all__ = ["NonceAdmin", "TemporaryCredentialAdmin"]


class _ReadOnly(admin.ModelAdmin[Any]):
    """Rows can be deleted, but neither added nor changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only requests add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Only requests change rows."""
        return False


@admin.register(TemporaryCredential)
class TemporaryCredentialAdmin(_ReadOnly):
    """Temporary credentials without token, secret and verifier."""

    list_display = ("client_id", "user_id", "denied", "expires_at")
    fields = ("client_id", "oauth_callback", "requested_scope", "granted_scope", "user_id", "denied", "expires_at")
    search_fields = ("client_id",)


@admin.register(Nonce)
class NonceAdmin(_ReadOnly):
    """Nonces, of which only the hash is stored."""

    list_display = ("key", "expires_at")
