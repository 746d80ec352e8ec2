"""What a person is told who starts the provider: in its output, with `make serve`, and in the README."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .jane import PRINTER, READY
from .running import ROOT, Photos, environment, photos

DEMO_DATA = ("jane", "wonderland", *PRINTER, READY, "python -m examples.printer")


def read_guide(running: Photos) -> str:
    """The lines after the announcement."""
    assert running.process.stdout is not None
    lines = [running.process.stdout.readline()]
    while "stop:" not in lines[-1]:
        assert lines[-1]
        lines.append(running.process.stdout.readline())
    return "".join(lines)


@pytest.mark.parametrize("arguments", [[], ["--workers", "2"]], ids=["one process", "two"])
def test_the_guide_follows_the_announcement(tmp_path: Path, arguments: list[str]) -> None:
    """It names the demo user, the demo client, the endpoints, and the commands for a first request."""
    with photos("--guide", *arguments, store=f"sqlite:///{tmp_path}/photos.db") as running:
        text, url = read_guide(running), running.url
    for needed in (*DEMO_DATA, f"POST {url}/initiate", f"{url}/authorize", f"POST {url}/token", f"{url}/photos"):
        assert needed in text
    assert f"--provider {url}" in text
    assert f"client add --store sqlite:///{tmp_path}/photos.db" in text


def test_secrets_that_are_not_public_are_not_printed() -> None:
    """Without the demo data, the guide says that there are none; the endpoints are those that clients use."""
    with photos("--guide", "--external-base-url", "https://photos.example/api/", store="memory://") as running:
        text = read_guide(running)
    assert "POST https://photos.example/api/initiate" in text
    assert not any(secret in text for secret in ("wonderland", *PRINTER))
    assert "--demo-data" in text


def test_make_serve_takes_a_port_and_prints_the_guide() -> None:
    """The default port is the one in the README."""
    for arguments, port in (((), "8000"), (("PORT=8123",), "8123")):
        planned = subprocess.run(
            ["make", "--no-print-directory", "-n", "serve", *arguments],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"-m examples.photos --guide --port {port}\n" in planned.stdout


def test_the_readme_has_what_a_client_needs(repository: Path) -> None:
    """Name, password, client key and secret, callback, endpoints and the printer are in the README."""
    readme = (repository / "README.md").read_text(encoding="utf-8")
    for needed in (*DEMO_DATA, "/initiate", "/authorize", "/token", "/photos", "make serve PORT="):
        assert needed in readme
