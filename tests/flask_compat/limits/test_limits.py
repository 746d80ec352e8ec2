"""Limits for the servers of flask_compat, on both frameworks, with plain and async views, hooks and models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from limits.aio.storage import MemoryStorage as AsyncMemoryStorage
from limits.storage import MemoryStorage

from async_oauth1.limits import Limits, Rates
from async_oauth1.testing import Clock
from tests.flask_compat.client import Answer, Client
from tests.flask_compat.ported import VARIANTS, Ported, Variant, make_provider
from tests.servers import Valkey
from tests.servers.processes import PATIENCE

PLAIN = Variant("flask", async_views=False, async_hooks=False)
CALLBACK = "https://client.test/ready"


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


def limited(ported: Ported, store: str = "memory://", **rates: Rates) -> Limits:
    """Limit the servers of a provider."""
    limits = Limits(store, clock=Clock(1_700_000_000.0), timeout=PATIENCE, **rates)
    limits.limit(ported.server, ported.require_oauth)
    return limits


async def initiate(client: Client) -> Answer:
    """Request temporary credentials."""
    return await client.send("POST", "/initiate", callback=CALLBACK)


async def pending(client: Client) -> str:
    """Give a client temporary credentials that are approved, and return the verifier."""
    answer = await initiate(client)
    client.token, client.token_secret = answer.form["oauth_token"], answer.form["oauth_token_secret"]
    return (await client.approve()).location["oauth_verifier"]


async def test_answers_say_what_is_left_and_then_429(ported: Ported, client: Client) -> None:
    """At the endpoints form-encoded, at resources as JSON, both with the fields."""
    limited(ported, temporary_credentials=Rates(per_client="2/day"), resource=Rates(per_client="2/day"))
    await client.dance()
    other = Client(client.app)
    assert (await initiate(other)).headers["RateLimit"].startswith('"temporary_credentials-client-86400s";r=0;')
    refused = await initiate(other)
    assert (refused.status, refused.form["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    for left in (1, 0):
        answer = await client.send("GET", "/photos")
        assert answer.status == 200
        assert answer.headers["RateLimit-Policy"] == '"resource-client-86400s";q=2;w=86400'
        assert answer.headers["RateLimit"].startswith(f'"resource-client-86400s";r={left};')
    refused = await client.send("GET", "/photos")
    assert (refused.status, refused.json["error"]) == (429, "too_many_requests")
    assert refused.headers["RateLimit"].startswith('"resource-client-86400s";r=0;')
    assert int(refused.headers["Retry-After"]) > 0


async def test_only_the_client_itself_uses_up_its_limit(ported: Ported, client: Client) -> None:
    """Forged and replayed requests count for their address alone."""
    limited(ported, resource=Rates(per_client="1/day", per_address="6/day"))
    await client.dance()
    forger = Client(client.app, secret="guessed", token=client.token, token_secret=client.token_secret)
    assert {(await forger.send("GET", "/photos")).status for _ in range(3)} == {401}
    assert (await client.send("GET", "/photos")).status == 200
    assert (await client.send("GET", "/photos")).status == 429
    assert "client" in (await client.send("GET", "/photos")).headers["RateLimit-Policy"]
    assert "address" in (await forger.send("GET", "/photos")).headers["RateLimit-Policy"]


async def test_after_too_many_wrong_verifiers_none_is_compared(ported: Ported, client: Client) -> None:
    """Also the right one is 429 then; another client's is compared."""
    limited(ported, wrong_verifiers=Rates(per_client="2/day"), token=Rates(per_client="100/day"))
    verifier = await pending(client)
    wrong = [await client.send("POST", "/token", verifier=f"wrong {number}") for number in range(3)]
    assert [answer.status for answer in wrong] == [400, 400, 429]
    assert (await client.send("POST", "/token", verifier=verifier)).status == 429


async def test_another_cannot_use_up_the_wrong_verifiers(ported: Ported, client: Client) -> None:
    """Neither with a forged signature nor by repeating a request of the client."""
    limited(ported, wrong_verifiers=Rates(per_client="2/day"))
    verifier = await pending(client)
    forger = Client(client.app, secret="guessed", token=client.token, token_secret=client.token_secret)
    repeated = client.sign("POST", "/token", client.parameters(verifier="wrong"))
    for _ in range(3):
        assert (await forger.send("POST", "/token", verifier="wrong")).status == 401
        assert (await client.send("POST", "/token", signed=repeated)).status in (400, 401)
    assert (await client.send("POST", "/token", verifier=verifier)).status == 200


async def test_without_limits_no_field_is_added(client: Client) -> None:
    """As before."""
    await client.dance()
    assert "RateLimit" not in (await client.send("GET", "/photos")).headers


@pytest.mark.parametrize("variant", [PLAIN, *(each for each in VARIANTS if each.async_views and not each.async_models)])
async def test_all_frameworks_share_counters_in_redis(variant: Variant, valkey: Valkey) -> None:
    """In a thread a blocking driver counts, on a loop an asynchronous one, with the same keys."""
    valkey.flush()
    ported, plain = make_provider(variant), make_provider(PLAIN)
    both = [limited(each, valkey.url, temporary_credentials=Rates(per_client="3/day")) for each in (ported, plain)]
    clients = [Client(each.app) for each in (ported, plain)]
    statuses = [(await initiate(clients[number % 2])).status for number in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    for limits in both:
        await limits.close()


@pytest.mark.parametrize("variant", VARIANTS[::4], ids=str)
async def test_a_server_that_is_down(variant: Variant, caplog: pytest.LogCaptureFixture) -> None:
    """503, or uncounted if that is allowed; the outage is logged once."""
    server = Valkey()
    server.close()
    for when_down, status in (("refuse", 503), ("allow", 200)):
        caplog.clear()
        ported = make_provider(variant)
        limits = Limits(server.url, temporary_credentials=Rates(per_client="1/day"), when_down=when_down, timeout=0.5)
        limits.limit(ported.server)
        assert [(await initiate(Client(ported.app))).status for _ in range(3)] == [status] * 3
        assert caplog.text.count("limits cannot be counted") == 1
        await limits.close()


async def test_a_storage_without_asyncio(ported: Ported, client: Client) -> None:
    """Of the library limits; it counts everywhere."""
    limits = Limits(MemoryStorage(), temporary_credentials=Rates(per_client="1/day"))
    limits.limit(ported.server)
    assert [(await initiate(client)).status for _ in range(2)] == [200, 429]
    await limits.close()


def test_a_storage_that_needs_a_loop_is_refused() -> None:
    """When the limits are set, and not at the first request; the error says what to use."""
    ported = make_provider(PLAIN)
    with pytest.raises(TypeError, match=r"limits\.storage"):
        Limits(AsyncMemoryStorage()).limit(ported.server)
    assert ported.server.limiter is None


async def test_a_server_is_limited_once() -> None:
    """As any other."""
    ported = make_provider(PLAIN)
    limited(ported)
    with pytest.raises(ValueError, match="AuthorizationServer is limited already"):
        Limits().limit(ported.server)
