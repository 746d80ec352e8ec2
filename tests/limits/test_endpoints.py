"""Limits at the endpoints where clients fetch credentials."""

from __future__ import annotations

import re
from typing import Any

import pytest

from async_oauth1 import AuthorizationServer
from async_oauth1.asgi import authorization_endpoints
from async_oauth1.limits import Limits, Rates
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import Answer, call

CLIENT = Keys(client_id="client", client_secret="secret")
OTHER = Keys(client_id="other", client_secret="secret")
UNKNOWN = Keys(client_id="unknown", client_secret="secret")


def limited(store: MemoryStore, clock: Clock, **rates: Rates) -> tuple[Any, AuthorizationServer]:
    """The endpoints of a server with limits, and the server."""
    server = AuthorizationServer()
    server.register_hooks(store)
    Limits(clock=clock, **rates).limit(server)
    return authorization_endpoints(server), server


async def initiate(app: Any, keys: Keys = CLIENT, address: str = "203.0.113.7") -> Answer:
    """Request temporary credentials from an address."""
    return await call(app, sign(keys, "POST", "/initiate", oauth={"callback": "oob"}), client=(address, 40_000))


def limit_items(answer: Answer) -> dict[str, dict[str, int]]:
    """The items of both fields of an answer, by name."""
    items: dict[str, dict[str, int]] = {}
    for field in ("ratelimit-policy", "ratelimit"):
        for item in (answer.header(field) or "").split(", "):
            name, *parameters = item.split(";")
            values = {key: int(value) for key, value in (parameter.split("=") for parameter in parameters)}
            items.setdefault(name.strip('"'), {}).update(values)
    return items


async def test_a_client_beyond_its_limit_gets_429_until_its_window_ends(store: MemoryStore, clock: Clock) -> None:
    """Every answer says what is left, 429 says when to return, and at that time and not before there is room again."""
    app, _ = limited(store, clock, temporary_credentials=Rates(per_client="3/minute"))
    for left in (2, 1, 0):
        answer = await initiate(app)
        assert answer.status == 200
        item = limit_items(answer)["temporary_credentials-client-60s"]
        assert (item["q"], item["w"], item["r"]) == (3, 60, left)
        assert 1 <= item["t"] <= 60
    refused = await initiate(app)
    assert (refused.status, refused.error) == (429, "too_many_requests")
    item = limit_items(refused)["temporary_credentials-client-60s"]
    wait = int(refused.header("retry-after") or 0)
    assert (item["r"], item["t"]) == (0, wait)
    assert (await initiate(app, OTHER)).status == 200, "another client is served"
    clock.advance(wait - 1)
    assert (await initiate(app)).status == 429
    clock.advance(1)
    assert (await initiate(app)).status == 200


async def test_the_fields_have_the_form_of_the_draft(store: MemoryStore, clock: Clock) -> None:
    """Both fields are lists of strings with integer parameters (RFC 9651)."""
    app, _ = limited(store, clock, temporary_credentials=Rates(per_client="5/minute;9/hour", per_address="7/minute"))
    answer = await initiate(app)
    item = r'"[a-z_0-9-]+"'
    for field, pattern in (("ratelimit-policy", r";q=\d+;w=\d+"), ("ratelimit", r";r=\d+;t=\d+")):
        values = [value for name, value in answer.headers if name == field]
        assert len(", ".join(values).split(", ")) == 3
        assert re.fullmatch(rf"{item}{pattern}(, {item}{pattern})*", ", ".join(values))


async def test_only_a_genuine_and_new_request_counts_for_its_client(store: MemoryStore, clock: Clock) -> None:
    """Wrong signatures and replays leave the client's limit alone, so that others cannot use it up."""
    app, _ = limited(store, clock, temporary_credentials=Rates(per_client="2/minute"))
    forged = Keys(client_id="client", client_secret="guessed")
    for _ in range(5):
        assert (await initiate(app, forged)).status == 401
    message = sign(CLIENT, "POST", "/initiate", oauth={"callback": "oob"})
    assert [(await call(app, message)).status for _ in range(5)] == [200, 401, 401, 401, 401]
    assert (await initiate(app)).status == 200
    assert (await initiate(app)).status == 429


