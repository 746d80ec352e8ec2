"""An answer does not show which clients and tokens exist, and takes the same work in each case."""

from __future__ import annotations

import hmac
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from async_oauth1 import Client, Policy
from async_oauth1.signature import HmacSignatureMethod, PlaintextSignatureMethod
from tests.attacks.provider import CALLBACK, CLIENT, JANE, OTHER, Provider, make_provider
from tests.attacks.signer import Keys, Message, sign
from tests.attacks.wire import Answer

UNKNOWN = Keys(client_id="nobody", client_secret="secret")


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signature methods of all comparisons that were made."""
    made: list[str] = []
    for kind in (HmacSignatureMethod, PlaintextSignatureMethod):
        original = kind.verify

        def counted(self: Any, *args: Any, original: Any = original) -> bool:
            made.append(self.name)
            verdict: bool = original(self, *args)
            return verdict

        monkeypatch.setattr(kind, "verify", counted)
    return made


async def compare(provider: Provider, messages: dict[str, Message], comparisons: list[str]) -> Answer:
    """Send each message, and assert that the answers, hook calls and comparisons are the same for all."""
    expected = None
    for name, message in messages.items():
        provider.store.calls.clear()
        comparisons.clear()
        answer = await provider.send(message)
        seen = (answer.fingerprint, Counter(provider.store.calls), list(comparisons))
        expected = expected or seen
        assert seen == expected, name
        assert not provider.store.written
    assert expected is not None
    return answer


@pytest.mark.rfc5849("3.2/401")
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA512", "PLAINTEXT"])
@pytest.mark.parametrize("shortcut", [True, False])
async def test_at_a_resource(comparisons: list[str], method: str, shortcut: bool) -> None:
    """Unknown clients, unknown, foreign or revoked tokens, wrong secrets and methods that are not enabled."""
    provider = await make_provider()
    store = provider.store.store
    if not shortcut:  # two look-ups instead of one
        provider.require_oauth.register_hook("query_token", provider.store.query_token)
    narrow = Client(client_id="narrow", client_secret="secret", signature_methods=("RSA-SHA1",))
    await store.add_client(narrow)
    gone = replace(CLIENT, token="gone", token_secret="toksecret")
    await store.create_token_credential(
        {"oauth_token": "gone", "oauth_token_secret": "toksecret"},
        replace(await provider_temporary(provider), user_id="jane"),
    )
    assert await store.revoke_token_credential("gone")
    jane = replace(JANE, method=method)
    messages = {
        "a wrong signature": sign(jane, "GET", "/echo", signature=b"forged"),
        "a wrong client secret": sign(replace(jane, client_secret="x"), "GET", "/echo"),
        "a wrong token secret": sign(replace(jane, token_secret="x"), "GET", "/echo"),
        "an unknown client": sign(replace(jane, client_id="nobody"), "GET", "/echo"),
        "an unknown token": sign(replace(jane, token="nothing"), "GET", "/echo"),
        "an unknown client and token": sign(replace(jane, client_id="nobody", token="nothing"), "GET", "/echo"),
        "another client's token": sign(replace(jane, client_id="other", client_secret="other-secret"), "GET", "/echo"),
        "a revoked token": sign(replace(gone, method=method), "GET", "/echo"),
        "a method that is not enabled": sign(replace(jane, client_id="narrow"), "GET", "/echo"),
    }
    answer = await compare(provider, messages, comparisons)
    assert (answer.status, answer.error) == (401, "invalid_signature")
    assert comparisons == [method]
    assert answer.header("www-authenticate") == 'OAuth realm=""'


async def provider_temporary(provider: Provider) -> Any:
    """Create a temporary credential, and return its record."""
    keys = await provider.temporary()
    return await provider.pending(keys.token)


async def test_at_a_two_legged_resource(provider: Provider, comparisons: list[str]) -> None:
    """Unknown clients and wrong secrets get the same answer."""
    messages = {
        "a wrong secret": sign(replace(CLIENT, client_secret="x"), "GET", "/signed"),
        "an unknown client": sign(UNKNOWN, "GET", "/signed"),
        "a client identifier in another case": sign(replace(CLIENT, client_id="Client"), "GET", "/signed"),
    }
    assert (await compare(provider, messages, comparisons)).status == 401


async def test_at_the_first_step(provider: Provider, comparisons: list[str]) -> None:
    """An answer shows which clients exist, and which callbacks they have, only to a client with a valid signature."""
    messages = {
        "a wrong secret": sign(replace(CLIENT, client_secret="x"), "POST", "/initiate", oauth={"callback": CALLBACK}),
        "an unknown client": sign(UNKNOWN, "POST", "/initiate", oauth={"callback": CALLBACK}),
        "a callback that is not registered": sign(
            CLIENT, "POST", "/initiate", oauth={"callback": "https://x.example/"}, signature=b"forged"
        ),
    }
    assert (await compare(provider, messages, comparisons)).error == "invalid_signature"


async def test_at_the_last_step(provider: Provider, comparisons: list[str]) -> None:
    """Unknown, undecided, denied, exchanged and foreign temporary credentials; the verifier is checked last.

    Only a client with the right signature learns that its credentials have ended.
    """
    undecided = await provider.temporary()
    denied = await provider.temporary()
    await provider.approve(denied.token, None)
    spent = await provider.temporary()
    await provider.exchange(spent, await provider.verifier(spent))
    approved = await provider.temporary()
    verifier = await provider.verifier(approved)

    def last(keys: Keys, value: str = "v", **how: Any) -> Message:
        return sign(keys, "POST", "/token", oauth={"verifier": value}, **how)

    known = {
        "a wrong signature": last(undecided, signature=b"forged"),
        "a wrong signature and the right verifier": last(approved, verifier, signature=b"forged"),
        "a wrong signature and a wrong verifier": last(approved, signature=b"forged"),
        "another client's": last(replace(OTHER, token=approved.token, token_secret=approved.token_secret), verifier),
        "an unknown token": last(replace(CLIENT, token="nothing", token_secret="x")),
        "a denied one": last(denied, signature=b"forged"),
        "an exchanged one": last(spent, signature=b"forged"),
        "an unknown client": last(replace(UNKNOWN, token=approved.token, token_secret=approved.token_secret), verifier),
    }
    assert (await compare(provider, known, comparisons)).error == "invalid_signature"
    ended = {"a denied one": last(denied), "an exchanged one": last(spent)}
    assert (await compare(provider, ended, comparisons)).error == "token_rejected"


async def test_without_uniform_errors_the_codes_differ() -> None:
    """With ``uniform_errors=False`` the client's author can see what is wrong."""
    provider = await make_provider(policy=Policy(uniform_errors=False))
    for keys, error in [
        (replace(JANE, client_id="nobody"), "invalid_client"),
        (replace(JANE, token="nothing"), "invalid_token"),
        (replace(JANE, token_secret="x"), "invalid_signature"),
    ]:
        assert (await provider.get(keys=keys)).error == error


