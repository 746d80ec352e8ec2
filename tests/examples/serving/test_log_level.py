"""The option for the level of the log on standard error."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.examples.jane import Printer
from tests.examples.running import photos, run

ONE_LINE = re.compile(r"[0-9-]{10} [0-9:,]{12} (DEBUG|INFO|WARNING|ERROR) [a-z_0-9.]+: .+")


@pytest.mark.parametrize(
    ("level", "has_refusal", "has_base_string"),
    [("debug", True, True), ("info", True, False), ("warning", False, False), ("error", False, False)],
)
def test_what_each_level_shows(level: str, *, has_refusal: bool, has_base_string: bool) -> None:
    """Refusals at INFO, base strings at DEBUG; each line has its time and level, and none has a secret."""
    with photos("--log-level", level) as running:
        assert httpx2.get(f"{running.url}/photos").status_code == 401
        assert Printer(running.url, client_secret="wrong").send("GET", "/signed?size=large").status_code == 401
        running.process.terminate()
        running.process.wait()
        running.errors.seek(0)
        written = running.errors.read()
        running.errors.seek(0)
    assert all(ONE_LINE.fullmatch(line) for line in written.splitlines())
    assert ("Refused <OAuth1Request GET" in written) is has_refusal
    assert ("base string" in written) is has_base_string
    assert ("size%3Dlarge" in written) is has_base_string
    assert ("stopping" in written) is has_refusal
    assert "wrong" not in written.replace("The signature has the wrong", "")


def test_a_level_that_does_not_exist() -> None:
    """It is refused with the levels that do."""
    refused = run("examples.photos", "--log-level", "loud", "--store", "memory://")
    assert refused.returncode == 2
    assert "'loud'" in refused.stderr
    for level in ("debug", "info", "warning", "error"):
        assert level in refused.stderr
