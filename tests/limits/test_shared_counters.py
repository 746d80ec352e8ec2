"""Counters in Redis: shared by processes, and down."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import AsyncIterator
from typing import Any

import pytest

from async_oauth1 import ResourceProtector
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.errors import StoreError, StoreUnavailableError, TooManyRequestsError
from async_oauth1.limits import Limits, Rates
from async_oauth1.limits.counting import MemoryCounter
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import Clock
from tests.attacks.signer import Keys, sign
from tests.attacks.wire import Answer, call
from tests.servers import Valkey
from tests.stress import STRESS

CLIENT = Keys(client_id="client", client_secret="secret")


@pytest.fixture
async def closing() -> AsyncIterator[list[Limits]]:
    """Limits to close after the test."""
    opened: list[Limits] = []
    yield opened
    for limits in opened:
        await limits.close()


def attempt(url: str, attempts: int, results: Any) -> None:
    """Count attempts to sign in at once, and report how many were admitted."""

    async def run() -> int:
        limits = Limits(url, sign_in=Rates(per_address="50/day"), clock=Clock(1_700_000_000.0), timeout=60.0)
        outcomes = await asyncio.gather(
            *(limits.count_sign_in("203.0.113.7") for _ in range(attempts)), return_exceptions=True
        )
        assert all(outcome is None or isinstance(outcome, TooManyRequestsError) for outcome in outcomes), outcomes
        await limits.close()
        return outcomes.count(None)

    results.put(asyncio.run(run()))


@pytest.mark.stress
def test_processes_share_one_limit(valkey: Valkey) -> None:
    """All processes together admit what the limit says, although each of them sends more at once."""
    valkey.flush()
    processes, attempts = (8, 500) if STRESS else (2, 60)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=attempt, args=(valkey.url, attempts, results)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    admitted = [results.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(admitted) == 50


async def test_what_one_process_counts_another_one_refuses(valkey: Valkey, closing: list[Limits], clock: Clock) -> None:
    """With the same time to wait, and a counter that expires by itself."""
    valkey.flush()
    url = valkey.url.replace("redis:", "valkey:")
    closing.extend(Limits(url, sign_in=Rates(per_address="1/hour"), clock=clock, timeout=60.0) for _ in range(2))
    await closing[0].count_sign_in("203.0.113.7")
    with pytest.raises(TooManyRequestsError) as refused:
        await closing[1].count_sign_in("203.0.113.7")
    with valkey.client() as client:
        (key,) = client.keys("*")
        assert refused.value.retry_after <= client.ttl(key) <= refused.value.retry_after + 60
        assert b"203.0.113.7" not in key
    clock.advance(refused.value.retry_after)
    await closing[1].count_sign_in("203.0.113.7")


async def test_a_flood_asks_the_store_no_more(valkey: Valkey, closing: list[Limits], clock: Clock) -> None:
    """Once the window is used up, the store is not asked."""
    valkey.flush()
    closing.append(Limits(valkey.url, sign_in=Rates(per_address="1/day"), clock=clock, timeout=60.0))
    await closing[0].count_sign_in("203.0.113.7")
    for _ in range(1000):
        with pytest.raises(TooManyRequestsError):
            await closing[0].count_sign_in("203.0.113.7")
    with valkey.client() as client:
        assert client.get(client.keys("*")[0]) == b"2"


async def answer_empty(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers every request."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def fetch(app: Any) -> Answer:
    """Request a resource."""
    return await call(app, sign(CLIENT, "GET", "/photos", content_type=None))


@pytest.mark.parametrize("failure", ["stopped", "frozen"])
@pytest.mark.parametrize(("when_down", "status"), [("refuse", 503), ("allow", 200)])
async def test_when_the_store_is_down(
    failure: str,
    when_down: Any,
    status: int,
    store: MemoryStore,
    closing: list[Limits],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Requests are refused with 503 by default, or pass; the outage is logged once, and so is its end."""
    server = Valkey()
    limits = Limits(server.url, resource=Rates(per_client="100/hour"), when_down=when_down, timeout=60.0)
    closing.append(limits)
    protector = ResourceProtector()
    protector.register_hooks(store)
    limits.limit(protector)
    app = OAuth1Middleware(answer_empty, protector, prefixes=["/photos"], two_legged=True)
    try:
        assert (await fetch(app)).header("ratelimit") is not None
        counter: Any = limits._counter
        counter._on_loop._timeout = 0.5  # not before: the machine may be busy
        server.kill() if failure == "stopped" else server.freeze()
        with caplog.at_level(logging.WARNING, "async_oauth1.stores"):
            answers = [await fetch(app) for _ in range(3)]
        assert [answer.status for answer in answers] == [status] * 3
        assert [answer.header("retry-after") for answer in answers] == ["1" if status == 503 else None] * 3
        assert all(answer.header("ratelimit") is None for answer in answers)
        assert len(caplog.records) == 1
        assert "redis://127.0.0.1" in caplog.text
        server.start() if failure == "stopped" else server.thaw()
        counter._on_loop._timeout = 60.0
        async with asyncio.timeout(60):
            while (await fetch(app)).header("ratelimit") is None:
                await asyncio.sleep(0.05)
        assert "answers again" in caplog.text
    finally:
        server.close()


