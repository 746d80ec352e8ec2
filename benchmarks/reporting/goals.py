"""The goals, compared with the measured figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.contestants import IN_PYTHON, OURS

from .figures import Goal, Spread, ratios, spread
from .frameworks import added_over_ours, twin_over_protected

__all__ = ["Check", "checks", "duel_ratios"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table of goals.

    Attributes:
        what: description of the figure.
        goal: ``None`` for a figure without a goal.
        measured: the ratios of the pairs.
    """

    what: str
    goal: Goal | None
    measured: Spread

    @property
    def verdict(self) -> str:
        """Whether the median reaches the goal."""
        if self.goal is None:
            return ""
        return "yes" if self.goal.reached(self.measured.median) else "**no**"


#: By key of the duel: description, figure, sides of the ratio, goal.
_DUELS = {
    "memory-warm": ("CPU time, unprotected twin over protected: memory store", "cpu", (0, 1), 0.94),
    "memory-warm-python": ("the same, without the native reader", "cpu", (0, 1), 0.84),
    "redis-warm": ("CPU time, unprotected twin over protected: Redis + PostgreSQL, warm", "cpu", (0, 1), 0.90),
    "redis-cold": ("the same, Redis + PostgreSQL, every token new", "cpu", (0, 1), 0.87),
    "flask": ("requests/s, Redis + PostgreSQL warm, over Authlib on Flask under gunicorn", "rate", (0, 1), 4.0),
    "patched": ("the same over quart-flask-patch with Authlib", "rate", (0, 1), 3.0),
    "refusal": ("bad signatures refused per second over unprotected requests answered", "rate", (1, 0), 1.0),
}
#: By case and peer: its time over ours, with the native reader, and in Python.
_VERIFY = {
    ("header", "Authlib"): (20.0, 7.0),
    ("header", "oauthlib"): (30.0, 10.0),
    ("form", "Authlib"): (30.0, 5.0),
    ("form", "oauthlib"): (45.0, 8.0),
}
#: The same, for results of a release without a native reader.
_VERIFY_BEFORE = {
    ("header", "Authlib"): 6.0,
    ("header", "oauthlib"): 8.0,
    ("form", "Authlib"): 5.0,
    ("form", "oauthlib"): 8.0,
}


def duel_ratios(bursts: list[list[dict[str, Any]]], figure: str, over: int, under: int) -> list[float]:
    """The ratio of a figure between the two sides, for each pair."""
    return ratios([pair[over][figure] for pair in bursts], [pair[under][figure] for pair in bursts])


def checks(results: dict[str, Any]) -> list[Check]:
    """The goals for which there are results."""
    found: list[Check] = []
    if verify := results.get("verify"):
        found += _verify(verify["results"])
    if serving := results.get("serving"):
        found += _duels(serving["results"]["duels"])
        found += _pacing(serving["results"].get("pacing"))
        found += _bad_input(serving["results"].get("bad_input", []))
    if frameworks := results.get("frameworks"):
        found += _frameworks(frameworks["results"]["lines"])
    return found


def _verify(cases: list[dict[str, Any]]) -> Iterator[Check]:
    for case in cases:
        times = case["microseconds"]
        has_both = IN_PYTHON in times
        for (name, peer), (natively, in_python) in _VERIFY.items():
            if name != case["case"]:
                continue
            limit = natively if has_both else _VERIFY_BEFORE[name, peer]
            what = f"{peer}'s time over ours: {case['title']}"
            yield Check(what, Goal("at least", limit), spread(ratios(times[peer], times[OURS])))
            if has_both:
                what = f"{peer}'s time over ours in Python: {case['title']}"
                yield Check(what, Goal("at least", in_python), spread(ratios(times[peer], times[IN_PYTHON])))
        if case["case"] == "header":
            what = f"our time over the bare HMAC's: {case['title']}"
            goal = Goal("at most", 2.0) if has_both else None
            yield Check(what, goal, spread(ratios(times[OURS], times["bare primitive"])))


def _duels(duels: list[dict[str, Any]]) -> Iterator[Check]:
    for key, (what, figure, (over, under), limit) in _DUELS.items():
        for duel in duels:
            if duel["key"] == key and duel["connections"] == 64:
                measured = spread(duel_ratios(duel["bursts"], figure, over, under))
                yield Check(what, Goal("at least", limit), measured)


def _pacing(pacing: dict[str, Any] | None) -> Iterator[Check]:
    if pacing:
        for one in pacing["paces"]:
            what = f"p99 of the protected route over the unprotected, 1,000 connections, {one['title']}"
            yield Check(what, Goal("at most", 1.3), spread(duel_ratios(one["bursts"], "p99", 1, 0)))


def _bad_input(kinds: list[dict[str, Any]]) -> Iterator[Check]:
    for kind in kinds:
        beside = f"good requests beside {kind['title']}, over alone"
        yield Check(f"rate of {beside}", Goal("at least", 0.9), spread(duel_ratios(kind["bursts"], "rate", 1, 0)))
        yield Check(f"p99 of {beside}", Goal("at most", 2.0), spread(duel_ratios(kind["bursts"], "p99", 1, 0)))
        what = f"memory after {kind['title']}, over before"
        yield Check(what, Goal("at most", 1.1), spread([kind["memory"][1] / kind["memory"][0]]))
        what = f"rows and keys left behind by {kind['title']}"
        yield Check(what, Goal("at most", 0.0), spread([float(kind["left_behind"])]))


def _frameworks(lines: list[dict[str, Any]]) -> Iterator[Check]:
    for line in lines:
        if line["reader"] != "native":
            continue
        under, cpu = f"{line['application']} under {line['server']}", line["cpu"]
        share = Goal("at least", 0.55) if (line["server"], line["application"]) == ("uvicorn", "bare ASGI") else None
        yield Check(f"CPU time, unprotected over protected: {under}", share, spread(twin_over_protected(cpu)))
        for peer in ("Authlib", "oauthlib"):
            added = spread(added_over_ours(cpu, f"/{peer.lower()}"))
            yield Check(f"CPU time that {peer} adds, over ours: {under}", Goal("at least", 5.0), added)
