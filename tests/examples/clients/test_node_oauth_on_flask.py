"""node-oauth with the version its README shows goes through the dance of a provider on ``flask_compat``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.attacks.compat_apps import make_compat_app

from .programs import install_npm_packages, read_line, started


@pytest.fixture
def origin() -> Iterator[str]:
    """A provider whose credentials are always the same, on a port of its own."""
    app: Any = make_compat_app("flask")
    view = app.view_functions["form"]
    app.add_url_rule("/photos", "photos", view)
    app.add_url_rule("/echo/a%2Fb", "echo", view, methods=["POST"])
    app.add_url_rule("/echo/a/b", "echo2", view, methods=["POST"])
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("library", ["oauth 1.0A", "oauth"])
def test_the_version_of_its_readme(origin: str, library: str, pytestconfig: pytest.Config) -> None:
    """``1.0A`` is as good as ``1.0``."""
    folder = install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))
    command = ["node", "dance.js", library, origin, "client", "secret", "https://client.example/ready"]
    with started(command, folder) as process:
        assert read_line(process) == {"oauth_token": "tok"}
        assert process.stdin is not None
        process.stdin.write("verifier\n")
        process.stdin.flush()
        answers = read_line(process)
    assert answers["photo"] == {"form": []}
    assert dict(answers["echo"]["form"]) == {"a": "1", "b": "x y+z", "c": "ä&=", "d": "!*'()"}
