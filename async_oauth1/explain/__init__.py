"""Say why a signature does not verify.

`explain` tries what clients, proxies and frameworks are known to get wrong, and names the one thing, or the two
together, with which the signature that arrived is right. A match is a match of an HMAC or of an RSA digest, so a cause
that is named is proven. A few causes need no signature: the clock, the body hash, duplicates, what cannot be read.

It is pure and bounded: at most 2,000 signatures and 16 MiB of base strings, counted and never timed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request

from .changes import Cause, Context, Secrets
from .facts import unreadable, violations
from .plan import Key, plan_of
from .readings import Readings
from .search import Match, Search
from .wire import WireRequest, read

__all__ = ["Cause", "Explanation", "Secrets", "WireRequest", "explain", "explain_in_steps"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request is refused.

    Attributes:
        verifies: this provider would accept the request, its nonce aside.
        causes: what is wrong, the most likely first; empty if nothing that was tried matches.
        method: the signature method that the request names.
        base_string: the signature base string as this provider builds it.
        signed: the base string that the signature is of, or ``None``.
        tried: how many signatures were computed.
        complete: False if the bound ended the search.
    """

    verifies: bool
    causes: tuple[Cause, ...]
    method: str
    base_string: str
    signed: str | None
    tried: int
    complete: bool


def explain(
    request: OAuth1Request | WireRequest, keys: Secrets, *, policy: Policy | None = None, now: float | None = None
) -> Explanation:
    """Explain why the signature of a request does not verify (RFC 5849 section 3.4).

    Args:
        request: the request, as octets or as a server has read it.
        keys: what is known of the client and its token.
        policy: the provider's rules; by default every signature method is enabled.
        now: Unix time at which the request arrived, in seconds; ``None`` to judge no clock.

    Returns:
        The explanation; never an exception, whatever the request is.
    """
    steps = explain_in_steps(request, keys, policy=policy, now=now)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            explanation: Explanation = stop.value
            return explanation


def explain_in_steps(
    request: OAuth1Request | WireRequest, keys: Secrets, *, policy: Policy | None = None, now: float | None = None
) -> Generator[None, None, Explanation]:
    """As `explain`, in steps of less than a millisecond, for callers that have other work to do in between."""
    wire = WireRequest.of(request) if isinstance(request, OAuth1Request) else request
    policy = policy or Policy()
    key = Key(_octets(next(iter(keys.client_secrets), "")), _octets(keys.token_secret))
    plan = plan_of(wire, key)
    signature = wire.protocol.get("oauth_signature", "")
    base_string = _shown(plan.base_string)
    facts: list[Cause] = []
    try:
        parsed = read(wire)
    except OAuth1Error as error:
        readable = wire.protocol_place is not None
        causes = (unreadable(wire, error),)
        return Explanation(False, causes, plan.algorithm, base_string if readable else "", None, 0, True)
    facts.extend(violations(wire, parsed, keys, policy, now))
    if not signature:
        return Explanation(False, tuple(facts), plan.algorithm, base_string, None, 0, True)
    readings = Readings(
        signature, in_header=wire.protocol_place == "header", rsa_public_key=keys.rsa_public_key
    )
    search = Search(Context(wire, _with_current(keys), policy, plan), readings)
    yield from search.steps()
    match = search.match
    causes = _ordered(match, facts)
    signed = _shown(match.plan.base_string) if match else None
    return Explanation(
        match is not None and not causes, causes, plan.algorithm, base_string, signed, search.tried, search.complete
    )


def _ordered(match: Match | None, facts: Iterable[Cause]) -> tuple[Cause, ...]:
    """What the signature proves first, then what it does not; together if there are both."""
    proven = match.causes if match else ()
    known = {cause.code for cause in proven}
    causes = (*proven, *(fact for fact in facts if fact.code not in known))
    if len(causes) > 1 and match is not None:
        causes = tuple(replace(cause, together=True) for cause in causes)
    return causes


def _with_current(keys: Secrets) -> Secrets:
    """Further current secrets of the client are tried like former ones."""
    return keys


def _octets(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _shown(base_string: str) -> str:
    return base_string.encode("latin-1", "replace").decode("utf-8", "replace")
