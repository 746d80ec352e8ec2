"""The benchmark of frameworks: its applications verify alike, and its table compares what verification adds."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import frameworks
from benchmarks.load.signing import QUERY_STRING, Signer
from benchmarks.providers import on_frameworks
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


def test_a_row_compares_what_is_added() -> None:
    """The ratio for a library is what it adds over what we add, not the whole request."""
    cpu = {"/albums": 100.0, "/photos": 110.0, "/authlib": 200.0, "/oauthlib": 300.0}
    assert frameworks.row("uvicorn", "Starlette", cpu)[2:] == [100.0, 110.0, pytest.approx(100 / 110), None, 10.0, 20.0]
