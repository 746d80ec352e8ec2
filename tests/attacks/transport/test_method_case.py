"""Methods in lower case: the application sees the method that was signed, whichever server is in front."""

from __future__ import annotations

import json
import socket

import flask
import pytest

from async_oauth1.asgi import request_from_scope
from async_oauth1.policy import Policy
from flask_compat.frameworks import flask as _flask
from tests.attacks.asgi_servers import PATIENCE, read_all
from tests.attacks.provider import JANE, make_provider
from tests.attacks.seven_frameworks import FRAMEWORKS
from tests.attacks.signer import sign
from tests.attacks.sockets import RawAnswer, request_octets


@pytest.mark.parametrize("framework", [*FRAMEWORKS, "decorated"])
@pytest.mark.parametrize("method", ["get", "pOST"])
def test_the_application_sees_the_method_that_was_signed(port: int, framework: str, method: str) -> None:
    """In upper case, or the server refuses the request line."""
    signed = {"origin": f"http://127.0.0.1:{port}", "signed_method": method.upper(), "content_type": None}
    message = sign(JANE, method, f"/{framework}/echo", **signed)  # type: ignore[arg-type]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request_octets(message, b"Content-Length: 0"))
        answer = RawAnswer(read_all(connection))
    if answer.status != 400:
        assert answer.status in (200, 201), answer
        body = answer.octets[answer.octets.index(b"{") : answer.octets.rindex(b"}") + 1]
        assert json.loads(body)["method"] == method.upper()


async def test_another_methods_signature_does_not_verify() -> None:
    """Upper case is all that changes."""
    provider = await make_provider()
    assert (await provider.get(method="post", signed_method="GET")).status == 401
    answer = await provider.get(method="post", signed_method="POST")
    assert (answer.status, answer.json["method"]) == (200, "POST")


async def test_hooks_on_flask_see_what_flask_shows() -> None:
    """WSGI servers hand the method on as it was sent, and Flask shows it in upper case."""
    app = flask.Flask("application")
    environ = {"REQUEST_METHOD": "get", "HTTP_HOST": "localhost"}
    with app.test_request_context("/photos", environ_overrides=environ):
        assert flask.request.environ["REQUEST_METHOD"] == "get"
        request = await _flask.read(None, Policy())
        assert request.method == flask.request.method == "GET"


def test_a_method_in_upper_case_stays_as_it_is() -> None:
    """Extension methods included."""
    scope = {"type": "http", "method": "M-SEARCH", "path": "/", "query_string": b"", "headers": [(b"host", b"a")]}
    assert request_from_scope(scope, Policy()).method == "M-SEARCH"
