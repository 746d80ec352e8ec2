"""The facade's refusals reach the same log as the core's: one line each, on Flask and on Quart."""

from __future__ import annotations

import logging

import flask
import pytest
import quart

from flask_compat import AuthorizationServer, ResourceProtector


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("Refused")]


def test_on_flask(caplog: pytest.LogCaptureFixture) -> None:
    """A protected view and a token endpoint write one line each, with the peer."""
    caplog.set_level(logging.INFO, "async_oauth1")
    app = flask.Flask(__name__)
    server, protect = AuthorizationServer(app, lambda _: None), ResourceProtector(app, lambda _: None)
    app.add_url_rule("/view", view_func=protect()(lambda: "seen"), endpoint="view")
    app.add_url_rule("/initiate", view_func=server.create_temporary_credentials_response, methods=["POST"])
    client = app.test_client()
    assert client.get("/view").status_code == 400
    assert client.post("/initiate").status_code == 400
    assert len(_lines(caplog)) == 2
    assert all("from '127.0.0.1': missing_required_parameter (400)" in line for line in _lines(caplog))


async def test_on_quart(caplog: pytest.LogCaptureFixture) -> None:
    """Likewise on Quart."""
    caplog.set_level(logging.INFO, "async_oauth1")
    app = quart.Quart(__name__)
    protect = ResourceProtector(app, lambda _: None)

    async def view() -> str:
        return "seen"

    app.add_url_rule("/view", view_func=protect()(view))
    assert (await app.test_client().get("/view")).status_code == 400
    (line,) = _lines(caplog)
    assert "missing_required_parameter (400)" in line
