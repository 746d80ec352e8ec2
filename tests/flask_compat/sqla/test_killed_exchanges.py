"""An exchange is one transaction: a process that dies in the middle has neither spent nor given anything."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from typing import Any

import pytest
from sqlalchemy import event

from flask_compat import AuthorizationServer
from tests.flask_compat.client import Client

from . import photo_app
from .conftest import MakeApp


def exchange_and_die(url: str, token: str, token_secret: str, verifier: str) -> None:
    """Run in another process: kill it between the DELETE and the INSERT."""
    app = photo_app.make_app(url)

    @event.listens_for(app.extensions["engine"], "before_cursor_execute")
    def die(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO token_credential"):
            os.kill(os.getpid(), signal.SIGKILL)

    client = Client(app, token=token, token_secret=token_secret)
    asyncio.run(client.send("POST", "/token", verifier=verifier))


def approved(app: Any) -> tuple[Client, str]:
    client = Client(app)
    initiated = asyncio.run(client.send("POST", "/initiate", callback="https://client.test/ready"))
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
    return client, asyncio.run(client.approve()).location["oauth_verifier"]


def test_a_kill_between_delete_and_create_leaves_the_temporary_credential(url: str, make_app: MakeApp) -> None:
    """The same exchange succeeds in another process afterwards, once."""
    client, verifier = approved(make_app())
    killed = multiprocessing.get_context("spawn").Process(
        target=exchange_and_die, args=(url, client.token, client.token_secret, verifier)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    assert [asyncio.run(client.send("POST", "/token", verifier=verifier)).status for _ in range(2)] == [200, 401]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["delete_temporary_credential", "create_token_credential"])
def test_a_hook_of_the_applications_own_is_still_called(make_app: MakeApp, name: str) -> None:
    """One that was registered in place of ours takes part in the exchange."""
    app = make_app()
    server: AuthorizationServer = app.extensions["server"]
    ours: Any = server.find_hook(name)
    called: list[str] = []

    def delete(oauth_token: str) -> Any:
        called.append(name)
        return ours(oauth_token)

    def create(token: Any, temporary_credential: Any) -> Any:
        called.append(name)
        return ours(token, temporary_credential)

    server.register_hook(name, delete if name.startswith("delete") else create)
    asyncio.run(Client(app).dance())
    assert called == [name]
