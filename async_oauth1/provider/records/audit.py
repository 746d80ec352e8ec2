"""The records of an audit trail: what happened to which credentials, and the actor.

A method of a store knows the usual actor of its change: a client exchanges credentials, a user consents. For all
others, `acting_as` says it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, get_args

__all__ = ["EVENTS", "Actor", "ActorKind", "AuditEvent", "acting_as", "current_actor"]

#: Kinds of actors; ``application`` is the provider's own code if nothing else is said, ``provider`` is the expiry.
ActorKind = Literal["user", "client", "operator", "command", "application", "provider"]

#: Everything that is recorded.
EVENTS = (
    "client.created",
    "client.changed",
    "client.rotated",
    "client.disabled",
    "client.enabled",
    "client.removed",
    "client.first_used",
    "temporary.created",
    "temporary.ended",
    "temporary.expired",
    "consent.given",
    "consent.denied",
    "token.created",
    "token.first_used",
    "token.exchanged",
    "token.exchange_failed",
    "token.expired",
    "token.revoked",
)

# A name that is longer is cut off: it may come from a request.
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Actor:
    """What changed something: a person, a client or a program.

    Attributes:
        kind: `ActorKind`.
        name: of the user, the client or the operator; empty if it is not known.
    """

    kind: ActorKind
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One record of the audit trail. It has no secret.

    Attributes:
        at: Unix time.
        event: one of `EVENTS`.
        client_id: the client.
        oauth_token: the token; that of the temporary credentials if the event begins with ``temporary`` or ``consent``.
            ``None`` for events of the client alone.
        user_id: the resource owner; ``None`` if there is none yet.
        actor: the actor.
        id: the number of the record in its store, and the cursor of a page that ends with it; 0 outside of a store.
    """

    at: float
    event: str
    client_id: str
    oauth_token: str | None = None
    user_id: str | None = None
    actor: Actor = field(default_factory=lambda: Actor("application"))
    id: int = 0


_actor: ContextVar[Actor | None] = ContextVar("async_oauth1_actor", default=None)


@contextmanager
def acting_as(kind: ActorKind, name: str = "") -> Generator[None]:
    """Record the changes of a ``with`` block under this name.

    Args:
        kind: ``operator`` for a page or an API of administration, ``user`` for a page of the user's own, ``command``
            for a command line, ``client`` for a client that changes its own record.
        name: of the operator, the user or the client. It is cut after 255 characters.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in get_args(ActorKind):
        raise ValueError(f"kind is one of {', '.join(get_args(ActorKind))}, not {kind!r}")
    cleaned = name[:_MAX_NAME].encode("utf-8", "replace").decode().replace("\0", "?")
    token = _actor.set(Actor(kind, cleaned))
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor(usual: Actor) -> Actor:
    """The actor of a change that is made now.

    Args:
        usual: the actor, unless `acting_as` says it; but what expires always does so by itself.
    """
    return usual if usual.kind == "provider" else _actor.get() or usual
