"""Changes: one thing each that a client, or something between client and provider, may have done differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from async_oauth1.policy import Policy

from .plan import Plan
from .wire import WireRequest

__all__ = ["Cause", "Change", "Context", "Hypothesis", "Secrets", "change"]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the provider knows of the client and its token.

    Attributes:
        client_secrets: current first; empty if the client has none.
        token_secret: of the token in the request; empty if there is none.
        rsa_public_key: of the client, PEM.
        former: other secrets that once were right, each with what it was: ``client`` or ``token``.
        temporary_secret: of the temporary credentials that the token was exchanged for.
    """

    client_secrets: tuple[str, ...] = field(default=(), repr=False)
    token_secret: str = field(default="", repr=False)
    rsa_public_key: str | None = field(default=None, repr=False)
    former: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    temporary_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong.

    Attributes:
        code: one of the documented codes.
        text: what was done, by whom; a sentence.
        fix: what to change, and on which side; a sentence.
        together: it takes another cause as well for the signature to hold.
    """

    code: str
    text: str
    fix: str
    together: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One departure from a plan, with its cause.

    Attributes:
        cost: how unlikely it is, in halvings: 0 is usual, 1 is half as likely, and so on.
        causes: what it means; several for a proxy that changes several things at once.
        apply: makes the changed plan of any plan.
    """

    cost: float
    causes: tuple[Cause, ...]
    apply: Callable[[Plan], Plan]


@dataclass(frozen=True, slots=True)
class Context:
    """What hypotheses may look at.

    Attributes:
        wire: the request.
        secrets: what the provider knows.
        policy: of the provider.
        plan: what the RFC says that the client signs.
    """

    wire: WireRequest
    secrets: Secrets
    policy: Policy
    plan: Plan


#: Yields the changes that could concern this request.
Hypothesis: TypeAlias = Callable[[Context], Iterator[Change]]


def change(cost: float, code: str, text: str, fix: str, **parts: Callable[[Any], Any]) -> Change:
    """Make a change of one or more parts of a plan.

    Args:
        cost: how unlikely it is.
        code: of the cause.
        text: of the cause.
        fix: of the cause.
        parts: for each part of the plan a function from the old one to the new one.
    """
    return Change(cost, (Cause(code, text, fix),), rewriting(**parts))


def one_of(cost: float, count: int) -> float:
    """The cost of one of several changes, which share the likelihood between them; in steps of a half."""
    return cost + round(2 * math.log2(max(count, 1))) / 2


def rewriting(**parts: Callable[[Any], Any]) -> Callable[[Plan], Plan]:
    """A function from plan to plan that rewrites the named parts."""

    def apply(plan: Plan) -> Plan:
        return replace(plan, **{name: rewrite(getattr(plan, name)) for name, rewrite in parts.items()})

    return apply


def setting(**values: Any) -> Callable[[Any], Any]:
    """A function that sets attributes of a part."""
    return lambda part: replace(part, **values)
