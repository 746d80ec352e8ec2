"""Clients, tokens and records of the audit trail as JSON: in the API for operators, and on the command line."""

from __future__ import annotations

from typing import Any

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores import AuditEvent

__all__ = ["describe_client", "describe_event", "describe_token"]


def describe_client(client: Client, last_used_at: float | None = None) -> dict[str, Any]:
    """A client without its secrets.

    Args:
        client: the record.
        last_used_at: Unix time; ``None`` if it is not known.
    """
    return {
        "client_id": client.client_id,
        "name": client.name,
        "callbacks": list(client.callbacks),
        "signature_methods": list(client.signature_methods),
        "nonce_policy": client.nonce_policy,
        "callback_query_may_differ": client.callback_query_may_differ,
        "tolerances": list(client.tolerances),
        "disabled": client.disabled,
        "has_secret": client.client_secret is not None,
        "former_secrets_end_at": list(client.overlaps_end_at) or [None] * len(client.overlapping_secrets),
        "rsa_public_key": client.rsa_public_key,
        "last_used_at": last_used_at,
    }


def describe_token(token: TokenCredential) -> dict[str, Any]:
    """A token credential without its secret."""
    return {
        "oauth_token": token.oauth_token,
        "client_id": token.client_id,
        "user_id": token.user_id,
        "scope": token.scope,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }


def describe_event(event: AuditEvent) -> dict[str, Any]:
    """A record of the audit trail."""
    return {
        "id": event.id,
        "at": event.at,
        "event": event.event,
        "client_id": event.client_id,
        "oauth_token": event.oauth_token,
        "user_id": event.user_id,
        "actor": {"kind": event.actor.kind, "name": event.actor.name},
    }
