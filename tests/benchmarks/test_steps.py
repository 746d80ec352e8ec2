"""The benchmark of the steps of a verification."""

from __future__ import annotations

import pytest

from benchmarks import steps
from benchmarks.load.signing import Signer
from benchmarks.providers.ours import fill


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH", 4)
    monkeypatch.setattr(steps, "ROUNDS", 3)


async def test_every_step_has_a_row() -> None:
    """There are also rows for all steps together and for the unprotected request."""
    rows = await steps.measure()
    assert [row[0] for row in rows] == [*steps.STEPS, "all of them", "the unprotected request"]


async def test_a_request_that_is_refused_is_not_measured() -> None:
    """A refused request skips steps, so the benchmark stops."""
    bench = steps.Bench()
    await fill(bench.store, 16)
    await bench.in_a_request(len(steps.STEPS))
    bench.signer = Signer(steps.HOST, "/photos", secret="wrong" * 4)
    with pytest.raises(AssertionError, match="answered with 401"):
        await bench.in_a_request(len(steps.STEPS))
