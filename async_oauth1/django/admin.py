"""The optional models in Django's admin: to look at and to delete, with secrets hidden."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.timezone import localtime

from .models import Nonce, TemporaryCredential

__all__ = ["NonceAdmin", "TemporaryCredentialAdmin"]

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin  # generic for type checkers alone

_SHOWN = ("client_id", "oauth_callback", "requested_scope", "granted_scope", "user_id", "denied", "expires_at")
#: The last day of which a ``datetime`` can be made, in every time zone.
_LATEST = 253_402_214_400


class _ReadOnly(_ModelAdmin):
    """Rows can be deleted, but neither added nor changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only requests add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Only requests change rows."""
        return False

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, row: Any) -> str:
        """When a row expires, in the time zone and format of the settings."""
        return str(localize(localtime(datetime.fromtimestamp(min(row.expires_at, _LATEST), UTC))))


@admin.register(TemporaryCredential)
class TemporaryCredentialAdmin(_ReadOnly):
    """Temporary credentials without token, secret and verifier."""

    list_display = ("client_id", "decision", "user_id", "expires")
    fields = readonly_fields = (
        "client_id",
        "oauth_callback",
        "requested_scope",
        "decision",
        "user_id",
        "granted_scope",
        "expires",
    )
    search_fields = ("client_id",)

    @admin.display
    def decision(self, row: TemporaryCredential) -> str:
        """What the resource owner has decided."""
        if row.denied:
            return "denied"
        return "approved" if row.oauth_verifier else "pending"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only by what is shown: a secret could be guessed, character by character, by filters in the address."""
        since_django_5 = () if request is None else (request,)
        return lookup.partition("__")[0] in ("id", *_SHOWN) and super().lookup_allowed(lookup, value, *since_django_5)


@admin.register(Nonce)
class NonceAdmin(_ReadOnly):
    """Nonces, of which only the hash is stored."""

    list_display = ("__str__", "expires")
    fields = readonly_fields = ("key", "expires")
