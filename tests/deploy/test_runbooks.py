"""Each alert links its runbook in `docs/operating.md`, and what the page names exists."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.cli.command import run_in_process
from tests.examples.running import ROOT

RULES = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yml").read_text())["groups"][0]["rules"]
PAGE = (ROOT / "docs/operating.md").read_text()
#: Commands of the page: what follows the program's name, up to the first option or argument.
COMMANDS = sorted(set(re.findall(r"async-oauth1 ([a-z]+(?: (?:add|rotate))?)\b", PAGE)))


def section(heading: str) -> str:
    """The text below a heading."""
    return re.split(r"^##", PAGE.partition(f"### {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_links_its_runbook(rule: dict[str, dict[str, str]]) -> None:
    """The link is the section named as the alert, which has steps and says what was or was not harmed."""
    alert = str(rule["alert"])
    assert rule["annotations"]["runbook_url"] == f"docs/operating.md#{alert.lower()}"
    text = section(alert)
    assert "\n1. " in text
    assert "\n2. " in text
    compared = re.findall(r'error_type="(\w+)"', str(rule["expr"]))
    assert all(code in text for code in compared)


def test_files_exist() -> None:
    """Each file of the repository that the page or deploy/README.md names is there."""
    text = PAGE + (ROOT / "deploy/README.md").read_text()
    named = set(re.findall(r"(?<![\w/])((?:deploy|docs|tests|examples)/[\w./-]+\w)", text))
    assert len(named) > 10
    created = {"deploy/container/.env", "deploy/container/tls"}
    assert [name for name in sorted(named - created) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_exist(command: str) -> None:
    """Each command of the page has help."""
    shown = run_in_process(*command.split(), "--help")
    assert (shown.returncode, shown.stderr) == (0, "")


def test_variables_exist() -> None:
    """Each variable that the page sets is one that the provider or its command reads."""
    read = "".join(
        path.read_text() for folder in ("examples/photos", "async_oauth1") for path in (ROOT / folder).rglob("*.py")
    )
    named = set(re.findall(r"\b((?:PHOTOS|ASYNC_OAUTH1)_[A-Z_]+)\b", PAGE))
    assert named
    assert [name for name in named if name not in read] == []