async def test_signatures_and_verifiers_are_compared_in_constant_time(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every comparison of a secret uses `hmac.compare_digest` with octets."""
    compared: list[tuple[Any, Any]] = []
    original = hmac.compare_digest

    def counted(a: Any, b: Any) -> bool:
        compared.append((type(a), type(b)))
        return original(a, b)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    keys = await provider.temporary()
    verifier = await provider.verifier(keys)
    assert (await provider.exchange(keys, "é")).error == "invalid_verifier"
    assert (await provider.exchange(keys, verifier)).status == 200
    assert (await provider.get(keys=replace(JANE, method="PLAINTEXT"))).status == 200
    assert len(compared) == 6
    assert set(compared) == {(bytes, bytes)}


async def test_answers_and_logs_contain_no_secrets(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Secrets, signatures, verifiers and form fields are in no log line of any level, and in no error."""
    bodies = []
    with caplog.at_level(logging.DEBUG):
        keys = await provider.temporary()
        verifier = await provider.verifier(keys)
        plain = replace(JANE, method="PLAINTEXT", token_secret="tok-secret-value")
        bodies.append((await provider.exchange(keys, verifier, signature=b"sig-value")).body)
        bodies.append((await provider.exchange(keys, "verifier-value")).body)
        bodies.append((await provider.get(keys=plain, method="POST", body=b"card=field-value")).body)
        bodies.append((await provider.get(signature=b"sig-value", body=b"card=field-value", method="POST")).body)
    everything = b"".join(bodies).decode() + "".join(r.getMessage() for r in caplog.records if r.name != "asyncio")
    for secret in (
        "toksecret",
        "tok-secret-value",
        "sig-value",
        "verifier-value",
        "field-value",
        verifier,
        keys.token_secret,
    ):
        assert secret not in everything


async def test_a_log_line_cannot_be_forged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks in an identifier, a path or a method do not start a new line in the log."""
    with caplog.at_level(logging.DEBUG, "async_oauth1"):
        await provider.get(keys=replace(JANE, client_id="x"), method="GET")
        for target in (b"/echo/\x85\xe2\x80\xa8forged", b"/echo/%0Aforged", b"/echo/\nforged", b"/echo/\x1b[31m"):
            await provider.get(target, signature=b"forged")
        await provider.get(oauth={"consumer_key": "a\nforged"})
    assert caplog.records
    for record in caplog.records:
        assert len(record.getMessage().splitlines()) == 1
        assert record.getMessage().isprintable()
