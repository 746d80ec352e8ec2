"""Compare two base strings part by part, with the same changes that are tried against a signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from ..changes import Cause, Change, Context
from ..hypotheses import HYPOTHESES
from ..plan import Plan
from .structure import fix_of, parameter_differences, uri_differences

__all__ = ["differences"]

#: Pairs of changes of the parameters that are rendered.
MAX_PAIRS = 1_000
#: Characters of a base string from which on no pairs are tried.
LARGE = 64 * 1024


def differences(context: Context, theirs: str) -> tuple[Cause, ...]:
    """What makes the provider's base string another one than the request's.

    Args:
        context: the request, and how it signs by the RFC.
        theirs: the provider's base string, with the request's own nonce and timestamp.

    Returns:
        The causes, the most telling first; empty if both are equal.
    """
    plan = context.plan
    method, _, rest = theirs.partition("&")
    uri, _, parameters = rest.partition("&")
    if (plan.method, plan.uri.rendered, plan.parameters.rendered) == (method, uri, parameters):
        return ()
    changes = sorted((each for make in HYPOTHESES for each in make(context)), key=lambda change: change.cost)
    for change in changes:
        changed = change.apply(plan)
        if change.causes and theirs == changed.base_string:
            return _told(change.causes)
    causes = [
        *_method(plan, method),
        *_uri(context, changes, uri),
        *_parameters(context, changes, parameters),
    ]
    unique = {cause.code: cause for cause in reversed(causes)}
    found = tuple(reversed(unique.values()))
    return tuple(replace(cause, together=True) for cause in found) if len(found) > 1 else found


def _method(plan: Plan, theirs: str) -> Iterator[Cause]:
    if theirs != plan.method:
        text = f"The provider expects the method {theirs[:20]}; this request has {plan.method[:20]}."
        yield Cause("http_method", text, fix_of("http_method"))


def _uri(context: Context, changes: list[Change], theirs: str) -> tuple[Cause, ...]:
    plan = context.plan
    if plan.uri.rendered == theirs:
        return ()
    structural = tuple(uri_differences(plan.uri.text, theirs))
    if len(structural) > 1:  # several parts of the URI: each is read off
        return structural
    for change in changes:
        changed = change.apply(plan)
        if change.causes and changed.changed_parts(plan) == frozenset(("uri",)) and changed.uri.rendered == theirs:
            return _told(change.causes)
    return structural


def _parameters(context: Context, changes: list[Change], theirs: str) -> tuple[Cause, ...]:
    plan = context.plan
    if plan.parameters.rendered == theirs:
        return ()
    effective: list[tuple[Change, Plan]] = []
    for change in changes:
        changed = change.apply(plan)
        if change.causes and "parameters" in changed.changed_parts(plan):
            if changed.parameters.rendered == theirs:
                return _told(change.causes)
            if changed.parameters.rendered != plan.parameters.rendered:
                effective.append((change, changed))
    return tuple(parameter_differences(context, theirs)) or _pair(effective, theirs) or (_UNKNOWN,)


_UNKNOWN = Cause(
    "not_encoded",
    "The provider encodes the parameters in a way that no known mistake explains; the two base strings show where.",
    "Compare the two base strings character by character.",
)


def _pair(effective: list[tuple[Change, Plan]], theirs: str) -> tuple[Cause, ...]:
    if len(theirs) > LARGE:
        return ()
    for count, ((first, changed), (second, _)) in enumerate(combinations(effective, 2)):
        if count >= MAX_PAIRS:
            break
        if second.apply(changed).parameters.rendered == theirs:
            return (*_told(first.causes), *_told(second.causes))
    return ()


def _told(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes, which are worded for a provider that looks at a client, the other way round."""
    return tuple(replace(cause, text=_turned(cause.text), fix=fix_of(cause.code)) for cause in causes)


def _turned(text: str) -> str:
    for old, new in (
        ("The client signed", "The provider expects"),
        ("The client did not sign", "The provider does not count"),
        ("The client", "The provider"),
        ("this server saw", "this request has"),
        ("arrived", "was sent"),
    ):
        text = text.replace(old, new)
    return text
