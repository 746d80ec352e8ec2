"""The figures as SVG pictures; the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .figures import Spread, number, spread

__all__ = ["Bar", "bars", "draw_all"]

# Blue and orange can also be distinguished with colour blindness; all other bars are grey.
OURS, REFERENCE, OTHERS = "#0072B2", "#E69F00", "#9AA3AB"
INK, FAINT = "#24292F", "#6E7781"
STYLE: Any = {
    "svg.hashsalt": "async-oauth1",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": INK,
}
#: Inches; at SVG's 72 points each about 700 pixels on a page.
WIDTH = 7.4


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        label: in front of it.
        value: its length, with the quartiles.
        colour: of the three above.
    """

    label: str
    value: Spread
    colour: str = OTHERS


def bars(path: Path, title: str, panels: Sequence[tuple[str, Sequence[Bar]]], unit: str) -> None:
    """Write one picture.

    Args:
        path: of the file.
        title: above all.
        panels: one below the other: a heading, which may be empty, and bars from top to bottom.
        unit: of the values.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        rows = [len(one) + (1.2 if heading else 0.4) for heading, one in panels]
        figure = Figure(figsize=(WIDTH, 0.95 + 0.29 * sum(rows)), layout="constrained", facecolor="white")
        figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
        axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": rows})[:, 0]
        for axis, (heading, one) in zip(axes, panels, strict=True):
            _panel(axis, heading, one)
        axes[-1].set_xlabel(unit)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axis: Any, heading: str, panel: Sequence[Bar]) -> None:
    places = range(len(panel))
    values = [bar.value.median for bar in panel]
    longest = max(bar.value.high for bar in panel)
    axis.barh(places, values, color=[bar.colour for bar in panel], height=0.68)
    for place, bar in zip(places, panel, strict=True):
        if bar.value.count > 1:
            axis.plot([bar.value.low, bar.value.high], [place, place], color=INK, linewidth=1, alpha=0.55)
        axis.text(bar.value.high + longest * 0.012, place, number(bar.value.median), va="center", fontsize=9)
    axis.set_yticks(list(places), [bar.label for bar in panel])
    axis.set_xlim(0, longest * 1.1)
    axis.invert_yaxis()
    axis.tick_params(length=0)
    axis.xaxis.grid(visible=True, color="#E4E8EB", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right", "bottom", "left"):
        axis.spines[side].set_visible(False)
    if heading:
        axis.set_title(heading, loc="left", fontsize=9.5, color=FAINT)


def draw_all(results: dict[str, Any], folder: Path) -> list[str]:
    """Draw what there are results for.

    Args:
        results: the parts by name, as in the file of raw results.
        folder: for the pictures.

    Returns:
        The names of the files.
    """
    drawn = []
    if verify := results.get("verify"):
        panels = [(case["title"], _verify_bars(case["microseconds"])) for case in verify["results"]]
        bars(folder / "verify.svg", "Verifying one request", panels, "microseconds of CPU time; less is better")
        drawn.append("verify.svg")
    duels = [duel for duel in results.get("serving", {}).get("results", {}).get("duels", []) if _is_small(duel)]
    if duels:
        for name, key, title, unit in (
            ("rate.svg", "rate", "Requests per second, one worker, 64 connections", "more is better"),
            ("cpu.svg", "cpu", "CPU time of the server per request", "microseconds, user and system; less is better"),
        ):
            bars(folder / name, title, [("", _serving_bars(duels, key))], unit)
            drawn.append(name)
    return drawn


def _verify_bars(microseconds: dict[str, list[float]]) -> list[Bar]:
    ours = next(iter(microseconds))
    colours = {ours: OURS, "bare primitive": REFERENCE}
    return [
        Bar(name, spread(times), colours.get(name, OTHERS))
        for name, times in microseconds.items()
        if name in colours or not name.startswith(ours)
    ]


def _is_small(duel: dict[str, Any]) -> bool:
    return bool(duel["connections"] == 64 and duel["key"] != "refusal")


def _serving_bars(duels: Sequence[dict[str, Any]], key: str) -> list[Bar]:
    samples: dict[str, list[float]] = {}
    for duel in duels:
        for place, title in enumerate(duel["sides"]):
            samples.setdefault(title, []).extend(pair[place][key] for pair in duel["bursts"])
    samples.pop("async-oauth1, Redis + PostgreSQL", None)  # ours, which has a bar of its own
    own = {duel["sides"][1] for duel in duels if duel["sides"][0] == "unprotected"}
    colours = {"unprotected": REFERENCE, **dict.fromkeys(own, OURS)}
    order = ["unprotected", *(title for title in samples if title in own), *samples]
    return [
        Bar(f"async-oauth1: {title}" if title in own else title, spread(samples[title]), colours.get(title, OTHERS))
        for title in dict.fromkeys(order)
        if title in samples
    ]
