"""Changes: one thing each that a client, or something between client and provider, may have done differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from async_oauth1.policy import Policy

from .plan import Key, Parameters, Plan, Uri
from .texts import octets_of
from .wire import Parameter, WireRequest

__all__ = [
    "Cause",
    "Change",
    "Context",
    "Hypothesis",
    "Items",
    "Rewrite",
    "Secrets",
    "always",
    "change",
    "changing",
    "is_named",
    "is_protocol",
    "key_of",
    "key_with",
    "one_of",
    "parameters_with",
    "uri_with",
    "uri_with_path",
    "with_each",
    "with_items",
    "with_more",
    "without",
]


T = TypeVar("T")
#: Makes a part of a plan of another.
Rewrite: TypeAlias = Callable[[T], T]


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
        cost: how unlikely it is, in halvings: 0 is usual, 1 is half as likely, and so on; below 0
            if something in the request speaks for it.
        causes: what it means; several for a proxy that changes several things at once.
        apply: makes the changed plan of any plan.
        parts: names of the parts of the plan that it changes.
    """

    cost: float
    causes: tuple[Cause, ...]
    apply: Rewrite[Plan]
    parts: frozenset[str]


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


Items: TypeAlias = tuple[Parameter, ...]

#: Yields the changes that could concern this request.
Hypothesis: TypeAlias = Callable[[Context], Iterator[Change]]


def key_of(wire: WireRequest, secrets: Secrets) -> Key:
    """The key that the RFC says: the token secret counts only if the request names a token."""
    token_secret = secrets.token_secret if wire.protocol.get("oauth_token") else ""
    return Key(octets_of(next(iter(secrets.client_secrets), "")), octets_of(token_secret))


def change(
    cost: float,
    code: str,
    text: str,
    fix: str,
    *,
    method: Rewrite[str] | None = None,
    uri: Rewrite[Uri] | None = None,
    parameters: Rewrite[Parameters] | None = None,
    key: Rewrite[Key] | None = None,
    algorithm: Rewrite[str] | None = None,
) -> Change:
    """Make a change of one or more parts of a plan.

    Args:
        cost: how unlikely it is.
        code: of the cause.
        text: of the cause.
        fix: of the cause.
        method: makes the new method of the old one; likewise the others.
        uri: of the base string URI.
        parameters: of the parameters.
        key: of the key.
        algorithm: of the signature method.
    """
    causes = (Cause(code, text, fix),)
    return changing(cost, causes, method=method, uri=uri, parameters=parameters, key=key, algorithm=algorithm)


def one_of(cost: float, count: int) -> float:
    """The cost of one of several changes, which share the likelihood between them; in steps of a half."""
    return cost + round(2 * math.log2(max(count, 1))) / 2


def changing(
    cost: float,
    causes: tuple[Cause, ...],
    *,
    method: Rewrite[str] | None = None,
    uri: Rewrite[Uri] | None = None,
    parameters: Rewrite[Parameters] | None = None,
    key: Rewrite[Key] | None = None,
    algorithm: Rewrite[str] | None = None,
) -> Change:
    """As `change`, with any number of causes."""
    rewrites = {"method": method, "uri": uri, "parameters": parameters, "key": key, "algorithm": algorithm}
    parts = frozenset(name for name, rewrite in rewrites.items() if rewrite is not None)

    def apply(plan: Plan) -> Plan:
        return Plan(
            method(plan.method) if method else plan.method,
            uri(plan.uri) if uri else plan.uri,
            parameters(plan.parameters) if parameters else plan.parameters,
            key(plan.key) if key else plan.key,
            algorithm(plan.algorithm) if algorithm else plan.algorithm,
        )

    return Change(cost, causes, apply, parts)


def always(text: str) -> Rewrite[str]:
    """Another method or signature method, whatever it was."""
    return lambda _: text


def uri_with(**values: Any) -> Rewrite[Uri]:
    """The URI with other attributes."""
    return lambda uri: replace(uri, **values)


def uri_with_path(rewrite: Rewrite[str]) -> Rewrite[Uri]:
    """The URI with another path."""
    return lambda uri: replace(uri, path=rewrite(uri.path))


def key_with(**values: Any) -> Rewrite[Key]:
    """The key with other attributes."""
    return lambda key: replace(key, **values)


def parameters_with(**values: Any) -> Rewrite[Parameters]:
    """The parameters with other attributes."""
    return lambda parameters: replace(parameters, **values)


def with_items(rewrite: Rewrite[Items]) -> Rewrite[Parameters]:
    """The parameters with other items, in another order or number."""
    return lambda parameters: replace(parameters, items=rewrite(parameters.items))


def with_each(rewrite: Rewrite[Parameter], *, unless: Callable[[Parameter], bool] | None = None) -> Rewrite[Parameters]:
    """Each parameter rewritten, except for some."""
    return with_items(
        lambda items: tuple([item if unless is not None and unless(item) else rewrite(item) for item in items])
    )


def without(unwanted: Callable[[Parameter], bool]) -> Rewrite[Parameters]:
    """The parameters without some."""
    return with_items(lambda items: tuple([item for item in items if not unwanted(item)]))


def with_more(*more: Parameter) -> Rewrite[Parameters]:
    """The parameters and some more."""
    return with_items(lambda items: (*items, *more))


def is_protocol(item: Parameter) -> bool:
    """Whether the protocol defines a parameter."""
    return item.is_protocol


def is_named(name: str) -> Callable[[Parameter], bool]:
    """Whether a parameter has this name."""
    return lambda item: item.name == name
