"""The words for what an audit trail records."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ENDED", "EVENTS"]

#: For each event that stores record; a store of the application may record others.
EVENTS: Mapping[str, str] = {
    "client.created": "Client registered",
    "client.changed": "Registration changed",
    "client.rotated": "Secret rotated",
    "client.disabled": "Client disabled",
    "client.enabled": "Client enabled",
    "client.removed": "Client removed",
    "client.first_used": "First request without a token",
    "temporary.created": "Temporary credentials issued",
    "temporary.ended": "Temporary credentials ended",
    "temporary.expired": "Temporary credentials expired",
    "consent.given": "Consent given",
    "consent.denied": "Consent denied",
    "token.created": "Token issued",
    "token.first_used": "Token used for the first time",
    "token.exchanged": "Token exchanged for a bearer token",
    "token.exchange_failed": "Exchange of a token failed",
    "token.expired": "Token expired",
    "token.revoked": "Token revoked",
}

#: Those after which something no longer works.
ENDED = frozenset(
    {
        "client.disabled",
        "client.removed",
        "temporary.ended",
        "temporary.expired",
        "consent.denied",
        "token.exchange_failed",
        "token.expired",
        "token.revoked",
    }
)
