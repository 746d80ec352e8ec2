"""A body that arrives after the timestamp window is refused, because its nonce may have been removed by then."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from flask_compat import ResourceProtector
from tests.servers import free_ports, wait_until, wait_until_it_listens
from tests.servers.processes import PATIENCE

from .client import Client, authorization
from .ported import SAMPLED_VARIANTS, Variant, make_provider

BODY = b'{"amount": 1}'
BODY_HASH = base64.b64encode(hashlib.sha1(BODY).digest()).decode()
WINDOW = 300


class Ahead:
    """A clock that a hook moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.seconds


@pytest.mark.parametrize(("ahead", "status"), [(0, 200), (WINDOW + 60, 400)])
def test_a_body_after_the_window_is_refused_under_gunicorn(
    repository: Path, tmp_path: Path, ahead: int, status: int
) -> None:
    """A body that arrives in time is accepted."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    [port] = free_ports(1)
    command = [
        "-m",
        "gunicorn",
        "--threads",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "tests.flask_compat.movable_clock_app:app",
    ]
    environment = {**os.environ, "PYTHONPATH": str(repository), "OAUTH1_CLOCK": str(clock)}
    with subprocess.Popen([sys.executable, *command], cwd=repository, env=environment) as server:
        try:
            wait_until_it_listens(server, port)
            client = Client(None, token="t", token_secret="s")
            parameters = client.sign("POST", "/photos", client.parameters(body_hash=BODY_HASH))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.putrequest("POST", "/photos", skip_host=True)
            connection.putheader("Host", "localhost")
            connection.putheader("Authorization", authorization(parameters))
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(BODY)))
            connection.endheaders(BODY[:1])
            wait_until(clock.with_suffix(".asked").exists, "the server asks for the time")
            moved = tmp_path / "moved"
            moved.write_text(str(ahead))
            moved.replace(clock)  # at once: the server never reads an empty file
            connection.send(BODY[1:])
            response = connection.getresponse()
            assert (response.status, b"oauth_timestamp" in response.read()) == (status, status == 400)
            connection.close()
        finally:
            server.terminate()


@pytest.mark.parametrize("variant", SAMPLED_VARIANTS, ids=str)
@pytest.mark.parametrize("name", ["query_client", "query_token", "exists_nonce"])
async def test_a_hook_that_outlasts_the_window_refuses_a_protected_request(variant: Variant, name: str) -> None:
    """This holds on Flask and Quart, for plain and async hooks."""
    ported = make_provider(variant)
    client = Client(ported.app)
    await client.dance()
    clock = ported.require_oauth._flows.clock = Ahead()
    move_at(ported, name, clock)
    answer = await client.send("GET", "/photos")
    assert (answer.status, answer.json["error_description"]) == (400, 'Invalid "oauth_timestamp" value')
    move_at(ported, "", clock)
    assert (await client.send("GET", "/photos")).status == 200


@pytest.mark.parametrize("variant", SAMPLED_VARIANTS, ids=str)
@pytest.mark.parametrize("name", ["query_client", "get_temporary_credential", "exists_nonce"])
async def test_a_hook_that_outlasts_the_window_changes_nothing_at_the_endpoints(variant: Variant, name: str) -> None:
    """Nothing is created or deleted."""
    ported = make_provider(variant)
    client = Client(ported.app)
    clock = ported.server._flows.clock = Ahead()
    initiated = await client.send("POST", "/initiate", callback="https://client.test/ready")
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    verifier = (await client.approve()).location["oauth_verifier"]
    move_at(ported, name, clock)
    if name != "get_temporary_credential":
        answer = await Client(ported.app).send("POST", "/initiate", callback="https://client.test/ready")
        assert answer.form["error_description"] == 'Invalid "oauth_timestamp" value'
        clock.seconds = 0
    answer = await client.send("POST", "/token", verifier=verifier)
    assert answer.form["error_description"] == 'Invalid "oauth_timestamp" value'
    assert list(ported.database.temporary) == [client.token]
    assert not ported.database.tokens


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_an_override_that_calls_super_still_checks_the_window_again(framework: str) -> None:
    """This concerns overrides of ``validate_timestamp_and_nonce``."""

    class Protector(ResourceProtector):
        def validate_timestamp_and_nonce(self, request: Any) -> Any:
            return super().validate_timestamp_and_nonce(request)

    ported = make_provider(Variant(framework, False, False), protector_class=Protector)
    client = Client(ported.app)
    await client.dance()
    move_at(ported, "exists_nonce", Ahead())
    assert (await client.send("GET", "/photos")).status == 200
    ported.require_oauth._flows.clock = clock = Ahead()
    move_at(ported, "exists_nonce", clock)
    assert (await client.send("GET", "/photos")).status == 400


def move_at(ported: Any, name: str, clock: Ahead) -> None:
    """Advance the clock while one hook is called."""

    def called(hook: str) -> None:
        if hook == name:
            clock.seconds = WINDOW + 60

    clock.seconds = 0
    ported.database._called = called