def test_another_scheme_is_refused_without_its_password() -> None:
    """The message names what can be used."""
    with pytest.raises(StoreError, match=r"redis://") as error:
        Limits("postgresql://user:hunter2@db.example/x")
    assert "hunter2" not in str(error.value)


async def test_a_storage_of_the_library_counts(clock: Clock) -> None:
    """Any asynchronous storage of `limits` can be used."""
    from limits.aio.storage import MemoryStorage

    limits = Limits(MemoryStorage(), sign_in=Rates(per_address="1/hour"), clock=clock)
    await limits.count_sign_in("203.0.113.7")
    with pytest.raises(TooManyRequestsError):
        await limits.count_sign_in("203.0.113.7")
    await limits.close()


async def test_a_wrong_password_of_redis_is_an_outage(closing: list[Limits], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing passes, and no password is in the log."""
    server = Valkey()
    try:
        with server.client() as client:
            client.config_set("requirepass", "hunter2")
        closing.append(Limits(f"redis://:hunter3@127.0.0.1:{server.port}/0", timeout=30.0))
        with pytest.raises(StoreUnavailableError):
            await closing[0].count_sign_in("203.0.113.7")
        assert "hunter" not in caplog.text
    finally:
        server.close()


async def test_memory_keeps_a_bounded_number_of_counters(clock: Clock) -> None:
    """Beyond it, further subjects of a rule share one counter; once windows have ended, there is room again."""
    counter = MemoryCounter(clock, most=1_000)
    for number in range(1_000):
        assert await counter.add(f"rule/{number}/1", 60) == 1
    assert [await counter.add(f"rule/more {number}/1", 60) for number in range(5)] == [1, 2, 3, 4, 5]
    assert await counter.count("rule/yet another/1") == 5
    assert await counter.add("rule/7/1", 60) == 2
    assert await counter.add("other/8/1", 60) == 1
    assert len(counter._by_rule["rule"]) == 1_001
    clock.advance(60)
    assert await counter.add("rule/more 1/2", 60) == 1
    assert len(counter._by_rule["rule"]) == 1


async def test_many_addresses_leave_the_clients_their_counters(clock: Clock) -> None:
    """A flood from more addresses than there are counters does not make clients share one."""
    counter = MemoryCounter(clock, most=10)
    for number in range(20):
        await counter.add(f"token-address-60s/{number}/1", 60)
    assert [await counter.add(f"token-client-60s/{number}/1", 60) for number in range(10)] == [1] * 10


async def test_a_full_table_is_not_searched_for_each_address(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether counters have ended is looked up once a second at most, also if there is no room."""
    counter = MemoryCounter(clock, most=10)
    await counter.add("rule/first/1", 60)
    counts, searched = counter._by_rule["rule"], []

    class Searched(dict[str, tuple[int, float]]):
        def items(self) -> Any:
            searched.append(clock())
            return super().items()

    counts._counts = Searched(counts._counts)
    for number in range(100):
        await counter.add(f"rule/{number}/1", 60)
        counts._counts = Searched(counts._counts)
    assert len(searched) == 1
    clock.advance(1)
    await counter.add("rule/one more/1", 60)
    assert len(searched) == 2


@pytest.mark.parametrize("rate", ["", "many", "0/minute", "5/minute;6/minute", "-1/minute"])
def test_a_rate_that_cannot_be_read_is_named(rate: str) -> None:
    """The error names the endpoint and shows how a rate is written."""
    with pytest.raises(ValueError, match="token"):
        Limits(token=Rates(per_client=rate))


def test_only_servers_can_be_limited_and_once() -> None:
    """Both mistakes are errors, and nothing is limited then."""
    protector, other = ResourceProtector(), ResourceProtector()
    limits: Any = Limits()
    with pytest.raises(TypeError, match="limit takes"):
        limits.limit(other, object())
    limits.limit(protector)
    with pytest.raises(ValueError, match="already"):
        limits.limit(other, protector)
    assert other.limiter is None
