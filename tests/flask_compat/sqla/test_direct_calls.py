"""Views that create a temporary credential themselves, for a client that does not sign."""

from __future__ import annotations

import asyncio
from typing import Any

import flask
import pytest

from tests.flask_compat.client import Client

from .conftest import MakeApp


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_flasks_request_with_a_client_and_a_callback_is_enough(make_app: MakeApp) -> None:
    """As with Authlib, `create_temporary_credential` takes any object with both; the dance goes on from there."""
    app = make_app()

    @app.post("/unsigned")
    def unsigned() -> Any:
        request: Any = flask.request
        request.client_id, request.redirect_uri = "client", "https://client.test/ready"
        made = app.extensions["server"].create_temporary_credential(request)
        return {"token": made.get_oauth_token(), "secret": made.get_oauth_token_secret()}

    made = app.test_client().post("/unsigned").json
    assert made is not None
    client = Client(app, token=made["token"], token_secret=made["secret"])
    verifier = asyncio.run(client.approve()).location["oauth_verifier"]
    assert asyncio.run(client.send("POST", "/token", verifier=verifier)).status == 200
