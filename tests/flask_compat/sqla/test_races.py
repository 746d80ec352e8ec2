"""Many copies of one request, many approvals and many exchanges at once: one is accepted, and none is a 5xx."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.flask_compat.client import Answer, Client
from tests.stress import STRESS

from . import photo_app
from .conftest import MakeApp

COPIES = 12
ROUNDS = 50 if STRESS else 1
MODELS = [photo_app.Nonce, photo_app.TextNonce, photo_app.MigratedNonce]


def at_once(send: Any, count: int = COPIES) -> list[Answer]:
    """Send from as many threads."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(lambda number: asyncio.run(send(number)), range(count)))


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


@pytest.mark.stress
@pytest.mark.parametrize("model", MODELS)
def test_one_of_many_copies_of_a_request_is_accepted(make_app: MakeApp, model: type[Any]) -> None:
    """With a token and without; over the old table, one without a constraint, and a migrated one."""
    app = make_app(nonce_model=model)
    protected, plain = Client(app, token="t", token_secret="s"), Client(app)
    for _ in range(ROUNDS):
        signed = protected.sign("GET", "/photos", protected.parameters())
        assert statuses(at_once(lambda _, s=signed: protected.send("GET", "/photos", signed=s))) == {200: 1, 401: 11}
        signed = plain.sign("POST", "/initiate", plain.parameters(callback="https://client.test/ready"))
        assert statuses(at_once(lambda _, s=signed: plain.send("POST", "/initiate", signed=s))) == {200: 1, 401: 11}


@pytest.mark.stress
def test_one_of_two_users_approves_and_one_exchange_gets_the_token(make_app: MakeApp) -> None:
    """The others are refused; the token is the one user's."""
    app = make_app()
    session = app.extensions["session"]
    for number in range(ROUNDS):
        client = Client(app)
        initiated = asyncio.run(client.send("POST", "/initiate", callback="https://client.test/ready"))
        client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]
        with app.app_context():
            assert session.scalar(select(func.count()).select_from(photo_app.TemporaryCredential)) == 1
        with ThreadPoolExecutor(4) as threads:
            verifiers = list(threads.map(lambda i, c=client: _approve(c, str(i % 2 + 1)), range(4)))
        [verifier] = set(filter(None, verifiers))
        answers = at_once(lambda _, v=verifier, c=client: c.send("POST", "/token", verifier=v), 6)
        assert statuses(answers)[200] == 1
        assert not [answer.body for answer in answers if answer.status >= 500]
        with app.app_context():
            assert session.scalar(select(func.count()).select_from(photo_app.TokenCredential)) == number + 2


def _approve(client: Client, user: str) -> str | None:
    """The verifier, if this user's approval counts."""
    answer = asyncio.run(client.approve(user=user))
    assert answer.status in (302, 409), answer.body
    return answer.location["oauth_verifier"] if answer.status == 302 else None
