"""Temporary credentials belong to one client, are approved or denied once, and are exchanged once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from async_oauth1 import Client, OAuth1Error, Policy
from async_oauth1.quart import AuthorizationServer
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import (
    ALL_SIGNATURE_METHODS,
    CALLBACK,
    CLIENT,
    OTHER,
    Provider,
    add_credentials,
    make_provider,
)
from tests.attacks.signer import Keys, Message, sign
from tests.keys import rsa_private_key

HOST = (b"host", b"provider.example")


async def test_refused_exchanges_do_not_use_up_the_credential(provider: Provider) -> None:
    """An attacker who knows the temporary token from a URL, but no secret, cannot destroy the authorization."""
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    before = provider.store.written
    query = b"?oauth_token=" + (keys.token or "").encode()
    bare = Message(method="POST", target=b"/token" + query, headers=(HOST,))
    attempts = [
        bare,
        sign(keys, "POST", "/token", oauth={"verifier": verifier}, signature=b"forged"),
        sign(replace(keys, token_secret=""), "POST", "/token", oauth={"verifier": verifier}),
        sign(keys, "POST", "/token", oauth={"verifier": verifier, "timestamp": str(int(time.time()) - 4000)}),
        sign(keys, "POST", "/token", oauth={"verifier": verifier, "timestamp": "x"}),
        sign(keys, "POST", "/token", oauth={"verifier": verifier, "version": "2.0"}),
        sign(keys, "POST", "/token", oauth={"verifier": None}),
        sign(keys, "POST", "/token", oauth={"verifier": ""}),
        sign(keys, "POST", "/token", oauth={"verifier": verifier, "signature_method": "none"}),
    ]
    for message in attempts:
        assert (await provider.send(message)).status in (400, 401)
    assert provider.store.written == before
    assert (await provider.exchange(keys, verifier)).status == 200


async def test_a_refused_timestamp_does_not_use_up_the_credential(provider: Provider) -> None:
    """A client with a wrong clock can try again with a correct timestamp."""
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    answer = await provider.exchange(keys, verifier, oauth={"timestamp": str(int(time.time()) - 3600)})
    assert answer.error == "timestamp_refused"
    assert (await provider.exchange(keys, verifier)).status == 200


async def test_another_client_cannot_exchange_it(provider: Provider) -> None:
    """It is refused with HMAC and the right token secret, and with RSA, whose signature does not cover that secret."""
    key = rsa_private_key()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    await provider.store.store.add_client(Client(client_id="rsa", rsa_public_key=public, callbacks=(CALLBACK,)))
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    thieves = [
        replace(OTHER, token=keys.token, token_secret=keys.token_secret),
        Keys(client_id="rsa", method="RSA-SHA1", private_key=key, token=keys.token),
        Keys(client_id="nobody", client_secret="", token=keys.token, token_secret=keys.token_secret),
    ]
    for thief in thieves:
        answer = await provider.exchange(thief, verifier)
        assert (answer.status, answer.error) == (401, "invalid_signature")
    assert await provider.tokens() == []
    assert (await provider.exchange(keys, verifier)).status == 200


async def test_another_clients_token_is_refused(provider: Provider) -> None:
    """A token credential belongs to one client, even if another client knows its secret."""
    thief = replace(OTHER, token="tok", token_secret="toksecret")
    for target in ("/echo", "/signed"):
        answer = await provider.get(target, keys=thief)
        assert (answer.status, answer.error) == (401, "invalid_signature")
    assert provider.seen == []


@pytest.mark.rfc5849("2/used-once")
async def test_it_is_exchanged_once(durable_provider: Provider) -> None:
    """A second exchange with a new signature is refused."""
    keys = await durable_provider.temporary()
    verifier = await durable_provider.verifier(keys)
    assert (await durable_provider.exchange(keys, verifier)).status == 200
    answer = await durable_provider.exchange(keys, verifier)
    assert answer.status == 401
    assert len(await durable_provider.tokens()) == 1


async def test_of_twenty_concurrent_exchanges_one_succeeds(durable_provider: Provider) -> None:
    """Twenty valid requests with different nonces create one token credential."""
    keys = await durable_provider.temporary()
    verifier = await durable_provider.verifier(keys)
    answers = await asyncio.gather(*(durable_provider.exchange(keys, verifier) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    assert len(await durable_provider.tokens()) == 1


async def test_of_twenty_concurrent_exchanges_by_single_hooks_one_succeeds() -> None:
    """This also holds for hooks that delete and create in two steps, with a pause between the hooks."""
    provider = await make_provider()
    inner = provider.store.store

    class Slow:
        def __getattr__(self, name: str) -> Any:
            if name == "exchange":
                raise AttributeError(name)
            hook = getattr(inner, name)
            if not name.startswith(("query", "get", "create", "delete", "exists")):
                return hook

            async def slow(*args: Any) -> Any:
                await asyncio.sleep(0.002)
                return await hook(*args)

            return slow

    provider = await make_provider(Slow())
    provider.store.store = inner
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    answers = await asyncio.gather(*(provider.exchange(keys, verifier) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19
    assert len(await provider.tokens()) == 1


@pytest.mark.rfc5849("2.3/verifier-verified")
@pytest.mark.parametrize("verifier", ["wrong", "", "None", "null", "True", "0", "\u00e9", None])
async def test_a_wrong_verifier_is_refused(provider: Provider, verifier: str | None) -> None:
    """No other verifier works before or after approval, which prevents the session fixation attack of 2009."""
    keys = await provider.temporary()
    assert (await provider.exchange(keys, verifier)).status in (400, 401)
    real = await provider.verifier(keys)
    assert (await provider.exchange(keys, verifier)).status in (400, 401)
    for near in (real[:-1], real + "x", real.swapcase()):
        assert (await provider.exchange(keys, near)).error == "invalid_verifier"
    assert await provider.tokens() == []


async def test_five_wrong_verifiers_delete_the_credential(durable_provider: Provider) -> None:
    """After five wrong verifiers with correct signatures even the right one is refused."""
    keys = await durable_provider.temporary(callback="oob")
    answer = await durable_provider.approve(keys.token)
    verifier = answer.body.decode()
    errors = [(await durable_provider.exchange(keys, f"guess{n}")).error for n in range(5)]
    assert errors == ["invalid_verifier"] * 5
    assert (await durable_provider.exchange(keys, verifier)).error == "token_rejected"
    assert (await durable_provider.exchange(keys, verifier, signature=b"forged")).error == "invalid_signature"
    assert await durable_provider.tokens() == []


async def test_wrong_verifiers_of_other_clients_do_not_count(provider: Provider) -> None:
    """Only requests with the client's signature count as attempts."""
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    for number in range(20):
        answer = await provider.exchange(keys, f"guess{number}", signature=b"forged")
        assert answer.error == "invalid_signature"
        assert (await provider.exchange(replace(OTHER, token=keys.token), f"guess{number}")).status == 401
    assert provider.store.calls["count_wrong_verifier"] == 0
    assert (await provider.exchange(keys, verifier)).status == 200


