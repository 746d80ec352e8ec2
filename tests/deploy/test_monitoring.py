"""The dashboard and the alert rules are valid PromQL, and name only metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from async_oauth1.telemetry import INSTRUMENTS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]

#: What each metric is called in a scrape, with its labels.
KNOWN = {
    f"{instrument.prometheus_name}{suffix}": {label.replace(".", "_") for label in instrument.labels}
    for instrument in INSTRUMENTS
    for suffix in (("_bucket", "_sum", "_count") if instrument.kind == "histogram" else ("",))
}
#: Labels that Prometheus adds, and the one that is there by option.
ADDED = {"instance", "job", "le", "oauth1_client_id"}

EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | {
    f"{panel['title']}, {target['refId']}": target["expr"].replace("$__rate_interval", "5m")
    for panel in PANELS
    for target in panel["targets"]
}


def nodes(node: Any) -> Iterator[Any]:
    """A parsed expression and all that it consists of."""
    yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        inner = getattr(node, name, None)
        if inner is not None and not isinstance(inner, str):
            yield from nodes(inner)
    for argument in getattr(node, "args", None) or ():
        yield from nodes(argument)


def selectors(expression: str) -> list[Any]:
    """The metrics that an expression selects."""
    return [node for node in nodes(promql_parser.parse(expression)) if isinstance(node, promql_parser.VectorSelector)]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions(name: str) -> None:
    """Each is valid, and selects metrics that exist by labels that they have."""
    found = selectors(EXPRESSIONS[name])
    assert found
    labels: set[str] = set()
    for selector in found:
        assert selector.name in KNOWN
        labels |= KNOWN[selector.name]
        for matcher in selector.matchers.matchers:
            assert matcher.name in KNOWN[selector.name]
    grouped = re.findall(r"\bby \(([^)]*)\)", EXPRESSIONS[name])
    assert {label.strip() for group in grouped for label in group.split(",")} <= labels | ADDED


def test_every_metric_is_shown() -> None:
    """The dashboard has a panel for each instrument."""
    shown = {selector.name for name, text in EXPRESSIONS.items() if ", " in name for selector in selectors(text)}
    for instrument in INSTRUMENTS:
        assert any(name.startswith(instrument.prometheus_name) for name in shown), instrument.name


def test_the_five_rules() -> None:
    """There is a rule for each thing that goes wrong, and each says what to do and for how long it must last."""
    assert {rule["alert"] for rule in RULES} == {
        "OAuth1SignatureFailuresRise",
        "OAuth1ClockSkew",
        "OAuth1StoreSlow",
        "OAuth1ReplayAttempts",
        "OAuth1PoolExhausted",
    }
    page = (ROOT / "docs" / "monitoring.md").read_text()
    for rule in RULES:
        assert rule["for"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert f"`{rule['alert']}`" in page
        variables = set(re.findall(r"\$labels\.([a-z0-9_]+)", str(rule["annotations"])))
        assert variables <= set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"by \(([^)]*)\)", rule["expr"]))))


def test_the_reasons_exist() -> None:
    """The codes that rules and panels compare with are those of the page about refusals."""
    page = (ROOT / "docs" / "refused.md").read_text()
    codes = re.findall(r'error_type=~?"([^"]+)"', " ".join(EXPRESSIONS.values()))
    assert codes
    for code in "|".join(codes).split("|"):
        assert f"`{code}`" in page


def test_the_dashboard() -> None:
    """Panels have their own identifiers and places, and a data source that is chosen at import."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS}
    assert len(places) == len(PANELS)
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]
