"""The search: single changes in the order of likelihood, then pairs, until one makes the signature that arrived.

It is bounded by counts, never by a clock, so a request has one explanation on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

from .changes import Cause, Change, Context
from .hypotheses import HYPOTHESES
from .plan import Plan
from .readings import Readings

__all__ = ["MAX_OCTETS", "MAX_SIGNATURES", "Match", "Search"]

#: Signatures that are computed for one explanation.
MAX_SIGNATURES = 2_000
#: Octets of base strings that are hashed for one explanation.
MAX_OCTETS = 16 * 1024 * 1024
#: Octets of a base string from which on only single changes are tried, and only those that leave the parameters alone.
LARGE = 64 * 1024
#: Units of work after which the search lets other work go on: well under a millisecond.
WORK_PER_SLICE = 32 * 1024
#: Units for a candidate, besides the octets of its base string.
_CANDIDATE = 2 * 1024
#: Units for an octet of parameters that are rendered anew, if two changes concern the same part.
_RENDERED = 8


@dataclass(frozen=True, slots=True)
class Match:
    """A plan that makes the signature.

    Attributes:
        plan: what was signed.
        causes: what is wrong; empty if nothing is.
    """

    plan: Plan
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class _Tried:
    """A change that makes another candidate of the unchanged plan."""

    change: Change
    plan: Plan
    parts: frozenset[str]
    codes: frozenset[str]


class Search:
    """One search for the plan that makes a signature.

    Attributes:
        tried: signatures that were computed.
        complete: everything was tried, or a match was found.
        match: what was found, or ``None``.
    """

    def __init__(self, context: Context, readings: Readings) -> None:
        """Prepare the search; nothing is computed yet."""
        self.tried = 0
        self.complete = True
        self.match: Match | None = None
        self._context = context
        self._readings = readings
        self._octets = 0
        self._work = 0
        self._seen: set[tuple[str, ...]] = set()

    def run(self) -> Match | None:
        """Search to the end, and return what was found; ``None`` for nothing."""
        for _ in self.steps():
            pass
        return self.match

    def steps(self) -> Iterator[None]:
        """Search, and yield now and then so that other work can go on."""
        base = self._context.plan
        self._is_new(base)
        if self._try(base, ()):
            return
        changes: list[Change] = []
        for hypothesis in HYPOTHESES:
            changes.extend(hypothesis(self._context))
            yield
        changes.sort(key=lambda change: change.cost)
        singles: list[_Tried] = []
        is_large = len(base.base_string) > LARGE
        if is_large:
            changes = [change for change in changes if "parameters" not in change.parts]
        yield from self._singles(base, changes, singles)
        if self._goes_on and not is_large:
            small = [single for single in singles if len(single.plan.parameters.rendered) <= LARGE]
            yield from self._pairs(base, small)  # a body that is taken for parameters would use up the octets
            self.complete = self.complete and len(small) == len(singles)
        self.complete = self.match is not None or (self.complete and not is_large)

    @property
    def _goes_on(self) -> bool:
        return self.complete and self.match is None

    def _singles(self, base: Plan, changes: list[Change], effective: list[_Tried]) -> Iterator[None]:
        """Try each change alone, and collect those that make another candidate."""
        for change in changes:
            plan = change.apply(base)
            if self._is_new(plan):
                codes = frozenset(cause.code for cause in change.causes)
                effective.append(_Tried(change, plan, change.parts, codes))
                if self._try(plan, (change,)) or not self.complete:
                    return
            yield

    def _pairs(self, base: Plan, singles: list[_Tried]) -> Iterator[None]:
        if not self._readings.can_be_of(base.algorithm):
            pairs = self._pairs_of_other_methods(singles)
        else:
            pairs = _by_cost(singles)
        size = len(base.base_string)
        for first, second in pairs:
            renders = not first.parts.isdisjoint(second.parts)
            for plan in _combined(base, first, second):
                if self._is_new(plan):
                    self._try(plan, (first.change, second.change))
                if not self._goes_on:
                    return
                self._work += _CANDIDATE + size * (_RENDERED if renders else 1)
                if self._work > WORK_PER_SLICE:
                    self._work = 0
                    yield

    def _pairs_of_other_methods(self, singles: list[_Tried]) -> Iterator[tuple[_Tried, _Tried]]:
        """The pairs that can match a signature whose length is not that of the method that is named."""
        others = [each for each in singles if "algorithm" not in each.parts]
        for method in singles:
            if "algorithm" in method.parts and self._readings.can_be_of(method.plan.algorithm):
                yield from ((method, other) for other in others)

    def _is_new(self, plan: Plan) -> bool:
        """Whether no plan before made the same candidate."""
        before = len(self._seen)
        self._seen.add(self._readings.candidate(plan))
        return len(self._seen) > before

    def _try(self, plan: Plan, changes: tuple[Change, ...]) -> bool:
        """Compute one signature and compare it; nothing is computed that the length of the signature rules out."""
        if not self._readings.can_be_of(plan.algorithm):
            return False
        octets = plan.base_string.encode("latin-1", "replace")
        self._octets += len(octets)
        if self.tried >= MAX_SIGNATURES or self._octets > MAX_OCTETS:
            self.complete = False
            return False
        self.tried += 1
        found, reading = self._readings.compare(plan, octets)
        if found:
            self.match = Match(plan, _causes_of(changes, reading))
        return found


def _causes_of(changes: tuple[Change, ...], reading: Cause | None) -> tuple[Cause, ...]:
    """The causes of the changes, each code once, the more likely first, and how the signature was written."""
    causes: dict[str, Cause] = {}
    for change in sorted(changes, key=lambda change: change.cost):
        for cause in change.causes:
            causes.setdefault(cause.code, cause)
    if reading is not None:
        causes.setdefault(reading.code, reading)
    if len(causes) == 1:
        return tuple(causes.values())
    return tuple(replace(cause, together=True) for cause in causes.values())


def _combined(base: Plan, first: _Tried, second: _Tried) -> Iterator[Plan]:
    """Both changes at once, in both orders if they change the same part."""
    if not first.parts.isdisjoint(second.parts):
        yield second.change.apply(first.plan)
        yield first.change.apply(second.plan)
        return
    one, two = first.plan, second.plan
    yield Plan(
        one.method if two.method is base.method else two.method,
        one.uri if two.uri is base.uri else two.uri,
        one.parameters if two.parameters is base.parameters else two.parameters,
        one.key if two.key is base.key else two.key,
        one.algorithm if two.algorithm is base.algorithm else two.algorithm,
    )


def _by_cost(singles: list[_Tried]) -> Iterator[tuple[_Tried, _Tried]]:
    """Every pair, the ones with the smallest sum of costs first; two with one code come last."""
    levels: dict[float, list[_Tried]] = {}
    for single in singles:
        levels.setdefault(single.change.cost, []).append(single)
    sums = sorted((low + high, low, high) for low in levels for high in levels if low <= high)
    for same_code in (False, True):
        for _, low, high in sums:
            pairs = combinations(levels[low], 2) if low == high else product(levels[low], levels[high])
            for first, second in pairs:
                if first.codes.isdisjoint(second.codes) is not same_code:
                    yield first, second
