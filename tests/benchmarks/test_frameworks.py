"""The benchmark of frameworks: its applications verify alike, and its table compares what verification adds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from benchmarks import frameworks
from benchmarks.load.signing import QUERY_STRING, Signer
from benchmarks.providers import on_frameworks
from benchmarks.reporting.frameworks import COLUMNS, added_over_ours, row, twin_over_protected
from tests.attacks.signer import Message
from tests.attacks.wire import call

HOST = "127.0.0.1:8000"
LOOPBACK: Any = {"scheme": "http", "client": ("127.0.0.1", 1)}
PATHS = ["/photos", "/authlib", "/oauthlib"]


def signed(path: str, secret: str) -> Message:
    """A request as the benchmark sends it."""
    (header,) = Signer(HOST, path, secret=secret).headers(1)
    headers = ((b"host", HOST.encode()), (b"authorization", header.encode()))
    return Message(method="GET", target=f"{path}?{QUERY_STRING}".encode(), headers=headers)


@pytest.mark.parametrize("name", on_frameworks.APPLICATIONS)
async def test_every_route_verifies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each verifier accepts a request once, and refuses it the second time and with a wrong signature."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    app: Any = getattr(on_frameworks, on_frameworks.APPLICATIONS[name])()
    for path in PATHS + ["/secured"] * (name == "FastAPI"):
        message = signed(path, on_frameworks.CLIENT_SECRET)
        statuses = [(await call(app, each, **LOOPBACK)).status for each in (message, message)]
        assert statuses == [200, 401]
        assert (await call(app, signed(path, "wrong"), **LOOPBACK)).status == 401
    unsigned = Message(method="GET", target=b"/albums", headers=((b"host", HOST.encode()),))
    assert (await call(app, unsigned, **LOOPBACK)).status == 200


def test_what_is_added_is_compared_round_by_round() -> None:
    """The ratio is what a library adds over what we add, which noise cannot make negative."""
    cpu = {"/albums": [100.0, 100.0], "/photos": [110.0, 99.0], "/authlib": [200.0, 200.0]}
    assert added_over_ours(cpu, "/authlib") == [10.0, 1000.0]
    assert twin_over_protected(cpu) == pytest.approx([100 / 110, 100 / 99])


def test_a_row_has_a_cell_for_each_column() -> None:
    """What was not measured is empty."""
    cpu = {"/albums": [100.0], "/photos": [110.0]}
    cells = row({"server": "uvicorn", "application": "Starlette", "reader": "python", "cpu": cpu})
    assert [str(cell) for cell in cells] == [
        "uvicorn",
        "Starlette",
        "python",
        "100",
        "110",
        "None",
        "0.91",
        "None",
        "None",
    ]
    assert len(cells) == len(COLUMNS)


def test_lines_with_a_goal_have_enough_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each application runs under each server with each reader, natively 11 times; the peers are measured once."""
    monkeypatch.setattr(frameworks, "readers", lambda: ("native", "python"))
    lines = list(frameworks.lines())
    assert {(line.server, line.application, line.reader) for line in lines} == set(
        itertools.product(frameworks.SERVERS, on_frameworks.APPLICATIONS, ("native", "python"))
    )
    for line in lines:
        assert (line.reader == "native") is (line.rounds >= 11) is ("/authlib" in line.paths)
        assert ("/secured" in line.paths) is (line.application == "FastAPI")
