"""The examples in docs/monitoring.md work as they are written."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from async_oauth1.logs import JSONFormatter
from tests.protocol.wire import NOW
from tests.provider.provider import Provider

PAGE = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FORMATTERS = {name: next(block for block in BLOCKS if name in block) for name in ("JSONFormatter", "structlog")}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The loggers are as before afterwards."""
    log = logging.getLogger("async_oauth1")
    decisions = logging.getLogger("async_oauth1.decisions")
    before = [*log.handlers], log.level, decisions.level
    yield
    log.handlers, level, level_of_decisions = before
    log.setLevel(level)
    decisions.setLevel(level_of_decisions)


@pytest.mark.parametrize("name", FORMATTERS)
def test_a_line_is_json(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each record is one line of JSON with the documented fields."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    exec(FORMATTERS[name], {})
    provider = Provider()
    wire = provider.client.wire(oauth_timestamp=str(NOW - 301))
    provider.refusal(wire.changed(headers=(*wire.headers, (b"x-request-id", b"7f3a"))))
    (line,) = written.getvalue().splitlines()
    found = json.loads(line)
    documented = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", PAGE, re.MULTILINE))
    assert found["event.name"] == "oauth1.request.refused"
    assert found["error.type"] == "timestamp_refused"
    assert found["oauth1.request_id"] == "7f3a"
    assert {field for field in found if "." in field} <= documented
    assert found["level"].lower() == "info"
    assert found["logger"] == "async_oauth1"
    assert found.get("message", found.get("event")).startswith("Refused <OAuth1Request GET https://photos.example.net")


def test_an_exception_is_in_the_line() -> None:
    """Tracebacks, other types and fields named as what every line has stay one line of JSON."""
    error = ValueError("a\nb")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "%s", ("m\n",), (ValueError, error, None))
    vars(record).update({"level": "forged", "path": Path("p"), "message": "forged"})
    line = JSONFormatter().format(record)
    assert "\n" not in line
    found = json.loads(line)
    assert found["message"] == "m\n"
    assert found["level"] == "ERROR"
    assert found["path"] == "p"
    assert "ValueError: a\nb" in found["exception"]