async def test_an_address_is_limited_whatever_it_sends(store: MemoryStore, clock: Clock) -> None:
    """All requests of an address count: unknown clients make no counters of their own."""
    app, server = limited(store, clock, temporary_credentials=Rates(per_address="3/minute", per_client="100/minute"))
    for number in range(20):
        unknown = Keys(client_id=f"made up {number}", client_secret="secret")
        assert (await initiate(app, unknown)).status == (401 if number < 3 else 429)
    assert (await initiate(app)).status == 429
    assert (await initiate(app, address="203.0.113.8")).status == 200
    limiter: Any = server.limiter
    counters = [len(counts) for counts in limiter._counter._by_rule.values()]
    assert sorted(counters) == [1, 2], "two addresses and one client"


async def test_a_network_of_ipv6_counts_as_one_address(store: MemoryStore, clock: Clock) -> None:
    """A machine usually has a whole /64, and cannot have a limit for each of its addresses."""
    app, _ = limited(store, clock, temporary_credentials=Rates(per_address="1/minute"))
    assert (await initiate(app, address="2001:db8::1")).status == 200
    assert (await initiate(app, address="2001:db8::2")).status == 429
    assert (await initiate(app, address="2001:db8:0:1::1")).status == 200


async def pending(app: Any, server: AuthorizationServer, keys: Keys = CLIENT) -> tuple[Keys, str]:
    """Temporary credentials that a user has approved, and the verifier."""
    form = (await initiate(app, keys, "198.51.100.9")).form
    request = OAuth1Request(
        "GET",
        scheme="https",
        host="provider.example",
        raw_path=b"/authorize",
        raw_query=b"oauth_token=" + form["oauth_token"].encode(),
    )
    verifier = (await server.authorize(request, "jane")).verifier or ""
    token = {"token": form["oauth_token"], "token_secret": form["oauth_token_secret"]}
    return Keys(client_id=keys.client_id, client_secret=keys.client_secret, **token), verifier


async def exchange(app: Any, keys: Keys, verifier: str) -> Answer:
    """Exchange temporary credentials."""
    return await call(app, sign(keys, "POST", "/token", oauth={"verifier": verifier}))


@pytest.mark.parametrize("kind", ["per_client", "per_address"])
async def test_after_too_many_wrong_verifiers_none_is_compared(store: MemoryStore, clock: Clock, kind: str) -> None:
    """Also the right one is refused then, with new temporary credentials, until the window ends."""
    app, server = limited(store, clock, wrong_verifiers=Rates(**{kind: "3/hour"}))
    for _ in range(3):
        keys, _ = await pending(app, server)
        assert (await exchange(app, keys, "wrong")).error == "invalid_verifier"
    keys, verifier = await pending(app, server)
    refused = await exchange(app, keys, verifier)
    assert (refused.status, refused.error) == (429, "too_many_requests")
    clock.advance(int(refused.header("retry-after") or 0))
    assert (await exchange(app, keys, verifier)).status == 200


async def test_right_verifiers_are_not_counted_as_wrong(store: MemoryStore, clock: Clock) -> None:
    """A busy client is not limited by what it does right."""
    app, server = limited(store, clock, wrong_verifiers=Rates(per_client="1/hour"))
    for _ in range(4):
        assert (await exchange(app, *await pending(app, server))).status == 200


async def test_the_exchange_has_a_limit_of_its_own(store: MemoryStore, clock: Clock) -> None:
    """It is independent of that of temporary credentials."""
    app, server = limited(store, clock, token=Rates(per_client="1/minute"))
    assert (await exchange(app, *await pending(app, server))).status == 200
    assert (await exchange(app, *await pending(app, server))).status == 429
    assert (await initiate(app)).status == 200


async def test_a_refusal_is_logged_once_and_as_others_are(
    store: MemoryStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Operators find the client and the code in the log."""
    app, _ = limited(store, clock, temporary_credentials=Rates(per_client="1/minute"))
    await initiate(app)
    with caplog.at_level("INFO", "async_oauth1"):
        await initiate(app)
    lines = [record.getMessage() for record in caplog.records if "too_many_requests" in record.getMessage()]
    assert len(lines) == 1
    assert "'client'" in lines[0]