async def test_denial_is_final(durable_provider: Provider) -> None:
    """A denied request cannot be approved, and the redirect tells the client which request was denied."""
    keys = await durable_provider.temporary()
    answer = await durable_provider.approve(keys.token, user=None)
    assert answer.status == 302
    assert answer.header("location") == f"{CALLBACK}?error=access_denied&oauth_token={keys.token}"
    assert (await durable_provider.approve(keys.token)).status in (401, 409)
    assert (await durable_provider.exchange(keys, "anything")).status == 401
    assert await durable_provider.tokens() == []


async def test_an_approval_cannot_be_taken_over(durable_provider: Provider) -> None:
    """If another user follows the same link, the first user's approval and verifier stay valid."""
    keys = await durable_provider.temporary()
    verifier = await durable_provider.verifier(keys)
    assert (await durable_provider.approve(keys.token, "mallory")).status == 409
    assert (await durable_provider.approve(keys.token, None)).status == 409
    assert (await durable_provider.exchange(keys, verifier)).status == 200
    assert [token.user_id for token in await durable_provider.tokens()] == ["jane"]


async def test_of_concurrent_approvals_one_counts(durable_provider: Provider) -> None:
    """Five users answer the same request twice at the same moment: one of them is answered, alike both times."""
    keys = await durable_provider.temporary()
    server = durable_provider.server

    @durable_provider.app.post("/decide/<user>")
    async def decide(user: str) -> Any:
        try:
            return await server.create_authorization_response(grant_user=None if user == "nobody" else user)
        except OAuth1Error as error:
            return {}, error.status_code

    query = b"?oauth_token=" + (keys.token or "").encode()
    users = ["jane", "mallory", "nobody", "eve", "bob"] * 2
    messages = [Message(method="POST", target=f"/decide/{user}".encode() + query, headers=(HOST,)) for user in users]
    answers = await asyncio.gather(*(durable_provider.send(message) for message in messages))
    assert min(answer.status for answer in answers) == 302
    assert {answer.status for answer in answers} <= {302, 401, 409}
    [(user, location)] = {
        (u, a.header("location") or "") for u, a in zip(users, answers, strict=True) if a.status == 302
    }
    if user != "nobody":
        verifier = location.rpartition("oauth_verifier=")[2]
        assert (await durable_provider.exchange(keys, verifier)).status == 200
    assert [token.user_id for token in await durable_provider.tokens()] == [user] * (user != "nobody")


