"""What the hook ``audit`` gets from the flows."""

from __future__ import annotations

from typing import Any

from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import call_hook, optional
from async_oauth1.provider.records.audit import Actor, AuditEvent, current_actor

from .approvals import identifier_of

__all__ = ["audit_event"]

_EVENTS = {
    "temporary_credentials.issued": "temporary.created",
    "authorization.approved": "consent.given",
    "authorization.denied": "consent.denied",
    "token_credentials.issued": "token.created",
}


async def audit_event(event: str, request: OAuth1Request, credential: Any, now: float) -> AuditEvent:
    """The record of what a flow has stored.

    Args:
        event: as in the log.
        request: what led to it.
        credential: the temporary or token credentials.
        now: Unix time.
    """
    client_id = request.client_id or as_text(await optional(request.credential, "get_client_id") or "")
    user_id: str | None = None
    if event == "authorization.approved":
        user_id = await identifier_of(request.user)
    elif event == "token_credentials.issued":
        user = await optional(credential, "get_user_id") or await optional(request.credential, "get_user_id")
        user_id = None if user is None else str(user)
    is_decision = event.startswith("authorization.")
    return AuditEvent(
        at=now,
        event=_EVENTS[event],
        client_id=client_id,
        oauth_token=as_text(await call_hook(credential.get_oauth_token)),
        user_id=user_id,
        actor=current_actor(Actor("user", user_id or "") if is_decision else Actor("client", client_id)),
    )
