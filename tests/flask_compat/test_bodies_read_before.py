"""A body that the application read and discarded before verification is refused, and not taken for an empty one."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import flask
import pytest
import quart

from flask_compat import ResourceProtector

from .client import FORM, HOST, Client, authorization
from .ported import Client as ClientModel
from .ported import Token

EMPTY = base64.b64encode(hashlib.sha1(b"").digest()).decode()


def make_app(framework: Any) -> Any:
    app = framework("reads first")
    app.config["OAUTH1_REQUIRE_HTTPS"] = False
    model, token = ClientModel("client", "secret"), Token("client", "t", "s", "7")
    protector = ResourceProtector(
        app, query_client=lambda _: model, query_token=lambda *_: token, exists_nonce=lambda *_: False
    )
    app.add_url_rule("/photos", "photos", protector(lambda: "photos"), methods=["POST"])
    return app


@pytest.mark.parametrize("kind", [FORM, "application/json"])
def test_a_discarded_body_is_refused_on_flask(kind: str) -> None:
    """Neither an empty form nor the hash of an empty body is accepted for it."""
    app = make_app(flask.Flask)

    @app.before_request
    def look() -> None:
        flask.request.stream.read()

    client = Client(app, token="t", token_secret="s")
    hashed = {} if kind == FORM else {"body_hash": EMPTY}
    parameters = client.sign("POST", "/photos", client.parameters(**hashed))
    headers = {"Authorization": authorization(parameters)}
    answer = app.test_client().post("/photos", base_url=HOST, data=b"to=mallory", headers=headers, content_type=kind)
    assert answer.status_code == 400, answer.text
    answer = app.test_client().post("/photos", base_url=HOST, data=b"", headers=headers, content_type=kind)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("kind", [FORM, "application/json"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_discarded_body_is_refused_on_quart(kind: str, *, chunked: bool) -> None:
    """This does not depend on a Content-Length."""
    app = make_app(quart.Quart)

    @app.before_request
    async def look() -> None:
        await quart.request.get_data(cache=False)

    client = Client(app, token="t", token_secret="s")
    hashed = {} if kind == FORM else {"body_hash": EMPTY}
    parameters = client.sign("POST", "/photos", client.parameters(**hashed))
    headers = {"Authorization": authorization(parameters), "Content-Type": kind, "Host": HOST.partition("//")[2]}
    headers |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "10"}
    connection = app.test_client().request("/photos", method="POST", headers=headers)
    async with connection as sending:
        await sending.send(b"to=mallory")
        await sending.send_complete()
    answer = await connection.as_response()
    assert answer.status_code in (400, 401), await answer.get_data()
