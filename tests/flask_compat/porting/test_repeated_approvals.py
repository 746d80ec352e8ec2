"""Approving twice, on both frameworks, with hooks and models as they were written for Authlib."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.flask_compat.client import Client, fetch
from tests.flask_compat.ported import Ported, Variant, make_provider

READY = "https://client.test/ready"


async def initiate(client: Client, callback: str = READY) -> None:
    """Get temporary credentials."""
    client.token, client.token_secret = None, ""
    initiated = await client.send("POST", "/initiate", callback=callback)
    client.token, client.token_secret = initiated.form["oauth_token"], initiated.form["oauth_token_secret"]


@pytest.mark.parametrize("callback", [READY, "oob"])
async def test_the_same_user_gets_the_same_redirect(client: Client, ported: Ported, callback: str) -> None:
    """Until the exchange, which still works."""
    await initiate(client, callback)
    answers = [await client.approve() for _ in range(3)]
    assert [answer.status for answer in answers] == [302] * 3
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert ported.database.calls.count("create_authorization_verifier") == 1
    asked = await fetch(client.app, "GET", f"/authorize?oauth_token={client.token}")
    assert asked.json == {"client_id": "client"}
    exchanged = await client.send("POST", "/token", verifier=answers[0].location["oauth_verifier"])
    assert exchanged.status == 200
    assert (await client.approve()).json["error"] == "invalid_token"


async def test_clicks_at_the_same_time_have_one_result(client: Client, ported: Ported) -> None:
    """Hooks of Authlib's kind do not refuse a second approval, so the approvals take turns."""
    await initiate(client)
    ported.database.seconds = 0.01
    answers = await asyncio.gather(*(client.approve() for _ in range(5)))
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert (await client.send("POST", "/token", verifier=answers[0].location["oauth_verifier"])).status == 200


async def test_another_user_does_not_get_the_verifier(client: Client) -> None:
    """As with Authlib, models without is_decided() are approved anew."""
    await initiate(client)
    verifiers = [(await client.approve(user=user)).location["oauth_verifier"] for user in ("7", "8", "7")]
    assert len(set(verifiers)) == 3


async def test_a_denial_is_final(client: Client) -> None:
    """It deletes the credential, so neither answer is possible afterwards."""
    await initiate(client)
    await client.approve(granted=False)
    for granted in (True, False):
        assert (await client.approve(granted=granted)).json["error"] == "invalid_token"


async def test_hooks_that_refuse_a_second_approval(client: Client, ported: Ported) -> None:
    """The one that is refused gets the answer of the one that was first."""
    await initiate(client)
    hook = ported.server._hooks["create_authorization_verifier"]

    def refuse(credential: Any, grant_user: Any, verifier: str) -> bool:
        credential.oauth_verifier, credential.user_id = "first", "7"
        return False

    ported.server.register_hook("create_authorization_verifier", refuse)
    assert (await client.approve()).location["oauth_verifier"] == "first"
    ported.server.register_hook("create_authorization_verifier", hook)
    assert (await client.approve()).location["oauth_verifier"] == "first"


@pytest.mark.parametrize("framework", ["flask", "quart"])
async def test_a_code_is_compared_without_blanks(framework: str) -> None:
    """The code of a client that shows it has capital letters, which count."""
    client = Client(make_provider(Variant(framework, True, False)).app)
    await initiate(client, "oob")
    code = (await client.approve()).location["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=code.swapcase())).status == 400
    assert (await client.send("POST", "/token", verifier=f" {code[:9]}-{code[9:]} ")).status == 200
    await initiate(client)
    verifier = (await client.approve()).location["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=f"{verifier} ")).status == 400
