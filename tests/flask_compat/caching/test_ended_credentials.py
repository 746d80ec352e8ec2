"""Temporary credentials that have ended, and those that wait for the user, in the facade's answers and its log."""

from __future__ import annotations

import logging
from typing import Any

import cachelib
import pytest

from flask_compat import AuthorizationServer
from tests.flask_compat.client import Client
from tests.flask_compat.ported import Ported, Variant, make_provider

from .test_caches import register

READY = "https://client.test/ready"


@pytest.fixture(params=["flask", "quart"])
def ported(request: pytest.FixtureRequest) -> Ported:
    """A provider on each framework, with plain views and hooks."""
    return make_provider(Variant(request.param, False, False))


async def initiated(ported: Ported) -> Client:
    """A client with temporary credentials."""
    client = Client(ported.app)
    answer = await client.send("POST", "/initiate", callback=READY)
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    return client


async def test_a_cache_keeps_them(ported: Ported) -> None:
    """A client that signs with them gets ``token_rejected``; all others get Authlib's answer for an unknown token."""
    register(ported, cachelib.SimpleCache())
    client = await initiated(ported)
    verifier = (await client.approve()).location["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=verifier)).status == 200
    told = await client.send("POST", "/token", verifier=verifier)
    assert (told.status, told.form["error"]) == (401, "token_rejected")
    for attribute, value in (("secret", "wrong"), ("token_secret", "wrong"), ("token", "unknown")):
        right = getattr(client, attribute)
        setattr(client, attribute, value)
        answer = await client.send("POST", "/token", verifier=verifier)
        assert (answer.status, answer.form["error"]) == (401, "invalid_token")
        setattr(client, attribute, right)


async def test_a_denial_in_a_cache(ported: Ported) -> None:
    """It is told in the same way, also without the right verifier."""
    register(ported, cachelib.SimpleCache())
    client = await initiated(ported)
    await client.approve(granted=False)
    assert (await client.send("POST", "/token", verifier="any")).form["error"] == "token_rejected"


async def test_a_hook_of_ones_own(ported: Ported) -> None:
    """It may be a plain function, and may return a model that is kept elsewhere."""
    kept: dict[str, Any] = {}
    ported.server.register_hook("get_ended_temporary_credential", kept.get)
    client = await initiated(ported)
    kept[client.token or ""] = ported.database.temporary[client.token or ""]
    verifier = (await client.approve()).location["oauth_verifier"]
    assert (await client.send("POST", "/token", verifier=verifier)).status == 200
    assert (await client.send("POST", "/token", verifier=verifier)).form["error"] == "token_rejected"
    kept.clear()
    assert (await client.send("POST", "/token", verifier=verifier)).form["error"] == "invalid_token"


async def test_no_one_has_approved_yet(ported: Ported, caplog: pytest.LogCaptureFixture) -> None:
    """The log says so; the answer is Authlib's, since the signature is verified after the verifier."""
    caplog.set_level(logging.INFO, "async_oauth1")
    client = await initiated(ported)
    answer = await client.send("POST", "/token", verifier="early")
    assert (answer.form["error"], answer.form["error_description"]) == ("invalid_request", 'Invalid "oauth_verifier"')
    assert "No one has approved these temporary credentials yet" in caplog.text
    caplog.clear()
    await client.approve()
    assert (await client.send("POST", "/token", verifier="wrong")).status == 400
    assert 'Invalid "oauth_verifier"' in caplog.text
    assert "No one has approved" not in caplog.text


def test_the_hook_is_known_by_its_name() -> None:
    """A wrong name is an error, as for every hook."""
    with pytest.raises(ValueError, match="get_ended_temporary_credential"):
        AuthorizationServer().register_hook("get_ended_credential", lambda _: None)
