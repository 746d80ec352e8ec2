"""Flask under real WSGI servers: signatures are verified over the path as sent, if the server keeps it."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flask
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client as WSGIClient

from tests.servers import free_ports, wait_until_it_listens
from tests.servers.processes import PATIENCE

from .client import FORM, Client, authorization
from .ported import Token, Variant, make_provider

SERVERS = {
    "werkzeug": ["-m", "flask", "--app", "tests.flask_compat.wsgi_app", "run", "--port", "{port}"],
    "gunicorn": [
        "-m",
        "gunicorn",
        "-w",
        "1",
        "--threads",
        "2",
        "-b",
        "127.0.0.1:{port}",
        "tests.flask_compat.wsgi_app:app",
    ],
    "hypercorn": ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "wsgi:tests.flask_compat.wsgi_app:app"],
}
#: Servers that hand the path as it was sent to the application. Hypercorn's WSGI wrapper knows the decoded one alone.
KEEP_THE_PATH = {"werkzeug", "gunicorn"}


@contextmanager
def serving(name: str, repository: Path) -> Iterator[int]:
    port = free_ports(1)[0]
    arguments = [argument.format(port=port) for argument in SERVERS[name]]
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=repository, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_until_it_listens(process, port)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def ask(port: int, client: Client, method: str, path: str, form: str = "") -> int:
    """Send exactly this path, signed exactly so."""
    parameters = client.sign(method, path, client.parameters(), form)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", "localhost")
    connection.putheader("Authorization", authorization(parameters))
    if form:
        connection.putheader("Content-Type", FORM)
        connection.putheader("Content-Length", str(len(form)))
    connection.endheaders(form.encode() or None)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


@pytest.mark.parametrize("name", SERVERS)
def test_signatures_verify_under_each_wsgi_server(name: str, repository: Path) -> None:
    """Paths with escapes, unusual queries and repeated form fields, as far as the server keeps the original path."""
    client = Client(None, token="t", token_secret="s")
    with serving(name, repository) as port:
        assert ask(port, client, "GET", "/photos?a=%E4%BD%A0&b=%22x%22&c[]=1&d") == 200
        assert ask(port, client, "GET", "/echo/a%20b;c") == 200
        assert ask(port, client, "GET", "/echo/caf%C3%A9") == 200
        assert ask(port, client, "POST", "/echo/x", "a=1&a=2&b=%FE+%2B") == 200
        lossy = 200 if name in KEEP_THE_PATH else 401
        assert ask(port, client, "GET", "/echo/a%2Fb") == lossy
        assert ask(port, client, "GET", "/echo/%7Euser%61") == lossy
        assert ask(port, client, "GET", "/echo/a%40b%3dc") == lossy


def make_app() -> flask.Flask:
    ported = make_provider(Variant("flask", False, False))
    ported.database.tokens["t"] = Token("client", "t", "s", "7")
    app: flask.Flask = ported.app
    return app


def header(client: Client, path: str) -> dict[str, str]:
    return {"Authorization": authorization(client.sign("GET", path, client.parameters()))}


def test_signatures_verify_below_a_mount() -> None:
    """SCRIPT_NAME and PATH_INFO are joined."""
    client = Client(None, token="t", token_secret="s")
    outer = WSGIClient(DispatcherMiddleware(flask.Flask("outer"), {"/mounted": make_app()}))
    assert outer.get("/mounted/photos", headers=header(client, "/mounted/photos")).status_code == 200
    assert outer.get("/mounted/photos", headers=header(client, "/photos")).status_code == 401


def test_signatures_verify_behind_proxy_fix() -> None:
    """The signed URI has the prefix that the proxy removed."""
    client = Client(None, token="t", token_secret="s")
    proxied = WSGIClient(ProxyFix(make_app(), x_prefix=1))
    fields = {"X-Forwarded-Prefix": "/api", **header(client, "/api/photos")}
    assert proxied.get("/photos", headers=fields).status_code == 200


@pytest.mark.parametrize("reads", ["form", "values", "data", "nothing"])
def test_the_form_can_be_read_before_and_after_verification(reads: str) -> None:
    """A ``before_request`` function and the view can both read it."""
    app = make_app()

    @app.before_request
    def read() -> None:
        if reads != "nothing":
            assert getattr(flask.request, reads) is not None

    @app.post("/form")
    @make_provider_decorator(app)
    def form() -> dict[str, list[str]]:
        return flask.request.form.to_dict(flat=False)

    client = Client(None, token="t", token_secret="s")
    parameters = client.sign("POST", "/form", client.parameters(), "a=1&a=%C3%A9&b=")
    fields = {"Authorization": authorization(parameters), "Content-Type": FORM}
    answer = app.test_client().post("/form", data=b"a=1&a=%C3%A9&b=", headers=fields)
    assert answer.get_json() == {"a": ["1", "é"], "b": [""]}


def make_provider_decorator(app: flask.Flask) -> object:
    from flask_compat import ResourceProtector

    from .ported import Client as ClientModel

    return ResourceProtector(
        app, lambda _: ClientModel("client", "secret"), lambda *_: Token("client", "t", "s", "7"), lambda *_: False
    )
