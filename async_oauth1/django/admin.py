"""The optional models in Django's admin: to look at and to delete, with secrets hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Nonce, TemporaryCredential

__all__ = ["NonceAdmin", "TemporaryCredentialAdmin"]

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin  # generic for type checkers alone

_SHOWN = ("client_id", "oauth_callback", "requested_scope", "granted_scope", "user_id", "denied", "expires_at")


class _ReadOnly(_ModelAdmin):
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
    fields = _SHOWN
    search_fields = ("client_id",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only by what is shown: a secret could be guessed, character by character, by filters in the address."""
        since_django_5 = () if request is None else (request,)
        return lookup.partition("__")[0] in ("id", *_SHOWN) and super().lookup_allowed(lookup, value, *since_django_5)


@admin.register(Nonce)
class NonceAdmin(_ReadOnly):
    """Nonces, of which only the hash is stored."""

    list_display = ("key", "expires_at")