async def test_a_callback_at_the_authorization_page_is_ignored(provider: Provider) -> None:
    """This URL is not signed, so the callback of the first step is used."""
    keys = await provider.temporary()
    target = f"/authorize?oauth_token={keys.token}&oauth_callback=https%3A%2F%2Fevil.example%2F".encode()
    answer = await provider.send(Message(method="POST", target=target, headers=(HOST,)))
    assert (answer.header("location") or "").startswith(f"{CALLBACK}?oauth_token={keys.token}&oauth_verifier=")


@pytest.mark.rfc5849("2.1/callback")
async def test_the_first_step_needs_a_callback(provider: Provider) -> None:
    """OAuth 1.0, without the revision A, is not supported."""
    for callback in (None, ""):
        answer = await provider.initiate(callback=callback)
        assert (answer.status, answer.error) == (400, "missing_required_parameter")
    assert not provider.store.written


async def test_temporary_credentials_are_not_token_credentials(provider: Provider) -> None:
    """They are refused at resources, before and after approval, and a token credential is refused at the exchange."""
    keys = await provider.temporary()
    assert (await provider.get(keys=keys)).status == 401
    verifier = await provider.verifier(keys)
    assert (await provider.get(keys=keys)).status == 401
    answer = await provider.exchange(keys, verifier)
    token = replace(keys, token=answer.form["oauth_token"], token_secret=answer.form["oauth_token_secret"])
    assert (await provider.get(keys=token)).json["user"] == "jane"
    assert (await provider.exchange(token, verifier)).status == 401


@pytest.mark.rfc5849("2/limited-lifetime")
async def test_temporary_credentials_expire(provider: Provider) -> None:
    """They expire ten minutes after the first step, however late the approval was."""
    moment = [time.time()]
    store = MemoryStore(clock=lambda: moment[0])
    await add_credentials(store)
    provider = await make_provider(store, Policy(signature_methods=ALL_SIGNATURE_METHODS))
    keys = await provider.temporary()
    moment[0] += 599
    verifier = await provider.verifier(keys)
    moment[0] += 2
    assert (await provider.exchange(keys, verifier)).status == 401
    moment[0] = time.time()
    keys = await provider.temporary()
    moment[0] += 601
    assert (await provider.approve(keys.token)).status == 401


@pytest.mark.rfc5849("2.2/verifier")
async def test_issued_values_cannot_be_guessed(provider: Provider) -> None:
    """Tokens, secrets and verifiers have at least 128 bits, are never repeated, and are not cached."""
    seen = set()
    for _ in range(20):
        first = await provider.initiate()
        keys = replace(CLIENT, token=first.form["oauth_token"], token_secret=first.form["oauth_token_secret"])
        verifier = await provider.verifier(keys)
        last = await provider.exchange(keys, verifier)
        values = [*(first.form[name] for name in ("oauth_token", "oauth_token_secret")), verifier]
        values += [last.form[name] for name in ("oauth_token", "oauth_token_secret")]
        assert all(len(value) >= 22 and value.isalnum() for value in values)
        seen.update(values)
        assert first.header("cache-control") == last.header("cache-control") == "no-store"
        assert first.form["oauth_callback_confirmed"] == "true"
        assert "oauth_callback_confirmed" not in last.form
    assert len(seen) == 100


async def test_a_wrong_method_at_an_endpoint_is_405_with_allow() -> None:
    """If a view accepts more methods than the endpoint, the endpoint refuses the others."""
    provider = await make_provider()
    server: AuthorizationServer = provider.server

    @provider.app.route("/any", methods=["GET", "PUT", "POST"])
    async def anything() -> Any:
        return await server.create_token_response()

    for method in ("GET", "HEAD", "PUT"):
        answer = await provider.get("/any", keys=CLIENT, method=method)
        assert (answer.status, answer.header("allow")) == (405, "POST")
