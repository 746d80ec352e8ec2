"""Say why a signature does not verify.

`explain` tries what clients, proxies and frameworks are known to get wrong, and names the one thing, or the two
together, with which the signature that arrived is right. A match is a match of an HMAC or of an RSA digest, so a cause
that is named is proven. A few causes need no signature: the clock, the body hash, duplicates, what cannot be read.

It is pure and bounded: at most 2,000 signatures and 16 MiB of base strings, counted and never timed.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SIGNATURE_METHODS

from .changes import Cause, Context, Secrets, key_of
from .explanation import Explanation, ordered
from .facts import unreadable, violations
from .plan import Plan, plan_of
from .readings import Readings
from .redaction import redacted
from .search import Match, Search
from .texts import shown
from .wire import WireRequest, read

__all__ = ["Cause", "Explanation", "Secrets", "WireRequest", "explain", "explain_in_steps"]


def explain(
    request: OAuth1Request | WireRequest, keys: Secrets, *, policy: Policy | None = None, now: float | None = None
) -> Explanation:
    """Explain why the signature of a request does not verify (RFC 5849 section 3.4).

    Args:
        request: the request, as octets or as a server has read it.
        keys: what is known of the client and its token.
        policy: the provider's rules; by default every signature method is enabled, and http is allowed.
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
    request: OAuth1Request | WireRequest,
    keys: Secrets,
    *,
    policy: Policy | None = None,
    now: float | None = None,
    searches: bool = True,
) -> Generator[None, None, Explanation]:
    """As `explain`, in steps of less than a millisecond, for callers that have other work to do in between.

    Args:
        request: as for `explain`.
        keys: likewise.
        policy: likewise.
        now: likewise.
        searches: ``False`` to judge no signature, but only what needs none.
    """
    wire = WireRequest.of(request) if isinstance(request, OAuth1Request) else request
    policy = policy or Policy(signature_methods=tuple(SIGNATURE_METHODS), require_https=False)
    plan = plan_of(wire, key_of(wire, keys))
    explanation = Explanation(
        verifies=False, causes=(), method=plan.algorithm, base_string=shown(plan.base_string), signed=None
    )
    yield
    try:
        parsed = read(wire, policy)
    except OAuth1Error as error:
        base_string = explanation.base_string if wire.is_readable else ""
        return redacted(replace(explanation, causes=(unreadable(wire, error),), base_string=base_string), keys)
    yield
    facts = tuple(violations(wire, parsed, keys, policy, now))
    yield
    if searches and "oauth_signature" in wire.protocol:
        search = _search(wire, keys, policy, plan)
        yield from search.steps()
        yield
        explanation = _found(explanation, search)
    causes = ordered(explanation.causes, facts, proven=explanation.signed is not None)
    verifies = explanation.signed is not None and not causes
    return redacted(replace(explanation, verifies=verifies, causes=causes), keys)


def _search(wire: WireRequest, keys: Secrets, policy: Policy, plan: Plan) -> Search:
    in_header = wire.protocol_place == "header"
    readings = Readings(wire.protocol["oauth_signature"], in_header=in_header, rsa_public_key=keys.rsa_public_key)
    return Search(Context(wire, keys, policy, plan), readings)


def _found(explanation: Explanation, search: Search) -> Explanation:
    match: Match | None = search.match
    return replace(
        explanation,
        causes=match.causes if match else (),
        signed=shown(match.plan.base_string) if match else None,
        tried=search.tried,
        complete=search.complete,
    )
