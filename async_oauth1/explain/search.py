"""The search: single changes in the order of likelihood, then pairs, until a candidate makes the signature that arrived.

It is bounded by counts, never by a clock, so a request has one explanation on every machine.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace

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
#: Candidates after which the search lets other work go on.
SLICE = 16


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
        self._seen: dict[tuple[str, ...], Cause | None] = {}

    def run(self) -> Match | None:
        """Search to the end."""
        for _ in self.steps():
            pass
        return self.match

    def steps(self) -> Iterator[None]:
        """Search, and yield now and then so that other work can go on."""
        base = self._context.plan
        if self._try(base, ()):
            return
        large = len(base.base_string) > LARGE
        effective: list[_Tried] = []
        for change in self._changes():
            if self._exhausted:
                self.complete = False
                return
            plan = change.apply(base)
            parts = plan.changed_parts(base)
            if large and "parameters" in parts:
                self.complete = False
                continue
            if self._is_new(plan):
                effective.append(_Tried(change, plan, parts))
                if self._try(plan, change.causes):
                    return
            yield
        if large:
            self.complete = False
            return
        yield from self._pairs(base, effective)

    def _changes(self) -> list[Change]:
        changes = [change for hypothesis in HYPOTHESES for change in hypothesis(self._context)]
        return sorted(changes, key=lambda change: change.cost)

    def _pairs(self, base: Plan, singles: list[_Tried]) -> Iterator[None]:
        for first, second in _by_cost(singles):
            if self._exhausted:
                self.complete = False
                return
            plan = _combined(base, first, second)
            if self._is_new(plan):
                causes = _together(first.change, second.change)
                if self._try(plan, causes):
                    return
                if self.tried % SLICE == 0:
                    yield

    @property
    def _exhausted(self) -> bool:
        return self.tried >= MAX_SIGNATURES or self._octets >= MAX_OCTETS

    def _is_new(self, plan: Plan) -> bool:
        """Whether no plan before made the same candidate."""
        if plan.algorithm == "PLAINTEXT":
            candidate = (plan.algorithm, plan.key.rendered)
        elif plan.algorithm.startswith("RSA-"):
            candidate = (plan.algorithm, plan.method, plan.uri.rendered, plan.parameters.rendered)
        else:
            candidate = (
                plan.algorithm, plan.key.rendered, plan.method, plan.uri.rendered, plan.parameters.rendered
            )  # fmt: skip
        if candidate in self._seen:
            return False
        self._seen[candidate] = None
        return True

    def _try(self, plan: Plan, causes: tuple[Cause, ...]) -> bool:
        """Compute one signature and compare it."""
        found, reading = self._compare(plan)
        self.tried += 1
        if found:
            if reading is not None:
                causes = (*causes, reading)
            if len(causes) > 1:
                causes = tuple(replace(cause, together=True) for cause in causes)
            self.match = Match(plan, causes)
        return found

    def _compare(self, plan: Plan) -> tuple[bool, Cause | None]:
        kind, _, name = plan.algorithm.partition("-")
        if plan.algorithm == "PLAINTEXT":
            text = plan.key.rendered.encode("latin-1").decode("utf-8", "replace")
            return text in self._readings.texts, self._readings.texts.get(text)
        octets = plan.base_string.encode("latin-1", "replace")
        self._octets += len(octets)
        digest_name = name.lower()
        if digest_name not in ("sha1", "sha256", "sha512"):
            return False, None
        if kind == "RSA":
            digest = (digest_name, hashlib.new(digest_name, octets, usedforsecurity=False).digest())
            return digest in self._readings.digests, self._readings.digests.get(digest)
        mac = hmac.digest(plan.key.rendered.encode("latin-1"), octets, digest_name)
        return mac in self._readings.octets, self._readings.octets.get(mac)


def _together(first: Change, second: Change) -> tuple[Cause, ...]:
    """The causes of two changes, each code once, the more likely first."""
    ordered = sorted((first, second), key=lambda change: change.cost)
    causes = {cause.code: cause for change in reversed(ordered) for cause in reversed(change.causes)}
    return tuple(reversed(causes.values()))


def _combined(base: Plan, first: _Tried, second: _Tried) -> Plan:
    """Both changes at once; parts that only one of them changes are shared with its own plan."""
    if first.parts.isdisjoint(second.parts):
        return replace(first.plan, **{part: getattr(second.plan, part) for part in second.parts})
    return second.change.apply(first.plan)


def _by_cost(singles: list[_Tried]) -> Iterator[tuple[_Tried, _Tried]]:
    """Every pair, the ones with the smallest sum of costs first."""
    heap = [
        (singles[index].change.cost + singles[index + 1].change.cost, index, index + 1)
        for index in range(len(singles) - 1)
    ]
    heapq.heapify(heap)
    while heap:
        _, index, other = heapq.heappop(heap)
        yield singles[index], singles[other]
        if other + 1 < len(singles):
            heapq.heappush(heap, (singles[index].change.cost + singles[other + 1].change.cost, index, other + 1))
