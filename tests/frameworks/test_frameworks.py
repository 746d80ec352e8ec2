"""One list of scenarios holds for every framework, under every server, over each of its protocols."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.asgi_servers import serving
from tests.frameworks.registry import DEPLOYMENTS, EXCEPTIONS, FRAMEWORKS, Deployment
from tests.frameworks.scenarios import SCENARIOS
from tests.frameworks.site import Site

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"


@contextmanager
def reporting(failures: list[str], name: str) -> Iterator[None]:
    """Collect what fails."""
    try:
        yield
    except Exception:  # noqa: BLE001 - collected, so that one failure does not hide the others
        failures.append(f"{name}: {traceback.format_exc()}")


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=str)
async def test_every_scenario(deployment: Deployment) -> None:
    """All of them in one process of the server, except for those that the documentation lists."""
    failures: list[str] = []
    with serving(deployment.command()) as port:
        for name, scenario in SCENARIOS.items():
            if (deployment.framework, name) in EXCEPTIONS:
                continue
            for protocol in deployment.protocols:
                with reporting(failures, f"{name} over {protocol}"):
                    await scenario(Site(port, protocol))
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize(("framework", "name"), EXCEPTIONS, ids=" ".join)
def test_exceptions_are_documented(framework: str, name: str) -> None:
    """The page names each scenario that does not hold, with its reason."""
    assert framework in FRAMEWORKS
    assert name in SCENARIOS
    assert f"| {framework} | {name} | {EXCEPTIONS[framework, name]} |" in PAGE.read_text(encoding="utf-8")
