"""Two processes on one database: of copies of a request, approvals and exchanges at once, one counts; none is a 5xx."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.flask_compat.client import Client
from tests.servers import unmeasured_environment
from tests.stress import STRESS

from . import photo_app
from .conftest import MakeApp

ROUNDS = 50 if STRESS else 2
COPIES = 6  # in each of two processes

# Begins a round with each line that it reads: the action, and what to send.
WORKER = """
import asyncio, json, sys
from concurrent.futures import ThreadPoolExecutor
from tests.flask_compat.client import Client
from tests.flask_compat.sqla import photo_app

app = photo_app.make_app(sys.argv[1], **({} if sys.argv[1].startswith("sqlite") else {"pool_size": 16}))
number, copies = int(sys.argv[2]), int(sys.argv[3])

def send(order, copy):
    client = Client(app, token=order["token"], token_secret=order["token_secret"])
    if order["path"] == "/authorize":
        answer = asyncio.run(client.approve(user=str(number + 1)))
        return answer.status, answer.location.get("oauth_verifier") if answer.status == 302 else None
    if order["path"] == "/token":  # signed anew, so that the nonce refuses none of them
        answer = asyncio.run(client.send("POST", "/token", verifier=order["signed"]))
        return answer.status, answer.form.get("oauth_token")
    return asyncio.run(client.send(order["method"], order["path"], signed=order["signed"])).status, None

print("ready", flush=True)
with ThreadPoolExecutor(copies) as threads:
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(list(threads.map(lambda copy: send(order, copy), range(copies)))), flush=True)
"""


class Workers:
    """Two processes with the application, and what they answer."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self.processes = processes
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"

    def send(self, client: Client, method: str, path: str, signed: Any = None) -> list[Any]:
        """Status and token, or verifier, of each answer. ``signed`` are parameters, or the verifier of an exchange."""
        order = {"method": method, "path": path, "signed": signed}
        order |= {"token": client.token, "token_secret": client.token_secret}
        for process in self.processes:
            assert process.stdin
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        return [tuple(answer) for process in self.processes for answer in json.loads(process.stdout.readline())]  # type: ignore[union-attr]


@contextmanager
def workers(url: str, repository: Path) -> Iterator[Workers]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, url, str(number), str(COPIES)],
            cwd=repository,
            env=unmeasured_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    try:
        yield Workers(processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def initiated(app: Any) -> Client:
    client = Client(app)
    answer = asyncio.run(client.send("POST", "/initiate", callback="https://client.test/ready"))
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    return client


def copies_in(team: Workers, client: Client, method: str, path: str, **oauth: str) -> list[Any]:
    return team.send(client, method, path, client.sign(method, path, client.parameters(**oauth)))


@pytest.mark.stress
def test_copies_approvals_and_exchanges_in_two_processes(url: str, make_app: MakeApp, repository: Path) -> None:
    """In each round: copies of a request with a token and of one without, two users' approvals, and exchanges."""
    app = make_app()
    refused = 2 * COPIES - 1
    plain, protected = Client(app), Client(app, token="t", token_secret="s")
    with workers(url, repository) as team:
        for number in range(ROUNDS):
            answers = copies_in(team, protected, "GET", "/photos")
            assert sorted(status for status, _ in answers) == [200] + [401] * refused
            answers = copies_in(team, plain, "POST", "/initiate", callback="https://client.test/ready")
            assert sorted(status for status, _ in answers) == [200] + [401] * refused
            client = initiated(app)
            approvals = team.send(client, "POST", "/authorize")
            assert {status for status, _ in approvals} <= {302, 409}
            [verifier] = {verifier for _, verifier in approvals if verifier}
            tokens = exchanges(team, client, verifier)
            assert len(tokens) == 1
            assert stored(app, photo_app.TokenCredential) == number + 2


def exchanges(team: Workers, client: Client, verifier: str) -> set[str]:
    """The tokens that were given."""
    answers = team.send(client, "POST", "/token", verifier)
    assert {status for status, _ in answers} <= {200, 401}
    return {token for status, token in answers if status == 200}


def stored(app: Any, model: Any) -> int:
    with app.extensions["engine"].connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(model)) or 0)
